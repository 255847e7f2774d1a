"""For tests of pictures: a crowd of lanes, random ladders, and where the parts of drawings lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from hypothesis import strategies as st

from analyzer.flows.values import StepStatus
from analyzer.ladder.drawing.primitives import Circle, Line, Path, Rect, Text
from analyzer.ladder.drawing.theme import ROLES, STYLES
from analyzer.ladder.values import (
    Answer,
    Arrow,
    ArrowKind,
    Bracket,
    Event,
    Group,
    Heat,
    Ladder,
    Lane,
    LaneKind,
    Note,
    Tone,
)
from tests.analyzer.ladder.examples import BEGAN, EVERY, MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.ladder.drawing.fonts import Metrics
    from analyzer.ladder.drawing.primitives import Drawing, Part


def crowd(clients: int = 21) -> Ladder:
    """Return a post and its copies to so many clients, and replies that come together."""
    members = [
        Lane(f"client-{n}", "client", f"user{n}", f"sip:user{n}@contoso.com, 10.0.0.{n}")
        for n in range(clients)
    ]
    services = [
        Lane("front-end-1", "front-end", "fe1.contoso.com", "Front End, 10.1.0.5, 10.1.0.6, fe::1"),
        Lane("channel-1", "channel", "Channel", "sip:channel01@contoso.com"),
    ]
    through, channel = (clients,), clients + 1

    def arrow(number: int, source: int, target: int, label: str, **more: object) -> Arrow:
        time, rows, frames = BEGAN + number * 7 * MS, (number,), (number + 1,)
        return Arrow(source, target, "request", label, label, time, number + 1, rows, frames,
                     via=through, **more)  # type: ignore[arg-type]  # fmt: skip

    events: list[Event] = [arrow(0, 0, channel, "INFO grpchat")]
    for one in range(1, clients):
        refused = one == 3
        answer = Answer(900, 900, 503, "503 Service Unavailable", 3.25)
        if not refused:
            answer = Answer(900, 900, 200, "200 OK", 3.25)
        heat: Heat = "slow" if one == 2 else "quick"
        events.append(arrow(one, channel, one, "INFO grpchat", answer=answer, heat=heat,
                            latency_ms=600.0, tone="bad" if refused else "plain"))  # fmt: skip
    brackets = [
        Bracket("copy", 0, one, f"copy to user{one}", 9.5, "slow" if one == 2 else "quick")
        for one in range(1, clients)
    ]
    first = len(events)
    events += [arrow(first + n, 0, channel, f"INFO command {n}") for n in range(4)]
    events.append(arrow(first + 4, channel, 0, "INFO rpl:bjoin 200, rpl:getinv 200, rpl:getpref"))
    brackets += [
        Bracket("reply", first + n, first + 4, f"command{n} 1.00 s", 9.0) for n in range(4)
    ]
    events.append(Note("hole", (0,), "hole", "1 kB missing", BEGAN + 9000 * MS, (77,)))
    groups = (
        Group(0, 0, "posting", "4", "post", "ok", "accepted"),
        Group(1, clients - 1, "posting", "5", "copies", "failed", "one member got none " * 9),
    )
    lanes = (*members, *services)
    return Ladder("Room", "", lanes, tuple(events), groups, tuple(brackets), BEGAN)


SMALL: dict[str, Callable[[], Ladder]] = dict(EVERY)
LADDERS = {**SMALL, "crowd": crowd}

_texts = st.text(max_size=40)
_titles = st.text(max_size=24)


@st.composite
def _arrows(draw: st.DrawFn, lanes: int, number: int) -> Arrow:
    lane = st.integers(0, lanes - 1)
    latency = draw(st.none() | st.floats(0, 1e7))
    answer = Answer(1, 9, draw(st.integers(100, 699)), draw(_texts), latency)
    return Arrow(
        draw(lane),
        draw(lane),
        draw(st.sampled_from(get_args(ArrowKind))),
        draw(_texts),
        draw(_texts),
        BEGAN + number * draw(st.integers(0, 10**14)),
        draw(st.integers(1, 10**7)),
        (number,),
        (number,),
        via=tuple(draw(st.lists(lane, max_size=2))),
        tone=draw(st.sampled_from(get_args(Tone))),
        latency_ms=latency,
        heat=draw(st.sampled_from(get_args(Heat))),
        marks=tuple(draw(st.lists(_titles, max_size=3))),
        count=draw(st.integers(1, 12)),
        answer=draw(st.none() | st.just(answer)),
    )


@st.composite
def _notes(draw: st.DrawFn, lanes: int, number: int) -> Note:
    kinds: tuple[Literal["hole", "finding", "remark"], ...] = ("hole", "finding", "remark")
    kind = draw(st.sampled_from(kinds))
    over = tuple(sorted(draw(st.lists(st.integers(0, lanes - 1), max_size=3))))
    tone = draw(st.sampled_from(get_args(Tone)))
    return Note(kind, over, draw(_titles), draw(_texts), BEGAN + number, (), tone)


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    """Draw a ladder of a few events, its texts anything that Python can hold."""
    count = draw(st.integers(1, 6))
    kinds = st.sampled_from(get_args(LaneKind))
    lanes = tuple(
        Lane(f"lane-{n}", draw(kinds), draw(_titles), draw(_titles)) for n in range(count)
    )
    size = draw(st.integers(0, 9))
    events = tuple(
        draw(st.one_of(_arrows(count, n), _arrows(count, n), _notes(count, n))) for n in range(size)
    )
    cuts = sorted(draw(st.sets(st.integers(1, size - 1)))) if size > 1 else []
    groups = tuple(
        Group(first, end - 1, draw(_titles), "1", draw(_titles),
              draw(st.sampled_from(get_args(StepStatus))), draw(_texts))
        for first, end in zip([0, *cuts], [*cuts, size], strict=True)
        if size and draw(st.booleans())
    )  # fmt: skip
    ends = st.integers(0, max(size - 1, 0))
    pairs = draw(st.lists(st.tuples(ends, ends).map(sorted), max_size=6)) if size else []
    brackets = tuple(
        Bracket("reply", first, last, draw(_titles), 1.0, draw(st.sampled_from(get_args(Heat))))
        for first, last in sorted(pairs, key=lambda pair: pair[1])
    )
    return Ladder(draw(_titles), draw(_texts), lanes, events, groups, brackets, BEGAN)


class Box(NamedTuple):
    """The room that a part takes."""

    left: float
    top: float
    right: float
    bottom: float
    what: str

    def meets(self, other: Box) -> bool:
        """Tell whether two boxes overlap by more than a hair."""
        beside = self.right - 0.5 <= other.left or other.right - 0.5 <= self.left
        return not (beside or self.bottom <= other.top or other.bottom <= self.top)


def _around(xs: list[float], ys: list[float], style: str) -> Box:
    half = STYLES[style].width / 2 if STYLES[style].stroke else 0
    return Box(min(xs) - half, min(ys) - half, max(xs) + half, max(ys) + half, style)


def box(part: Part, metrics: Metrics) -> Box:
    """Return the room that a part takes; of a text that of its letters."""
    match part:
        case Line(x1, y1, x2, y2, style):
            return _around([x1, x2], [y1, y2], style)
        case Path(commands, style):
            places = [float(one) for command in commands for one in command[1:]]
            return _around(places[::2], places[1::2], style)
        case Rect(x, y, width, height, style):
            return _around([x, x + width], [y, y + height], style)
        case Circle(x, y, radius, style):
            return _around([x - radius, x + radius], [y - radius, y + radius], style)
        case Text(x, y, anchor, role, text):
            face = ROLES[role]
            width = metrics.width(text, face.size, bold=face.bold)
            left = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * width
            return Box(left, y - 0.75 * face.size, left + width, y + 0.2 * face.size, text)


def parts(drawing: Drawing) -> Iterator[Part]:
    """Yield all parts of a drawing."""
    for item in drawing.items:
        yield from item.parts


def overlapping(drawing: Drawing, metrics: Metrics) -> list[tuple[str, str]]:
    """Return the pairs of texts of a drawing that lie over one another."""
    boxes = sorted(
        (box(part, metrics) for part in parts(drawing) if isinstance(part, Text)),
        key=lambda one: one.top,
    )
    found = []
    open_boxes: list[Box] = []
    for one in boxes:
        open_boxes = [other for other in open_boxes if other.bottom > one.top]
        found += [(other.what, one.what) for other in open_boxes if one.meets(other)]
        open_boxes.append(one)
    return found


def outside(drawing: Drawing, metrics: Metrics) -> list[Box]:
    """Return what of a drawing lies beyond its edges."""
    boxes = (box(part, metrics) for part in parts(drawing) if not _is_nothing(part))
    return [
        one
        for one in boxes
        if one.left < 0 or one.top < 0 or one.right > drawing.width or one.bottom > drawing.height
    ]


def _is_nothing(part: Part) -> bool:
    return isinstance(part, Text) and not part.text
