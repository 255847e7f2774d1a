"""A comparison as a ladder: A on the left, B on the right, the same messages beside one another.

Times count from the beginning of each session, as the two lie days apart; the text of an arrow
has the time of day. Rows of messages are numbered twice (``row_of``): even ones are of A, odd ones
of B.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from analyzer.compare.align import align
from analyzer.compare.ladder_words import (
    heat_of,
    lanes_of,
    latency_of,
    way_text,
    what_text,
    whom_text,
)
from analyzer.compare.naming import ROLES, role_words
from analyzer.compare.words import doubt_sentence, place_text, told_text
from analyzer.ladder.values import (
    Arrow,
    Bracket,
    Event,
    Group,
    Ladder,
    Note,
)
from analyzer.times import latency_text, time_text

if TYPE_CHECKING:
    from analyzer.compare.values import (
        AlignedRow,
        Comparison,
        Divergence,
        Exchange,
        Party,
        Sight,
        StepKey,
    )
    from analyzer.flows.values import StepStatus
    from analyzer.ladder.look import Detail
    from analyzer.ladder.values import Tone
    from analyzer.trace import Trace

LANES = {"A": (0, 1), "B": (2, 3)}
"""Client and servers of each side."""
ALL = (0, 1, 2, 3)
MAX_NOTES = 3
"""Divergences that are written below one row; the list has all of them."""
TONES: dict[str, Tone] = {"major": "bad", "minor": "doubtful", "trivial": "plain"}
WORST: tuple[StepStatus, ...] = (
    *("failed", "missing", "not-captured", "slow", "retried", "out-of-order", "ok"),
    "not-applicable",
)
"""Statuses of a step; of the two sides' the one that stands first is shown."""


class _Side(NamedTuple):
    name: str
    party: Party
    sights: tuple[Sight, ...]
    exchange: Exchange | None
    items: Counter[tuple[int, str]]
    """How many items of one name a message carries, by row and family."""

    @property
    def other(self) -> str:
        return "B" if self.name == "A" else "A"


def row_of(side: str, row: int) -> int:
    """Return the number that a message of a side has in the ladder."""
    return 2 * row + (side == "B")


def detail_of(a: Trace, b: Trace) -> Detail:
    """Return what reads the messages of a ladder back; both captures must be open."""
    from analyzer.views.detail import detail_record

    return lambda number: detail_record(b if number % 2 else a, number // 2)


def diff_ladder(found: Comparison) -> Ladder:
    """Return a comparison as a ladder of two columns."""
    return _Builder(found).build()


class _Builder:
    def __init__(self, found: Comparison) -> None:
        self._found = found
        self._events: list[Event] = []
        self._groups: list[Group] = []
        self._brackets: list[Bracket] = []
        self._drawn: set[tuple[str, int]] = set()
        self._places: dict[tuple[str, int], int] = {}
        """The event of each message, by side and row."""
        self._lacking: set[tuple[str, int]] = set()
        """Exchanges, by side and first row, of which a remark says that they lack something."""
        self._of_row: dict[int, list[Divergence]] = {}
        for one in found.divergences:
            self._of_row.setdefault(one.row, []).append(one)
        self._items = {"A": _items(found, "A"), "B": _items(found, "B")}

    def build(self) -> Ladder:
        """Return the ladder."""
        found = self._found
        self._notes(-1, 0)
        for number, row in enumerate(found.rows):
            before = len(self._events)
            self._row(row, self._of_row.get(number, []))
            self._notes(number, self._time(row))
            self._group(row.step, before)
        self._notes(len(found.rows), self._events[-1].time if self._events else 0)
        return Ladder(
            title=f"{whom_text(found.a)} (A) and {whom_text(found.b)} (B)",
            subtitle=f"A: {what_text(found.a)}. B: {what_text(found.b)}. Compared: {found.why}.",
            lanes=tuple(lanes_of(found)),
            events=tuple(self._events),
            groups=tuple(self._groups),
            brackets=tuple(sorted(self._brackets, key=lambda one: one.last)),
            began=0,
            dated=False,
            digits=max(found.a.digits, found.b.digits),
            left_out=(*(doubt_sentence(one) for one in found.doubts), *found.cut),
        )

    def _side(self, name: str, exchange: Exchange | None) -> _Side:
        party = self._found.a if name == "A" else self._found.b
        sights = () if exchange is None else exchange.sights
        new = tuple(one for one in sights if (name, one.row) not in self._drawn)
        return _Side(name, party, new, exchange, self._items[name])

    def _row(self, row: AlignedRow, divergences: list[Divergence]) -> None:
        a, b = self._side("A", row.a), self._side("B", row.b)
        pairs = align([(one.part,) for one in a.sights], [(one.part,) for one in b.sights])
        at_a = at_b = 0
        for i, j in [*pairs, (len(a.sights), len(b.sights))]:
            for sight in a.sights[at_a:i]:
                self._alone(row, a, sight, b, divergences)
            for sight in b.sights[at_b:j]:
                self._alone(row, b, sight, a, divergences)
            if i < len(a.sights):
                self._arrow(a, a.sights[i], self._told(row, a, divergences))
                self._arrow(b, b.sights[j], self._told(row, b, divergences))
            at_a, at_b = i + 1, j + 1
        for side in (a, b):
            self._bracket(side)

    def _alone(
        self,
        row: AlignedRow,
        side: _Side,
        sight: Sight,
        other: _Side,
        divergences: list[Divergence],
    ) -> None:
        """Draw a message that the other side does not have, and say so over there."""
        told = self._told(row, side, divergences)
        whole, first = other.exchange is None, sight is side.sights[0]
        if whole:
            told = _Told(told.tone, told.frames, f"only in {side.name}" if first else "")
        place = self._arrow(side, sight, told)
        if whole and not first:
            return
        lanes = LANES[other.name]
        time = self._events[place].time
        if whole and row.unseen is not None:
            self._events.append(
                Note("hole", lanes, "not captured", f"{other.name}: {row.unseen}", time, ())
            )
        elif whole or self._is_first_lack(other, sight):
            label = f"no {_label(side, sight)}"
            text = f"{other.name} has no {row.subject if whole else sight.label}"
            for one in divergences if whole else ():
                text = f"{other.name} {(one.a if other.name == 'A' else one.b).text}"
            tone = TONES[row.weight or "trivial"]
            self._events.append(Note("remark", lanes, label, text, time, (), tone))

    def _is_first_lack(self, other: _Side, sight: Sight) -> bool:
        """Say whether a message is the first that the same exchange of the other side lacks."""
        if not other.sights or sight.part.startswith("round"):
            return False
        key = other.name, other.sights[0].row
        known = key in self._lacking
        self._lacking.add(key)
        return not known

    def _told(self, row: AlignedRow, side: _Side, divergences: list[Divergence]) -> _Told:
        """Return how messages of a row are marked on one side."""
        frames: set[int] = set()
        tone: Tone = "plain"
        for one in divergences:
            if one.weight != "trivial":
                frames.update((one.a if side.name == "A" else one.b).frames)
                well = side.exchange is None or side.exchange.outcome.well
                worst = one.weight == "major" and not well
                tone = "bad" if worst or tone == "bad" else "doubtful"
        return _Told(tone, frozenset(frames), "differs" if row.a and row.b else "")

    def _arrow(self, side: _Side, sight: Sight, told: _Told) -> int:
        client, server = LANES[side.name]
        source, target = (client, server) if sight.up else (server, client)
        decisive = sight.frame in told.frames
        only = told.mark.startswith("only")
        exchange = side.exchange
        latency, of = latency_of(exchange, sight)
        when = time_text(sight.time, side.party.digits)
        label = _label(side, sight)
        place = len(self._events)
        self._drawn.add((side.name, sight.row))
        self._places[side.name, sight.row] = place
        self._events.append(
            Arrow(
                source=source,
                target=target,
                kind="request" if sight.status is None else "response",
                label=label,
                text=f"{side.name}: {label}, {way_text(exchange, sight)}, at {when}",
                time=sight.time - side.party.started,
                frame=sight.frame,
                rows=(row_of(side.name, sight.row),),
                frames=(sight.frame,),
                status=sight.status,
                tone=told.tone if decisive or only else "plain",
                latency_ms=latency,
                latency_of=of,
                heat=heat_of(latency),
                marks=(told.mark,) if only or (decisive and told.mark) else (),
                session=side.party.session,
                method=exchange.family if exchange is not None else None,
            )
        )
        return place

    def _bracket(self, side: _Side) -> None:
        """Tie a command to its first reply."""
        exchange = side.exchange
        if exchange is None or not exchange.replies or not side.sights:
            return
        rows = {one.part: one.row for one in exchange.sights}
        first = self._places.get((side.name, rows.get("request", -1)))
        last = self._places.get((side.name, rows.get("reply 1", -1)))
        if first is not None and last is not None and first < last:
            took = latency_text(exchange.latency_ms)
            label = f"{exchange.family} {took}"
            heat = heat_of(exchange.latency_ms)
            self._brackets.append(Bracket("reply", first, last, label, exchange.latency_ms, heat))

    def _notes(self, number: int, time: int) -> None:
        """Write below a row in what it differs."""
        first = self._found.first
        shown = [
            one
            for one in self._of_row.get(number, [])
            if one is first or (one.weight != "trivial" and one.kind != "one-sided")
        ]
        for one in shown[:MAX_NOTES]:
            label = ("First divergence: " if one is first else "Differs: ") + place_text(one)
            text = f"A {told_text(one.a)}, B {told_text(one.b)}"
            self._events.append(Note("finding", ALL, label, text, time, (), TONES[one.weight]))

    def _time(self, row: AlignedRow) -> int:
        """Return when a row ends, since the beginning of its session."""
        ends = [
            one.ended - party.started
            for one, party in ((row.a, self._found.a), (row.b, self._found.b))
            if one is not None
        ]
        return max(ends, default=0)

    def _group(self, step: StepKey | None, before: int) -> None:
        """Put what a row has drawn into the group of its step."""
        last = len(self._events) - 1
        if step is None or last < before:
            return
        known = self._groups[-1] if self._groups else None
        if known is not None and (known.flow, known.step) == step[:2] and known.last == before - 1:
            first = self._groups.pop().first
        else:
            first = before
        continued = any((one.flow, one.step) == step[:2] for one in self._groups)
        pair = next((one for one in self._found.steps if one.step == step), None)
        status: StepStatus = "ok"
        detail = ""
        if pair is not None:
            status = min((pair.a.status, pair.b.status), key=WORST.index)
            detail = f"A {pair.a.status}, B {pair.b.status}"
        self._groups.append(
            Group(first, last, step.flow, step.id, step.title, status, detail, continued)
        )


class _Told(NamedTuple):
    """How messages are marked."""

    tone: Tone
    frames: frozenset[int]
    """Those that show a divergence."""
    mark: str


def _items(found: Comparison, side: str) -> Counter[tuple[int, str]]:
    counts: Counter[tuple[int, str]] = Counter()
    for row in found.rows:
        exchange = row.a if side == "A" else row.b
        if exchange is not None and exchange.item is not None:
            counts.update({(one.row, exchange.family) for one in exchange.sights})
    return counts


def _label(side: _Side, sight: Sight) -> str:
    exchange = side.exchange
    if exchange is None or sight.status is not None:
        return sight.label
    if exchange.item is None and exchange.role in ROLES:
        return f"{sight.label} {role_words(exchange.role)}"
    count = side.items[sight.row, exchange.family]
    return f"{sight.label} ×{count}" if count > 1 else sight.label
