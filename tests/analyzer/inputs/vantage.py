"""One capture as it would have been taken at another place, with another clock.

    near = seen(trace)
    far = seen(trace, Place(transit_ns=2_000_000, loss=0.1, offset_ns=3 * HOUR, drift_ppb=80_000))
    assert rows_of(match([near.window, far.window])) == common(near, far)

``seen(...).origin`` says which row of the capture each row is: that is the truth.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random  # noqa: TID251  (seeded)
from typing import TYPE_CHECKING

from analyzer.rows import Rows
from analyzer.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from analyzer.inputs.values import Clock, Match
    from analyzer.rows import Stream

MS, SECOND = 1_000_000, 1_000_000_000
HOUR = 3600 * SECOND
STRINGS = (
    *("method", "reason", "uri", "call_id", "from_uri", "from_tag", "to_uri", "to_tag"),
    "content_type",
)


@dataclass(frozen=True)
class Place:
    """Where a capture is taken, and by which clock."""

    transit_ns: int = 0
    """From the place of the capture that is copied, in the direction of the higher address."""
    jitter_ns: int = 0
    """Mean of what is added to a transit."""
    noise_ns: int = 0
    """By which a time stamp may be wrong, either way."""
    offset_ns: int = 0
    drift_ppb: int = 0
    set_at: int | None = None
    """The true time at which the clock is set, after the first message, and by how much."""
    set_by: int = 0
    digits: int = 9
    loss: float = 0.0
    keep: Callable[[Stream, int], bool] = field(default=lambda *_: True)
    """What passes there, by stream and row."""
    nat: dict[str, str] = field(default_factory=dict)
    """Addresses (without ports) as they are there."""
    seed: int = 0


@dataclass
class Seen:
    """What was seen at a place."""

    window: Window
    origin: list[int]
    """The row of the capture that each row is."""
    true: list[int]
    """When it really passed."""
    shown: list[int]
    """What the clock showed then; time stamps may be noisy, and are cut."""

    def error_of(self, clock: Clock) -> int:
        """Return how wrong the correction is where it is worst."""
        frames = self.window.rows.frame
        return max(
            abs(clock.corrected(shown, frame) - true)
            for shown, true, frame in zip(self.shown, self.true, frames, strict=True)
        )


def seen(trace: Window, place: Place | None = None) -> Seen:
    """Return what of a capture is seen at a place."""
    place = place or Place()
    chance = Random(place.seed)
    begin = trace.rows.time[0]
    passed = []
    for row, time in enumerate(trace.rows.time):
        stream = trace.streams[trace.rows.stream[row]]
        if place.keep(stream, row) and chance.random() >= place.loss:
            there = place.transit_ns and place.transit_ns + int(
                chance.expovariate(1) * place.jitter_ns
            )
            true = time + (there if stream.src < stream.dst else -there)
            passed.append((true, row))
    # Within a stream nothing overtakes.
    passed.sort(key=lambda one: one[0])
    shown = [_shown(place, true, begin) for true, _ in passed]
    stamps = [time + round(chance.uniform(-1, 1) * place.noise_ns) for time in shown]
    unit = 10 ** (9 - place.digits)
    rows = copied(trace.rows, [row for _, row in passed])
    rows.message_table.columns["time"] = array("q", [time // unit * unit for time in stamps])
    rows.message_table.columns["frame"] = array("I", range(1, len(passed) + 1))
    rows.message_table.columns["digits"] = array("B", [place.digits] * len(passed))
    rows._bind()
    streams = [
        one._replace(src=_translated(one.src, place.nat), dst=_translated(one.dst, place.nat))
        for one in trace.streams
    ]
    window = Window(rows, streams, trace.read)
    return Seen(window, [row for _, row in passed], [true for true, _ in passed], shown)


def _shown(place: Place, true: int, begin: int) -> int:
    shown = true + place.offset_ns + place.drift_ppb * (true - begin) // SECOND
    return shown + (place.set_by if place.set_at is not None and true >= place.set_at else 0)


def _translated(address: str, nat: dict[str, str]) -> str:
    host, _, port = address.rpartition(":")
    return f"{nat.get(host, host)}:{port}"


def copied(rows: Rows, places: Sequence[int]) -> Rows:
    """Return some rows with tables of strings of their own, in another order."""
    found = Rows()
    found.piece_table = rows.piece_table
    numbers = {0: 0}
    for number in range(len(rows.strings.values) - 1, 0, -1):
        numbers[number] = found.strings.id(rows.strings.values[number])
    cseqs = {0: 0}
    for number in range(len(rows.cseqs.values) - 1, 0, -1):
        cseqs[number] = found.cseqs.id(rows.cseqs.values[number])
    for name, column in rows.message_table.columns.items():
        values: Iterable[int] = (column[place] for place in places)
        if name in STRINGS:
            values = (numbers[value] for value in values)
        elif name == "cseq":
            values = (cseqs[value] for value in values)
        found.message_table.columns[name] = array(column.typecode, values)
    found.item_table = type(rows.item_table)(Rows.ITEM)
    for name, column in rows.item_table.columns.items():
        plain = name == "has_commandid"
        found.item_table.columns[name] = array(
            column.typecode, column if plain else [numbers[value] for value in column]
        )
    found._bind()
    return found


def common(*places: Seen) -> set[tuple[tuple[int, int], ...]]:
    """Return the sightings of every message that at least two places have."""
    rows: dict[int, list[tuple[int, int]]] = {}
    for number, place in enumerate(places):
        for row, origin in enumerate(place.origin):
            rows.setdefault(origin, []).append((number, row))
    return {tuple(one) for one in rows.values() if len(one) > 1}


def rows_of(matches: Iterable[Match]) -> set[tuple[tuple[int, int], ...]]:
    """Return matches as plain pairs of input and row."""
    return {tuple((one.input, one.row) for one in match.sightings) for match in matches}


def rewritten(trace: Window, change: Callable[[bytes], bytes]) -> Window:
    """Return a window on messages whose bytes were changed."""
    raws = [change(trace.raw(row)) for row in range(len(trace))]
    rows = copied(trace.rows, range(len(trace)))
    ends = list(accumulate(map(len, raws)))
    pieces = type(rows.piece_table)(Rows.PIECE)
    pieces.columns["frame"] = array("I", rows.frame)
    pieces.columns["offset"] = array("Q", [0, *ends[:-1]])
    pieces.columns["length"] = array("I", map(len, raws))
    rows.piece_table = pieces
    columns = rows.message_table.columns
    columns["piece"] = array("Q", range(len(raws)))
    columns["pieces"] = array("I", [1] * len(raws))
    columns["length"] = array("I", map(len, raws))
    rows._bind()
    data = b"".join(raws)
    return Window(rows, trace.streams, lambda offset, length: data[offset : offset + length])


def sent_again(trace: Window, after_ns: Sequence[int], every: int = 1) -> Window:
    """Return a window on messages of which some were sent again: the same bytes, later."""
    places = [
        (time + after, row)
        for row, time in enumerate(trace.rows.time)
        for after in (0, *(after_ns if row % every == 0 else ()))
    ]
    places.sort()
    rows = copied(trace.rows, [row for _, row in places])
    rows.message_table.columns["time"] = array("q", [time for time, _ in places])
    rows.message_table.columns["frame"] = array("I", range(1, len(places) + 1))
    rows._bind()
    return Window(rows, trace.streams, trace.read)


def repeated(trace: Window, times: int, every_ns: int) -> Window:
    """Return the messages of a capture again and again, each time with other Call-IDs."""
    base, rows = trace.rows, Rows()
    order = list(range(len(base))) * times
    rows.strings, rows.cseqs = base.strings, base.cseqs
    rows.piece_table, rows.item_table = base.piece_table, base.item_table
    for name, column in base.message_table.columns.items():
        rows.message_table.columns[name] = array(column.typecode, [column[k] for k in order])
    columns, count = rows.message_table.columns, len(base)
    for k in range(len(order)):
        columns["time"][k] += k // count * every_ns
        call = base.strings.value(columns["call_id"][k])
        columns["call_id"][k] = rows.strings.id(f"{call}-{k // count}")
    rows._bind()
    return Window(rows, trace.streams, trace.read)
