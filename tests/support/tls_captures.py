"""TLS captures for tests: recorded ones, cut into other segments, and sessions made in memory.

The bytes of a recorded session stay as they are, so that its key log fits.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dissectors.capture.detect import reader_for
from dissectors.model import Chunk, Frame, Malformed, Segment
from dissectors.transport.decoder import FrameDecoder
from dissectors.transport.reassembly import Reassembler
from tests.support.conversation import Conversation

if TYPE_CHECKING:
    from collections.abc import Iterable
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
    assert not isinstance(reader, Malformed)
    found = [*reader.feed(data), *reader.close()]
    return [frame for frame in found if isinstance(frame, Frame)]


def writes_of(path: Path) -> list[Write]:
    """Return what the two sides of a capture's only connection wrote: (by the opener, bytes)."""
    packets = FrameDecoder().feed(frames_of(path))
    events = Reassembler().feed([one for one in packets if isinstance(one, Segment)])
    chunks = [event for event in events if isinstance(event, Chunk)]
    assert {chunk.stream for chunk in chunks} == {0, 1}
    return [(chunk.stream == 0, chunk.data) for chunk in chunks]


def told(
    writes: Iterable[Write],
    *,
    client: str = "10.0.0.1:50000",
    server: str = "10.0.0.2:5061",
    isns: tuple[int, int] = (1000, 900_000),
    closed: bool = True,
) -> list[Tcp]:
    """Return the packets of a connection, one for each write."""
    talk = Conversation(client, server, isns=isns)
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


def arrival(mine: list[bool], packets: list[Tcp]) -> Arrival:
    """Work out when the records of a direction are complete, from sequence numbers alone.

    ``mine`` says which packets are of that direction.
    """
    numbered = zip(mine, enumerate(packets, 1), strict=True)
    data = [(one.seq, one.payload, number) for is_mine, (number, one) in numbered
            if is_mine and one.payload]  # fmt: skip
    first = min(at for at, _, _ in data)
    data = [(at - first, payload, number) for at, payload, number in data]
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


class Sealed:
    """A session of TLS 1.2 without certificates, made in memory; ``writes`` are its records."""

    def __init__(self, key_log: Path) -> None:
        """Shake hands; the secrets are appended to ``key_log``."""
        self.writes: list[Write] = []
        contexts = [
            ssl.SSLContext(role) for role in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER)
        ]
        for context in contexts:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers("AECDH-AES256-SHA:@SECLEVEL=0")
        contexts[0].keylog_filename = str(key_log)
        self._in = (ssl.MemoryBIO(), ssl.MemoryBIO())
        self._out = (ssl.MemoryBIO(), ssl.MemoryBIO())
        self._ends = [
            context.wrap_bio(self._in[side], self._out[side], server_side=side == 1)
            for side, context in enumerate(contexts)
        ]
        waiting = {0, 1}
        while waiting:
            for side in sorted(waiting):
                with suppress(ssl.SSLWantReadError):
                    self._ends[side].do_handshake()
                    waiting.discard(side)
                self._pass(side)

    def client(self, data: bytes) -> Sealed:
        """Let the client write."""
        return self._write(0, data)

    def server(self, data: bytes) -> Sealed:
        """Let the server write."""
        return self._write(1, data)

    def _write(self, side: int, data: bytes) -> Sealed:
        self._ends[side].write(data)
        self._pass(side)
        return self

    def _pass(self, side: int) -> None:
        data = self._out[side].read()
        if data:
            self.writes.append((side == 0, data))
            self._in[1 - side].write(data)
