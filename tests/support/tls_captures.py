"""TLS captures told anew: the same bytes of the same connection, cut into other segments.

Nothing is encrypted here: the records are those of a recorded session, so that its key log fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dissectors.capture.detect import reader_for
from dissectors.model import Chunk, Frame, Segment
from dissectors.transport.decoder import FrameDecoder
from dissectors.transport.reassembly import Reassembler
from tests.support.conversation import Conversation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.support.packets import Tcp

    Write = tuple[bool, bytes]

APPLICATION_DATA = 23
GCM_OVERHEAD = 8 + 16
"""Explicit nonce and tag of AES-GCM in TLS 1.2 (RFC 5288 section 3)."""


def frames_of(path: Path) -> list[Frame]:
    """Return the frames of a capture."""
    data = path.read_bytes()
    reader = reader_for(data)
    assert not hasattr(reader, "reason")
    found = [*reader.feed(data), *reader.close()]  # type: ignore[union-attr]
    return [frame for frame in found if isinstance(frame, Frame)]


def writes_of(path: Path) -> list[Write]:
    """Return what the two sides of a capture's only connection wrote: (by the opener, bytes)."""
    packets = FrameDecoder().feed(frames_of(path))
    events = Reassembler().feed([one for one in packets if isinstance(one, Segment)])
    chunks = [event for event in events if isinstance(event, Chunk)]
    assert {chunk.stream for chunk in chunks} == {0, 1}
    return [(chunk.stream == 0, chunk.data) for chunk in chunks]


def told(
    writes: Iterable[Write], *, server: str = "10.0.0.2:5061", closed: bool = True
) -> list[Tcp]:
    """Return the packets of a connection, one for each write."""
    talk = Conversation(server=server)
    talk.handshake()
    for from_client, data in writes:
        (talk.client if from_client else talk.server).sends(data)
    if closed:
        talk.close()
    return talk.packets


def split(writes: Iterable[Write], size: int) -> list[Write]:
    """Cut writes into pieces of ``size`` bytes at most."""
    return [
        (side, data[at : at + size]) for side, data in writes for at in range(0, len(data), size)
    ]


def joined(writes: Iterable[Write]) -> list[Write]:
    """Join what one side writes before the other side does."""
    found: list[Write] = []
    for side, data in writes:
        if found and found[-1][0] == side:
            found[-1] = (side, found[-1][1] + data)
        else:
            found.append((side, data))
    return found


@dataclass
class Arrival:
    """One direction of TLS 1.2 with AES-GCM: which frame completes which bytes of plain text."""

    frames: list[tuple[int, int]]
    """(plain bytes so far, frame that completes the record which brings the last of them)"""

    def frame_of(self, end: int) -> int:
        """Return the first frame after which the first ``end`` bytes can be read."""
        done = 0
        for plain, frame in self.frames:
            done = max(done, frame)
            if plain >= end:
                return done
        raise AssertionError(f"there are no {end} bytes of plain text")


def arrival(packets: list[Tcp], of: Callable[[Tcp], bool]) -> Arrival:
    """Work out when the records of a direction are complete, from sequence numbers alone."""
    mine = [(number, one) for number, one in enumerate(packets, 1) if of(one)]
    first = mine[0][1].seq + 1  # the SYN
    data = [(one.seq - first, one.payload, number) for number, one in mine if one.payload]
    size = max(at + len(payload) for at, payload, _ in data)
    stream, came = bytearray(size), [0] * size
    for at, payload, number in reversed(data):
        stream[at : at + len(payload)] = payload
        came[at : at + len(payload)] = [number] * len(payload)
    found, at, plain, latest = [], 0, 0, 0
    while at < size:
        end = at + 5 + int.from_bytes(stream[at + 3 : at + 5], "big")
        latest = max(latest, *came[at:end])
        if stream[at] == APPLICATION_DATA:
            plain += end - at - 5 - GCM_OVERHEAD
            found.append((plain, latest))
        at = end
    return Arrival(found)
