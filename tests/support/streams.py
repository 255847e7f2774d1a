"""Chunks of a stream, cut in every way, and what the reader frames of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dissectors.model import Chunk
from dissectors.sip.scan import HeadScanner
from dissectors.sip.stream import StreamReader
from tests.support.twin import is_built

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dissectors._speedups.framing_reader import StreamReader as TwinReader
    from dissectors._speedups.strings import CSeqs, Strings
    from dissectors.sip.framed import Framed
    from dissectors.sip.scan import Head

# Chunk n lies at ``n * FILE_STEP`` of its file.
FILE_STEP = 1 << 32


class Hole(NamedTuple):
    """Bytes that the capture does not have; 0 where their number is not known."""

    length: int


class Result(NamedTuple):
    """What was framed, apart from where the chunks were cut."""

    messages: list[tuple[bytes, int, int]]
    """(bytes, offset of the body, notes)"""
    junk: int


def chunk(data: bytes, number: int = 1) -> Chunk:
    """Return bytes as chunk ``number``, which is also its frame."""
    return Chunk(0, data, number, number * 1000, 6, number * FILE_STEP)


def framed(parts: Sequence[bytes | Hole], *, whole: bool = True) -> tuple[list[Framed], int]:
    """Run parts of a stream through a reader; return the messages, and the bytes of none.

    The pieces of every message are checked to point to its bytes. Where the compiled twin is built,
    it must give the same.
    """
    found, junk, files = _run(StreamReader(HeadScanner(), whole=whole), parts)
    for one in found:
        check_pieces(one, files)
    if is_built():
        assert twin_framed(parts, whole=whole) == (found, junk)
    return found, junk


def twin_framed(parts: Sequence[bytes | Hole], *, whole: bool = True) -> tuple[list[Framed], int]:
    """Run parts of a stream through the compiled twin, its strings resolved."""
    from dissectors._speedups import framing_reader, heads, strings

    texts, cseqs = strings.Strings(), strings.CSeqs()
    reader = framing_reader.StreamReader(heads.HeadScanner(texts, cseqs), whole=whole)
    found, junk, _ = _run(reader, parts)
    return [one._replace(head=resolved(one.head, texts, cseqs)) for one in found], junk


def resolved(head: Head, texts: Strings, cseqs: CSeqs) -> Head:
    """Return a head with its strings in place of their numbers."""
    numbered = ("method", "reason", "uri", "call_id", "from_uri", "from_tag", "to_uri", "to_tag")
    values = {name: texts.value(getattr(head, name)) for name in (*numbered, "content_type")}
    return head._replace(cseq=cseqs.value(head.cseq))._replace(**values)  # type: ignore[arg-type]


def _run(
    reader: StreamReader | TwinReader, parts: Sequence[bytes | Hole]
) -> tuple[list[Framed], int, dict[int, bytes]]:
    found: list[Framed] = []
    files: dict[int, bytes] = {}
    for number, part in enumerate(parts, 1):
        if isinstance(part, Hole):
            found += reader.gap(part.length)
        elif part:
            files[number] = part
            found += reader.feed(chunk(part, number))
    found += reader.close()
    assert reader.found == len(found)
    return found, reader.junk, files


def check_pieces(one: Framed, files: dict[int, bytes]) -> None:
    """Check that the pieces of a message give its bytes, and that its frame is the last one."""
    parts = []
    for frame, offset, length in one.pieces:
        assert length > 0
        assert offset // FILE_STEP == frame
        start = offset % FILE_STEP
        parts.append(files[frame][start : start + length])
        assert len(parts[-1]) == length
    assert b"".join(parts) == one.raw
    assert one.frame == max(piece.frame for piece in one.pieces)
    assert one.time_ns == one.frame * 1000
    assert 0 <= one.body <= len(one.raw)


def result(parts: Sequence[bytes | Hole], *, whole: bool = True) -> Result:
    """Return what the parts give, in a form that does not know of chunks."""
    found, junk = framed(parts, whole=whole)
    return Result([(one.raw, one.body, one.notes) for one in found], junk)


def byte_by_byte(parts: Sequence[bytes | Hole]) -> list[bytes | Hole]:
    """Cut every part into single bytes."""
    cut: list[bytes | Hole] = []
    for part in parts:
        if isinstance(part, Hole):
            cut.append(part)
        else:
            cut += [part[at : at + 1] for at in range(len(part))]
    return cut


def split_at(parts: Sequence[bytes | Hole], place: int) -> list[bytes | Hole]:
    """Cut the part at ``place`` (counted over all parts) in two."""
    cut: list[bytes | Hole] = []
    for part in parts:
        if isinstance(part, Hole):
            cut.append(part)
            continue
        if 0 < place < len(part):
            cut += [part[:place], part[place:]]
        else:
            cut.append(part)
        place -= len(part)
    return cut
