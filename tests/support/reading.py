"""Captures through the pipeline, and their messages in a form to compare."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import zstandard

from analyzer.pipeline import Pipeline
from analyzer.sources.spool import ZSTD_MAGIC
from dissectors.model import address_text
from dissectors.notes import note_names
from tests.support.packets import Packet, pcap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from analyzer.reading import Reading
    from analyzer.rows import XccosItem

CHUNK = 1 << 19


class Found(NamedTuple):
    """A message that was read."""

    frame: int
    time_ns: int
    src: str
    dst: str
    opener: bool
    """It came from the side that opened the connection."""
    connection: int
    raw: bytes
    method: str | None
    status: int | None
    call_id: str | None
    cseq: tuple[int, str] | None
    notes: tuple[str, ...]
    items: tuple[XccosItem, ...]

    @property
    def sha1(self) -> str:
        """Hash of the bytes."""
        return hashlib.sha1(self.raw, usedforsecurity=False).hexdigest()

    @property
    def start(self) -> str | int | None:
        """Method of a request, status of a response."""
        return self.method if self.status is None else self.status

    @property
    def cut(self) -> bool:
        """Not the whole message was there."""
        return "truncated" in self.notes


def read(data: bytes, *, size: int = CHUNK) -> Reading:
    """Read the bytes of a capture file, ``size`` at a time."""
    return read_chunks(data[at : at + size] for at in range(0, len(data), size))


def read_chunks(chunks: Iterable[bytes]) -> Reading:
    """Read a capture file that comes in pieces."""
    pipeline = Pipeline()
    for chunk in chunks:
        pipeline.feed(chunk)
    reading = pipeline.close()
    reading.settle()
    return reading


def messages(reading: Reading, data: bytes) -> list[Found]:
    """Return the messages of a capture whose bytes are ``data``."""
    rows, text = reading.rows, reading.rows.strings.values
    found = []
    for row in range(len(rows)):
        flow = reading.flows[rows.stream[row] >> 1]
        back = rows.stream[row] & 1
        src, dst = address_text(flow.key)[:: -1 if back else 1]
        raw = b"".join(data[at : at + length] for _, at, length in rows.piece_list(row))
        assert len(raw) == rows.length[row]
        status = rows.status[row]
        found.append(
            Found(
                rows.frame[row], rows.time[row], src, dst, not back, flow.number, raw,
                text[rows.method[row]], status if status >= 0 else None, text[rows.call_id[row]],
                rows.cseqs.values[rows.cseq[row]], tuple(note_names(rows.notes[row])),
                tuple(rows.xccos(row)),
            )
        )  # fmt: skip
    assert [one.frame for one in found] == sorted(one.frame for one in found)
    return found


def messages_of(packets: Sequence[Packet]) -> list[Found]:
    """Return the messages of packets, by way of a capture file."""
    data = pcap(packets)
    return messages(read(data), data)


def messages_in(data: bytes) -> list[Found]:
    """Return the messages of a capture file."""
    return messages(read(data), data)


def capture_bytes(path: Path) -> bytes:
    """Return the bytes of a capture file, unpacked."""
    data = path.read_bytes()
    if data.startswith(ZSTD_MAGIC):
        data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return data


def by_direction(found: Iterable[Found]) -> dict[tuple[str, str], list[str]]:
    """Return the hashes of messages by direction, in the order of their stream."""
    streams: dict[tuple[str, str], list[str]] = {}
    for one in found:
        streams.setdefault((one.src, one.dst), []).append(one.sha1)
    return streams
