"""On which connections compression was agreed: NEGOTIATE, ``Compression``, and an answer of 2xx.

The answer alone tells it, too: the request may not have been captured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dissectors.model import Malformed
from dissectors.sip.parse import parse_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.flow import Flow
    from analyzer.reading import Reading
    from analyzer.rows import Rows
    from dissectors.model import Piece

    Read = Callable[[int, int], bytes]

METHOD = "NEGOTIATE"
BETWEEN = "bytes between messages"
"""Counts what the ordinary pass could not use."""
# Another number behind it is named and not read.
_SCHEMES = "LZ77"
_LONGEST_SCHEME = 16  # it is shown


class Agreement(NamedTuple):
    """A connection on which compression was agreed."""

    flow: Flow
    scheme: str
    ends: tuple[Piece | None, Piece | None]
    """Of each side, the last bytes that are not compressed; None where they were not captured."""


def compression_agreed(reading: Reading) -> bool:
    """Tell cheaply whether a reading may have such a connection."""
    return reading.rows.strings.find(METHOD) is not None


def may_be_compressed(reading: Reading) -> bool:
    """Tell cheaply whether a reading may need the pass, be it that nothing of this was captured."""
    return compression_agreed(reading) or bool(reading.stream_counters[BETWEEN])


def agreements(reading: Reading, read: Read) -> list[Agreement]:
    """Return the connections of a reading on which compression was agreed, the first time each."""
    rows = reading.rows
    rows.finish()
    method = rows.strings.find(METHOD)
    asked: dict[int, int] = {}
    found: dict[int, Agreement] = {}
    for row in [] if method is None else [n for n, one in enumerate(rows.method) if one == method]:
        connection, side = divmod(rows.stream[row], 2)
        if rows.status[row] < 0:
            asked[connection] = row
        elif 200 <= rows.status[row] < 300 and connection not in found:
            request = asked.get(connection)
            scheme = _scheme(rows, row, read) or _scheme(rows, request, read)
            flow = reading.flows[connection]
            if (
                scheme.startswith(_SCHEMES)
                and (request is None or rows.stream[request] & 1 != side)
                and flow.transport != "udp"
            ):
                found[connection] = agreement(rows, flow, scheme, request, row)
    return list(found.values())


def agreement(
    rows: Rows, flow: Flow, scheme: str, request: int | None, answer: int | None
) -> Agreement:
    """Return the agreement that a request and its answer make, one of which may be missing."""
    ends: list[Piece | None] = [None, None]
    for row in (request, answer):
        if row is not None:
            ends[rows.stream[row] & 1] = rows.piece_list(row)[-1]
    return Agreement(flow, scheme, (ends[0], ends[1]))


def _scheme(rows: Rows, row: int | None, read: Read) -> str:
    if row is None:
        return ""
    raw = b"".join(read(piece.offset, piece.length) for piece in rows.piece_list(row))
    message = parse_message(raw, stream=True)
    value = None if isinstance(message, Malformed) else message.headers.first("Compression")
    return (value or "").strip().upper()[:_LONGEST_SCHEME]
