"""Connections of which it was not captured that compression was agreed on: bytes can prove it.

The one rule: only packets that are read as whole messages prove it (``Decompressor``). Without them
the ordinary reading stands, whatever it looks like: of a connection that was compressed for a while
before the capture began nothing can be read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.compression_again import read_again
from analyzer.compression_agreed import METHOD, Agreement, agreement, may_be_compressed
from analyzer.compression_side import Side
from analyzer.rows import Interned
from dissectors.notes import RESYNC
from dissectors.sip.compression import SCHEMES
from dissectors.sip.scan import HeadScanner

if TYPE_CHECKING:
    from analyzer.compression_again import Read
    from analyzer.reading import Reading
    from analyzer.rows import Rows
    from dissectors.model import Chunk

MAX_SUSPECTS = 64
"""Connections that are tried. A client has one; a front end that was recorded for an hour has seen
few begin, and no other can be read."""
_ENOUGH = 4096  # bytes of a row that are looked at: compressed text is not readable for so long
# No head has these (RFC 3261 25.1), and no text.
_CONTROL = re.compile(rb"[\0-\x08\x0b\x0c\x0e-\x1f]")


def proved(reading: Reading, read: Read, known: list[Agreement]) -> list[Agreement]:
    """Return the connections on which packets prove the compression.

    Args:
        reading: of the ordinary pass, settled.
        read: reads the capture, by offset and length.
        known: on which it was seen to be agreed on.
    """
    suspects = _suspects(reading, read, known)
    if not suspects:
        return []
    trial = _Trial()
    read_again(suspects, read, trial)
    return trial.found()


def _suspects(reading: Reading, read: Read, known: list[Agreement]) -> list[Agreement]:
    """Return the connections with a message that looks as if it were part of a packet."""
    if not may_be_compressed(reading):
        return []
    rows = reading.rows
    rows.finish()
    done = {id(one.flow) for one in known}
    found: dict[int, Agreement] = {}
    for row in [row for row, notes in enumerate(rows.notes) if notes & RESYNC]:
        number = rows.stream[row] >> 1
        flow = reading.flows[number]
        if (
            number not in found
            and len(found) < MAX_SUSPECTS
            and flow.transport == "tcp"
            and id(flow) not in done
            and _is_garbage(rows, row, read)
        ):
            found[number] = agreement(rows, flow, "", _asked(rows, number), None)
    return list(found.values())


def _is_garbage(rows: Rows, row: int, read: Read) -> bool:
    if rows.call_id[row] and rows.cseq[row]:
        return False
    first = rows.piece_list(row)[0]
    return _CONTROL.search(read(first.offset, min(first.length, _ENOUGH))) is not None


def _asked(rows: Rows, connection: int) -> int | None:
    """Return the row that asks for compression on a connection, the answer to which was lost."""
    method = rows.strings.find(METHOD)
    if method is None:
        return None
    asked = (row for row, one in enumerate(rows.method) if one == method and rows.status[row] < 0)
    return next((row for row in asked if rows.stream[row] >> 1 == connection), None)


class _Trial:
    """Reads connections with each kind of compression; nothing is kept but how far it came."""

    def __init__(self) -> None:
        self._tried: list[tuple[Agreement, dict[str, tuple[Side, Side]]]] = []

    def open(self, one: Agreement) -> int:
        """Begin a connection; return its number."""
        scanner = HeadScanner(Interned(), Interned())

        def side(scheme: str, at: int) -> Side:
            whole = not one.flow.cut[at]
            return Side(scanner, lambda _: 0, scheme, one.ends[at], whole=whole)

        self._tried.append((one, {name: (side(name, 0), side(name, 1)) for name in SCHEMES}))
        return len(self._tried) - 1

    def feed(self, number: int, side: int, chunk: Chunk) -> None:
        """Take bytes of a connection."""
        for sides in self._tried[number][1].values():
            sides[side].feed(chunk)

    def gap(self, number: int, side: int, length: int) -> None:
        """Take note that bytes are missing."""
        for sides in self._tried[number][1].values():
            sides[side].gap(length)

    def end(self, number: int, side: int) -> None:
        """Take note that a direction ends."""
        for sides in self._tried[number][1].values():
            sides[side].close()

    def found(self) -> list[Agreement]:
        """Return the connections that could be read, each with the kind that gave most of it."""
        found = []
        for one, kinds in self._tried:
            given = {name: sum(side.given for side in sides) for name, sides in kinds.items()}
            best = max(given, key=given.__getitem__)
            if given[best]:
                found.append(one._replace(scheme=best))
        return found
