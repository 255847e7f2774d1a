"""A Content-Length that was a little too large and took the beginning of the next message.

That shows only when the rest of that message comes, which is no message by itself. The end of the
last body is therefore kept in mind, and the two are put together again. Not so where exactly a
start line was taken: what is left then begins with a line end, like a keep-alive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from dissectors.sip.resume import KNOWN_START, START

if TYPE_CHECKING:
    from dissectors.model import Chunk

# So many bytes of a body are kept in mind: a start line and the beginning of a header.
LOOK_BACK = 256

Behind: TypeAlias = "tuple[list[tuple[int, Chunk]], int, int]"
"""Where the last body lies: chunks with their offsets, its begin and end."""

NOTHING: Behind = ([], 0, 0)


def last_bytes(behind: Behind) -> bytes:
    """Return the last bytes of a body."""
    anchors, first, end = behind
    first = max(first, end - LOOK_BACK)
    parts = [chunk.data[max(0, first - at) : max(0, end - at)] for at, chunk in anchors]
    return b"".join(parts)


def reaches_back(tail: bytes, line: bytes) -> int:
    """Return how many bytes of ``tail`` belong to the message that goes on with ``line``."""
    joined = tail + line
    for match in KNOWN_START.finditer(joined):
        if match.start() < len(tail) < match.end():
            return len(tail) - match.start()
    # The whole start line and a part of the first header; not a message in an honest body.
    begun = START.search(joined)
    if begun is None or begun.start() >= len(tail) or START.search(tail) is not None:
        return 0
    return len(tail) - begun.start()
