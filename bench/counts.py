"""How many messages a program has found, counted in what it prints.

Each function reads its stream to the end and holds no more than a line or a block of it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    Counter = Callable[[BinaryIO], int]

BLOCK = 1 << 20
METHOD, STATUS = 4, 5  # their places among the ten fields
JSON_LAYER = b'        "sip": {'  # the depth of a layer; a frame with two messages has two
TRIAGE = re.compile(rb"([0-9,]+) SIP messages?\b")
NUMBER = re.compile(rb"[0-9]+")


def drain(stream: BinaryIO) -> int:
    """Return the number of bytes."""
    return sum(map(len, iter(lambda: stream.read(BLOCK), b"")))


def lines(stream: BinaryIO) -> int:
    """Return the number of lines: one a message."""
    return sum(block.count(b"\n") for block in iter(lambda: stream.read(BLOCK), b""))


def triage(stream: BinaryIO) -> int:
    """Return the number in the head of the report."""
    return sum(int(found.replace(b",", b"")) for found in TRIAGE.findall(stream.read()))


def tshark_fields(stream: BinaryIO) -> int:
    """Return the number of messages: a frame with several has their values joined by commas."""
    found = 0
    for line in stream:
        columns = line.split(b"\t")
        found += sum(1 + columns[i].count(b",") for i in (METHOD, STATUS) if columns[i])
    return found


def tshark_json(stream: BinaryIO) -> int:
    """Return the number of SIP layers."""
    return sum(line.startswith(JSON_LAYER) for line in stream)


def tshark_ek(stream: BinaryIO) -> int:
    """Return the number of messages: a frame with several has a list of them."""
    return sum(_layers(line) for line in stream if not line.startswith(b'{"index"'))


def _layers(line: bytes) -> int:
    layers = json.loads(line)["layers"].get("sip")
    return len(layers) if isinstance(layers, list) else 1


def last_number(stream: BinaryIO) -> int:
    """Return the last number: so sngrep tells its dialogs, and the loops what they found."""
    numbers = NUMBER.findall(stream.read())
    return int(numbers[-1]) if numbers else 0
