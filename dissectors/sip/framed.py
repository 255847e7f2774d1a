"""A framed SIP message, and where its bytes lie in the capture."""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from dissectors.model import Chunk, Piece

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dissectors.sip.scan import Head


_offset = itemgetter(0)


class Framed(NamedTuple):
    """One SIP message as it stood in a stream or datagram."""

    head: Head
    raw: bytes
    body: int
    """Offset of the body in ``raw``."""
    notes: int
    frame: int
    """The frame that completes it."""
    time_ns: int
    """Of that frame."""
    digits: int
    pieces: tuple[Piece, ...]


def later(chunk: Chunk, skip: int) -> Chunk:
    """Return a chunk without its first ``skip`` bytes."""
    rest = len(chunk.data) - skip
    return chunk._replace(
        data=chunk.data[skip:],
        offset=chunk.offset + skip,
        fragments=pieces_of(chunk, skip, rest) if chunk.fragments else (),
    )


def pieces_of(chunk: Chunk, at: int, length: int) -> tuple[Piece, ...]:
    """Return where ``length`` bytes from ``at`` of a chunk lie in the file."""
    if not chunk.fragments:
        return (Piece(chunk.frame, chunk.offset + at, length),)
    found = []
    for piece in chunk.fragments:
        if at < piece.length and length > 0:
            take = min(length, piece.length - at)
            found.append(Piece(piece.frame, piece.offset + at, take))
            length -= take
            at = 0
        else:
            at -= min(at, piece.length)
    return tuple(found)


def join_pieces(pieces: list[Piece], more: Iterable[Piece]) -> None:
    """Append pieces; one that goes on where the last one of its frame ends becomes part of it."""
    for piece in more:
        last = pieces[-1] if pieces else None
        if (
            last is not None
            and last.frame == piece.frame
            and last.offset + last.length == piece.offset
        ):
            pieces[-1] = Piece(last.frame, last.offset, last.length + piece.length)
        else:
            pieces.append(piece)


def gather(
    anchors: list[tuple[int, Chunk]], start: int, end: int
) -> tuple[tuple[Piece, ...], Chunk]:
    """Return the pieces of a message over several chunks, and the chunk captured last."""
    pieces: list[Piece] = []
    last: Chunk | None = None
    for index in range(max(0, bisect_right(anchors, start, key=_offset) - 1), len(anchors)):
        at, chunk = anchors[index]
        if at >= end:
            break
        low, high = max(start, at), min(end, at + len(chunk.data))
        if low < high:
            join_pieces(pieces, pieces_of(chunk, low - at, high - low))
            if last is None or chunk.frame > last.frame:
                last = chunk
    return tuple(pieces), last or anchors[-1][1]


def anchors_from(anchors: list[tuple[int, Chunk]], position: int) -> list[tuple[int, Chunk]]:
    """Return the anchors of the bytes from ``position`` on, which becomes offset 0."""
    first = max(0, bisect_right(anchors, position, key=_offset) - 1)
    return [(at - position, chunk) for at, chunk in anchors[first:]]
