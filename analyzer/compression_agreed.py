"""On which connections compression was agreed: NEGOTIATE, ``Compression``, and an answer of 2xx."""

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
# Another number behind it is named and not read.
_SCHEMES = "LZ77"
_LONGEST_SCHEME = 16  # it is shown


class Agreement(NamedTuple):
    """A connection on which compression was agreed."""

    flow: Flow
    scheme: str
    asker: int
    """Side that asked."""
    ends: tuple[Piece, Piece]
    """Of each side, the last bytes that are not compressed."""


def compression_agreed(reading: Reading) -> bool:
    """Tell cheaply whether a reading may need the pass."""
    return reading.rows.strings.find(METHOD) is not None


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
        elif 200 <= rows.status[row] < 300 and connection in asked and connection not in found:
            request = asked[connection]
            scheme = _scheme(rows, row, read) or _scheme(rows, request, read)
            flow = reading.flows[connection]
            if (
                scheme.startswith(_SCHEMES)
                and rows.stream[request] & 1 != side
                and flow.transport != "udp"
            ):
                ends = (rows.piece_list(request)[-1], rows.piece_list(row)[-1])
                asker = side ^ 1
                found[connection] = Agreement(
                    flow, scheme, asker, ends if not asker else ends[::-1]
                )
    return list(found.values())


def _scheme(rows: Rows, row: int, read: Read) -> str:
    raw = b"".join(read(piece.offset, piece.length) for piece in rows.piece_list(row))
    message = parse_message(raw, stream=True)
    value = None if isinstance(message, Malformed) else message.headers.first("Compression")
    return (value or "").strip().upper()[:_LONGEST_SCHEME]
