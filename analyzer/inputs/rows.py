"""The rows of several inputs as one: every message once, however many inputs saw it."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

from analyzer.inputs.store import shifted
from analyzer.rows import Rows
from dissectors.notes import HOLE, TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.inputs.connections import Joined
    from analyzer.inputs.order import FrameOrder
    from analyzer.inputs.values import Match
    from analyzer.rows import Interned
    from analyzer.trace import Trace

_STRINGS = {
    *("method", "reason", "uri", "call_id", "from_uri", "from_tag", "to_uri", "to_tag"),
    "content_type",
}
_ITEM_STRINGS = {
    *("element", "id", "seqid", "envid", "command_seqid", "command_envid", "code", "text")
}

Seen = tuple[int, int]
"""Input and row in it."""


class JoinedRows(NamedTuple):
    """The rows, and where they were seen."""

    rows: Rows
    shown: list[Seen]
    """For each row, the sighting that it was made of."""
    sightings: dict[int, tuple[Seen, ...]]
    """For each row that several inputs saw, all sightings."""


def joined_rows(
    traces: Sequence[Trace],
    matches: Sequence[Match],
    corrections: Sequence[Callable[[int, int], int]],
    order: FrameOrder,
    joined: Joined,
) -> JoinedRows:
    """Return the rows of all inputs together, in the order of their frames."""
    groups = _groups(traces, matches, joined)
    several = {shown: group for shown, group in groups if len(group) > 1}
    shown = [one for one, _ in groups]
    frames = [order.numbers[which][traces[which].rows.frame[row] - 1] for which, row in shown]
    # Of messages that one frame completes, the order is that of their input.
    arranged = sorted(range(len(shown)), key=lambda at: (frames[at], shown[at]))
    shown = [shown[at] for at in arranged]
    rows = _Writer(traces, corrections, order, joined).rows(shown)
    sightings = {at: several[one] for at, one in enumerate(shown) if one in several}
    return JoinedRows(rows, shown, sightings)


def _groups(
    traces: Sequence[Trace], matches: Sequence[Match], joined: Joined
) -> list[tuple[Seen, tuple[Seen, ...]]]:
    """Return for each message the sighting to show, and all of them."""
    groups: list[tuple[Seen, tuple[Seen, ...]]] = []
    matched: set[Seen] = set()
    for match in matches:
        seen = tuple((one.input, one.row) for one in match.sightings)
        matched.update(seen)
        groups.append((min(seen, key=lambda one: _rank(traces, joined, one)), seen))
    for which, trace in enumerate(traces):
        groups += [
            ((which, row), ((which, row),))
            for row in range(len(trace))
            if (which, row) not in matched
        ]
    return groups


def _rank(traces: Sequence[Trace], joined: Joined, seen: Seen) -> tuple[bool, bool, int]:
    """A whole message before a broken one; then that of the connection's home."""
    which, row = seen
    rows = traces[which].rows
    broken = bool(rows.notes[row] & (HOLE | TRUNCATED))
    home = joined.home[joined.streams[which, rows.stream[row]] >> 1]
    return broken, home[0] != which, which


class _Writer:
    def __init__(
        self,
        traces: Sequence[Trace],
        corrections: Sequence[Callable[[int, int], int]],
        order: FrameOrder,
        joined: Joined,
    ) -> None:
        self._rows = Rows()
        self._all = [trace.rows for trace in traces]
        self._order, self._joined = order, joined
        self._corrections = corrections
        self._strings = [_numbers(self._rows.strings, one.strings) for one in self._all]
        self._cseqs = [_numbers(self._rows.cseqs, one.cseqs) for one in self._all]

    def rows(self, shown: Sequence[Seen]) -> Rows:
        """Write the messages of these sightings."""
        pieces, items = self._pieces(shown), self._items(shown)
        table = self._rows.message_table.columns
        for name, column in table.items():
            if name in ("piece", "item"):
                column.extend(pieces if name == "piece" else items)
            else:
                column.extend(self._values(name, shown))
        self._rows.finish()
        return self._rows

    def _values(self, name: str, shown: Sequence[Seen]) -> array[int]:
        columns = [rows.message_table.columns[name] for rows in self._all]
        code = columns[0].typecode
        if name == "time":
            right = self._corrections
            frames = [rows.frame for rows in self._all]
            return array(code, (right[k](columns[k][row], frames[k][row]) for k, row in shown))
        if name == "frame":
            numbers = self._order.numbers
            return array(code, (numbers[k][columns[k][row] - 1] for k, row in shown))
        if name == "stream":
            streams = self._joined.streams
            return array(code, (streams[k, columns[k][row]] for k, row in shown))
        if name in _STRINGS or name == "cseq":
            maps = self._cseqs if name == "cseq" else self._strings
            return array(code, (maps[k][columns[k][row]] for k, row in shown))
        return array(code, (columns[k][row] for k, row in shown))

    def _pieces(self, shown: Sequence[Seen]) -> array[int]:
        """Write where the bytes lie; return the first entry of each message."""
        places: array[int] = array("Q")
        target = self._rows.piece_table.columns
        frame, offset, length = target["frame"], target["offset"], target["length"]
        for which, row in shown:
            places.append(len(frame))
            numbers = self._order.numbers[which]
            for piece in self._all[which].piece_list(row):
                frame.append(numbers[piece.frame - 1])
                offset.append(shifted(piece.offset, which))
                length.append(piece.length)
        return places

    def _items(self, shown: Sequence[Seen]) -> array[int]:
        places: array[int] = array("Q")
        target = self._rows.item_table.columns
        for which, row in shown:
            rows = self._all[which]
            places.append(len(target["element"]))
            first, end = rows.item[row], rows.item_end(row)
            strings = self._strings[which]
            for name, column in rows.item_columns.items() if first < end else ():
                part = column[first:end]
                if name in _ITEM_STRINGS:
                    part = array(part.typecode, map(strings.__getitem__, part))
                target[name].extend(part)
        return places


def _numbers(table: Interned[Any], other: Interned[Any]) -> list[int]:
    return list(map(table.id, other.values))
