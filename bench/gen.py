"""Make a capture to measure with, and the counts that a reader of it must reproduce.

``python -m bench.gen dense OUT.pcap --size 50M``: nothing but SIP, one TCP connection a user.
``python -m bench.gen sparse OUT.pcap --size 1G --sip 0.02``: SIP is that share of the bytes, the
rest is TLS, QUIC and DNS.
``python -m bench.gen giant OUT.pcap --size 50M``: all users over one connection, whose sequence
numbers wrap. Each writes ``OUT.pcap.truth.json``; the same seed gives the same bytes.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import struct
import sys
from pathlib import Path

from bench.captures import parse_size, truth_of
from bench.frames import MSS, Connection, PcapWriter, Peer, Truth, datagram, ethernet
from bench.sip import Sent, User

SIP_PORT = 5060
COALESCED = 0.15  # share of the writes that hold two messages
ACTIVE = {"dense": 400, "sparse": 60, "giant": 400}  # users at the same time, at most
VISIT = 40_000  # bytes that a visit takes on the average; small captures get fewer users at a time
SERVER = (bytes((10, 0, 0, 10)), bytes.fromhex("fd00" + "00" * 13 + "10"))
PROXY = bytes((10, 0, 0, 9))  # the other end of the one connection of a giant capture


class Users:
    """Many visits at once, one write after the other in a random order.

    ``shared`` is the connection that all of them use; without it each has one of its own.
    """

    def __init__(self, out: PcapWriter, active: int, shared: Connection | None = None) -> None:
        self._out, self._wanted, self._shared = out, active, shared
        self._made = 0
        self._active: list[tuple[list[Sent], Connection]] = []

    def step(self) -> None:
        """Let one user write once, after filling up the number of users."""
        while len(self._active) < self._wanted:
            self._active.append(self._enter())
        self._write(self._out.rng.randrange(len(self._active)))

    def finish(self) -> None:
        """Let everybody who is there end the visit."""
        while self._active:
            self._write(self._out.rng.randrange(len(self._active)))

    def _enter(self) -> tuple[list[Sent], Connection]:
        self._made += 1
        connection = self._shared or self._connect(self._made)
        told = list(User(self._made, self._out.rng, self._out.truth).messages())
        return told[::-1], connection

    def _connect(self, number: int) -> Connection:
        ipv6 = number % 20 == 0
        suffix = struct.pack("!HI", 1, number)
        client = (
            SERVER[1][:10] + suffix if ipv6 else bytes((10, 1 + (number >> 16 & 63))) + suffix[-2:]
        )
        ends = (Peer(client, 1024 + number * 7919 % 60_000), Peer(SERVER[ipv6], SIP_PORT))
        connection = Connection(self._out, ends, vlan=number % 50 == 7)
        connection.open()
        return connection

    def _write(self, index: int) -> None:
        told, connection = self._active[index]
        if not told:
            if connection is not self._shared:
                connection.close()
            self._active[index] = self._active[-1]
            self._active.pop()
            return
        direction, data = told.pop()
        if told and told[-1][0] == direction and self._out.rng.random() < COALESCED:
            data += told.pop()[1]
        connection.send(direction, data)


class Noise:
    """TLS downloads, QUIC and DNS, cut from a pool of random bytes that is made once."""

    FLOWS = 200
    POOL = 1 << 20

    def __init__(self, out: PcapWriter) -> None:
        self._out = out
        pool = bytearray()
        while len(pool) < self.POOL:
            length = out.rng.choice((300, 1200, 4000, 16_384))
            pool += b"\x17\x03\x03" + struct.pack("!H", length) + out.rng.randbytes(length)
        self._pool = bytes(pool)
        self._seq = [out.rng.getrandbits(31) for _ in range(self.FLOWS)]

    def step(self) -> None:
        """Write a burst of one TLS flow, or one datagram."""
        rng = self._out.rng
        flow = rng.randrange(self.FLOWS)
        if rng.random() < 0.72:
            for _ in range(rng.randint(1, 8)):
                self._tls(flow)
            return
        length = rng.choice((60, 200, 1200, 1350))
        start = rng.randrange(self.POOL - length)
        client = Peer(bytes((10, 99, 0, flow)), 30_000 + flow)
        server = Peer(bytes((192, 0, 2, 7)), 443 if length > 300 else 53)
        self._out.write(datagram(client, server, self._pool[start : start + length]))

    def _tls(self, flow: int) -> None:
        start = self._seq[flow] % (self.POOL - MSS)
        head = struct.pack(
            "!HHIIBBHHH", 443, 20_000 + flow, self._seq[flow], 1, 0x50, 0x10, 512, 0, 0
        )
        packet = head + self._pool[start : start + MSS]
        self._seq[flow] = (self._seq[flow] + MSS) & 0xFFFFFFFF
        self._out.write(ethernet(bytes((192, 0, 2, 9)), bytes((10, 99, 0, flow)), 6, packet))


def generate(path: Path, mode: str, size: int, share: float = 0.02, seed: int = 1) -> Truth:
    """Write a capture of about ``size`` bytes and its truth file; return the truth."""
    with path.open("wb", buffering=1 << 20) as file:
        out = PcapWriter(file, random.Random(seed))
        shared = _proxied(out, size) if mode == "giant" else None
        users = Users(out, min(ACTIVE[mode], 1 + size // (4 * VISIT)), shared)
        if mode == "sparse":
            _mix(out, users, size, share)
        else:
            while out.truth.bytes < size:
                users.step()
        users.finish()
        if shared:
            shared.close()
    truth = {**dataclasses.asdict(out.truth), "mode": mode}
    truth_of(path).write_text(json.dumps(truth, indent=1) + "\n")
    return out.truth


def _proxied(out: PcapWriter, size: int) -> Connection:
    """Open the one connection; its sequence numbers wrap when a fifth of the bytes is written."""
    ends = (Peer(PROXY, 45_678), Peer(SERVER[0], SIP_PORT))
    connection = Connection(out, ends, start=(1 << 32) - size // 10)
    connection.open()
    return connection


def _mix(out: PcapWriter, users: Users, size: int, share: float) -> None:
    noise = Noise(out)
    sip = 0
    while out.truth.bytes < size:
        while sip <= share * out.truth.bytes:
            before = out.truth.bytes
            users.step()
            sip += out.truth.bytes - before
        noise.step()


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description="make a capture to measure with")
    parser.add_argument("mode", choices=tuple(ACTIVE))
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=parse_size, default=parse_size("50M"))
    parser.add_argument("--sip", type=float, default=0.02, help="share of the bytes (sparse)")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    truth = generate(asked.out, asked.mode, asked.size, asked.sip, asked.seed)
    sys.stdout.write(json.dumps(dataclasses.asdict(truth)) + "\n")


if __name__ == "__main__":
    main()
