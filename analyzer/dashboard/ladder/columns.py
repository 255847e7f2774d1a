"""A ladder as bytes for the component: columns of numbers, and every text once.

The rule: it holds what ``analyzer.ladder.html_data`` holds, and nothing that depends on what is
selected, or on zone or theme. So it is made once, and sent once. As records a ladder of 50,000
arrows is 26 MB of JSON, as columns a quarter of that.

The first ``STAMP`` bytes are a digest of the rest: whoever has drawn it need not read it again.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from analyzer.export.printable import printable
from analyzer.ladder.html_data import FRAMES
from analyzer.ladder.look import offset_text
from analyzer.ladder.values import Arrow
from analyzer.times import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from analyzer.ladder.values import Event, Hop, Ladder, Note

Record = dict[str, Any]
STAMP = 16
KINDS = ("request", "response", "connection", "hole", "finding", "remark")
TONES = ("plain", "good", "doubtful", "bad")
HEATS = ("quick", "slow", "very-slow")
COLUMNS = (
    *("kind", "source", "target", "via", "label", "text", "time", "frame", "row", "tone", "heat"),
    *("status", "code", "latency", "latencyOf", "session", "call", "method"),
)
"""A number each for every event; texts by their number among ``strings``, -1: none. Times are
nanoseconds since the event before."""
CALL = "\x01"
"""Stands for the Call-ID in the words of an arrow; no text that was made printable has it."""
WIDEST_DAY = 86_400 * SECOND
"""Between two events of one offset that are nearer than this, the zone is not looked up: what
changes it and changes it back takes months."""


class _Numbers:
    """Gives every text, or every way, one number."""

    def __init__(self) -> None:
        self.found: dict[Any, int] = {}

    def exact(self, value: Any) -> int:  # noqa: ANN401  (whatever can be a key)
        return self.found.setdefault(value, len(self.found)) if value else -1

    def of(self, text: str | None) -> int:
        return self.exact(printable(text)) if text else -1


def packed(ladder: Ladder) -> bytes:
    """Return a ladder as the component reads it."""
    texts, ways, rest = _Numbers(), _Numbers(), dict[int, Record]()
    rows, before = [], ladder.began
    for number, event in enumerate(ladder.events):
        made = _arrow(event, texts, ways) if isinstance(event, Arrow) else _note(event, texts)
        rows.append((event.time - before, *made))
        before = event.time
        seldom = {key: value for key, value in _seldom(event, ladder.began) if value}
        if seldom:
            rest[number] = seldom
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in COLUMNS]
    document = {
        "title": printable(ladder.title),
        "subtitle": printable(ladder.subtitle),
        "began": [ladder.began // SECOND, ladder.began % SECOND],
        "digits": min(max(ladder.digits, 3), 6),
        "dated": bool(ladder.dated),
        "lanes": [
            {"kind": one.kind, "title": printable(one.title), "about": printable(one.subtitle)}
            for one in ladder.lanes
        ],
        "groups": [
            [one.first, one.last, texts.of(f"{one.flow} {one.step}: {one.title}"),
             texts.of(one.status), texts.of(one.detail), int(one.continued)]
            for one in ladder.groups
        ],
        "brackets": [
            [one.first, one.last, one.kind, HEATS.index(one.heat), one.latency_ms]
            for one in ladder.brackets
        ],
        "left": [*map(printable, ladder.left_out)],
        "columns": dict(zip(_ORDER, columns, strict=True)),
        "rest": rest,
        "ways": [*ways.found],
        "strings": [*texts.found],
    }  # fmt: skip
    text = json.dumps(document, separators=(",", ":")).encode()
    return hashlib.blake2b(text, digest_size=STAMP // 2).hexdigest().encode() + text


_ORDER = ("time", *(name for name in COLUMNS if name != "time"))


def _arrow(one: Arrow, texts: _Numbers, ways: _Numbers) -> tuple[float, ...]:
    return (
        KINDS.index(one.kind),
        one.source,
        one.target,
        ways.exact(one.via),
        texts.of(one.label),
        texts.exact(_told(one)),
        one.frame,
        one.rows[0] if one.rows else -1,
        TONES.index(one.tone),
        HEATS.index(one.heat),
        one.status or 0,
        texts.of(one.code),
        -1 if one.latency_ms is None else round(one.latency_ms, 4),
        texts.of(one.latency_of),
        -1 if one.session is None else one.session,
        texts.of(one.call_id),
        texts.of(one.method),
    )


def _told(one: Arrow) -> str:
    """Return the words of an arrow, a mark in place of its Call-ID: they repeat but for that."""
    text = printable(one.text)
    return text.replace(printable(one.call_id), CALL) if one.call_id else text


def _note(one: Note, texts: _Numbers) -> tuple[float, ...]:
    first, last = min(one.lanes, default=-1), max(one.lanes, default=-1)
    frame = one.frames[0] if one.frames else -1
    label, text = texts.of(one.label), texts.of(one.text)
    head = (KINDS.index(one.kind), first, last, -1, label, text, frame, -1, TONES.index(one.tone))
    return (*head, 0, 0, -1, -1, -1, -1, -1, -1)


def _seldom(event: Event, began: int) -> Iterator[tuple[str, Any]]:
    """Yield what few events have."""
    frames = event.frames[:FRAMES]
    if not isinstance(event, Arrow):
        yield "frames", frames
        return
    yield "frames", () if frames == (event.frame,) else frames
    yield "rows", event.rows if len(event.rows) > 1 else ()
    yield "marks", [*map(printable, event.marks)]
    yield "count", event.count if event.count > 1 else 0
    yield "until", 0 if event.until is None else event.until - began
    yield "hops", [_hop(one, began) for one in event.hops]
    answer = event.answer
    if answer is not None:
        shown = (answer.row, answer.frame, answer.status, printable(answer.text), answer.latency_ms)
        yield "answer", shown


def _hop(hop: Hop, began: int) -> tuple[Any, ...]:
    return hop.row, hop.frame, printable(hop.source), printable(hop.target), hop.time - began


def zone_changes(times: Sequence[int], zone: tzinfo) -> list[list[Any]]:
    """Return from which event on an offset holds: number of the event, minutes, name.

    ``times``: nanoseconds since 1970 UTC, ascending.
    """
    from datetime import UTC, datetime, timedelta

    def minutes(number: int) -> int:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=times[number] // SECOND)
        return round((moment.astimezone(zone).utcoffset() or timedelta()).total_seconds() / 60)

    def within(first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yield the changes behind ``first``, up to ``last``."""
        alike = minutes(first) == minutes(last)
        if last <= first or (alike and times[last] - times[first] < WIDEST_DAY):
            return
        if last == first + 1:
            if not alike:
                yield last, minutes(last)
            return
        middle = (first + last) // 2
        yield from within(first, middle)
        yield from within(middle, last)

    if not times:
        return [[0, 0, "UTC"]]
    found = [(0, minutes(0)), *within(0, len(times) - 1)]
    return [[number, offset, offset_text(timedelta(minutes=offset))] for number, offset in found]
