"""Captures as they come: frame by frame in their own time, and as long as one likes."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from dissectors.capture.detect import HEAD_LENGTH, reader_for
from dissectors.capture.writer import write_pcap
from dissectors.model import Frame, Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ETHERNET_IPV4 = 34
"""Bytes before the ports of TCP."""
SIP = 5060


def frames_of(path: Path) -> list[Frame]:
    """Return the frames of a capture."""
    data = path.read_bytes()
    reader = reader_for(data[:HEAD_LENGTH])
    assert not isinstance(reader, Malformed)
    return [one for one in [*reader.feed(data), *reader.close()] if isinstance(one, Frame)]


def in_pieces(frames: list[Frame]) -> Iterator[tuple[bytes, int]]:
    """Yield the bytes of a pcap, the head alone and then a frame at a time, each with its time."""
    whole = write_pcap(frames, link=frames[0].link)
    at = 24
    yield whole[:at], frames[0].time_ns
    for frame in frames:
        end = at + 16 + len(frame.data)
        yield whole[at:end], frame.time_ns
        at = end


def again(frames: list[Frame], number: int, apart_ns: int) -> list[Frame]:
    """Return the frames as of another client, so much later: its ports are others."""
    return [
        frame._replace(
            time_ns=frame.time_ns + number * apart_ns, data=_other_port(frame.data, number)
        )
        for frame in frames
    ]


def _other_port(data: bytes, number: int) -> bytes:
    ports = list(struct.unpack_from("!HH", data, ETHERNET_IPV4))
    changed = [port if port == SIP else 1024 + (port + number) % 60_000 for port in ports]
    return data[:ETHERNET_IPV4] + struct.pack("!HH", *changed) + data[ETHERNET_IPV4 + 4 :]
