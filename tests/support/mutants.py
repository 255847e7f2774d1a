"""Captures with damage of the kinds that captures have, and of kinds that only an attacker makes.

The same seed gives the same mutants, so that one can be named and made again.
"""

from __future__ import annotations

import random  # noqa: TID251  (seeded: a run can be repeated)
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

WORDS = (
    b"\r\n", b"\r\n\r\n", b"\n\n", b"\r", b" ", b"\t", b'"', b"<", b">", b"&", b"&#x41;", b"\0",
    b"\xff", b"\xc3\xa9", b"SIP/2.0", b"SIP/2.0 200 OK\r\n", b"INVITE sip:a@b SIP/2.0\r\n",
    b"Content-Length: 5\r\n", b"l: 70000\r\n", b"Call-ID: x\r\n", b"Via: SIP/2.0/TCP a\r\n",
    b"<xccos/>", b"</cmd>", b"<![CDATA[", b"<!--", b"<?x?>", b" a='b'", b'<x:y xmlns:x="u"/>',
)  # fmt: skip
MOST = 40  # changes of one capture


class Mutant(NamedTuple):
    """A damaged capture."""

    name: str
    number: int
    data: bytes
    chunk: int
    """Bytes that are to be fed at a time."""


def mutants(captures: Mapping[str, bytes], seed: int) -> Iterator[Mutant]:
    """Yield damaged captures without end."""
    draw = random.Random(seed)
    names = sorted(captures)
    number = 0
    while True:
        name = draw.choice(names)
        data = bytearray(captures[name])
        for _ in range(draw.choice((1, 1, 2, 4, 10, MOST))):
            _damage(data, draw)
        yield Mutant(name, number, bytes(data), draw.choice((777, 20_000, 1 << 18)))
        number += 1


def _damage(data: bytearray, draw: random.Random) -> None:
    kind, at = draw.random(), draw.randrange(len(data) + 1)
    if kind < 0.4 and at < len(data):
        data[at] = draw.randrange(256)
    elif kind < 0.5 and at < len(data):
        data[at] ^= 1 << draw.randrange(8)
    elif kind < 0.6:
        del data[at : at + draw.choice((1, 2, 4, 16, 100))]
    elif kind < 0.75:
        data[at:at] = draw.choice(WORDS)
    elif kind < 0.88:
        source, size = draw.randrange(len(data) + 1), draw.choice((1, 4, 16, 60, 300))
        data[at : at + size] = data[source : source + size]
    elif kind < 0.9:
        del data[at:]
    else:
        size = draw.choice((1, 2, 4))
        data[at : at + size] = bytes([draw.choice((0, 1, 10, 13, 0x7F, 0x80, 0xFF))]) * size
