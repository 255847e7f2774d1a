"""A capture that ``xccos merge`` wrote, taken apart again: one capture for each input of it.

The one rule: what was seen at several places must not look like retransmissions at one. Numbers of
frames stay those of the merged file, and so do times, which were corrected when it was written.
"""

from __future__ import annotations

import tempfile
from array import array
from collections import Counter
from struct import Struct
from typing import IO, TYPE_CHECKING, NamedTuple

from dissectors.capture import blocks
from dissectors.capture.writer import IF_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MARK = "xccos merge"
"""How the name of the program begins that wrote such a file."""
MAX_PARTS = 255
_USER_APPLICATION = 4
_NAME_RESOLUTION = 4
_HEAD = Struct("<II").unpack_from
_UINT32 = Struct("<I").unpack_from
_SECTION = b"\x0a\x0d\x0d\x0a"
MAX_BLOCK = 128 << 20


class Part(NamedTuple):
    """One input of a merged file."""

    name: str
    file: IO[bytes]
    """A pcapng with its frames, open for reading; gone when it is closed."""
    numbers: array[int]
    """For each of its frames, the number in the merged file."""
    hosts: dict[str, str]
    """Names of machines by address."""


def is_merged(head: bytes) -> bool:
    """Tell whether a file begins like one that ``xccos merge`` wrote."""
    if head[:4] != _SECTION or head[8:12] != b"\x4d\x3c\x2b\x1a" or len(head) < 28:
        return False
    length = min(_HEAD(head)[1], len(head))
    for option in blocks.options("<", head[24 : length - 4]):
        if option is not None and option[0] == _USER_APPLICATION:
            return option[1].startswith(MARK.encode())
    return False


def parts_of(read: Callable[[int, int], bytes]) -> list[Part]:
    """Return the inputs of a merged file; ``read`` gives its bytes by offset and length.

    Frames of interfaces without a name belong to an input without one. Where the file is damaged,
    the parts end there.
    """
    taken = _TakenApart()
    for kind, block in _blocks(read):
        taken.block(kind, block)
    return taken.parts()


class _TakenApart:
    """Takes the blocks of a merged file."""

    def __init__(self) -> None:
        self._parts: dict[str, Part] = {}
        self._owners: list[tuple[Part, int]] = []
        """By interface: its part, and its number there."""
        self._counts: Counter[str] = Counter()
        self._hosts: dict[str, str] = {}
        self._section = b""
        self._number = 0

    def block(self, kind: int, block: bytes) -> None:
        """Take the next block."""
        if kind == blocks.SECTION_HEADER:
            self._section = self._section or block
        elif kind == blocks.INTERFACE_DESCRIPTION:
            self._interface(block)
        elif kind == blocks.ENHANCED_PACKET:
            self._packet(block)
        elif kind == _NAME_RESOLUTION:
            self._hosts.update(_names(block[8:-4]))

    def parts(self) -> list[Part]:
        """Return the inputs, ready to be read."""
        for part in self._parts.values():
            part.file.flush()
            part.file.seek(0)
        return list(self._parts.values())

    def _interface(self, block: bytes) -> None:
        name = _name(block)
        part = self._parts.get(name)
        if part is None and len(self._parts) < MAX_PARTS:
            part = self._parts[name] = Part(name, _file(self._section), array("Q"), self._hosts)
        part = part or next(iter(self._parts.values()))
        self._owners.append((part, self._counts[part.name]))
        self._counts[part.name] += 1
        part.file.write(block)

    def _packet(self, block: bytes) -> None:
        self._number += 1
        interface = _UINT32(block, 8)[0]
        if interface < len(self._owners):
            part, own = self._owners[interface]
            part.file.write(block[:8] + Struct("<I").pack(own) + block[12:])
            part.numbers.append(self._number)


def _file(section: bytes) -> IO[bytes]:
    """Return a temporary file without a name, which begins with the head of the section."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  (closed by whoever reads it)
    file.write(section)
    return file


def _blocks(read: Callable[[int, int], bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the blocks of a little-endian section, each with its kind."""
    at = 0
    while len(head := read(at, 8)) == 8:
        kind, length = _HEAD(head)
        if not 12 <= length <= MAX_BLOCK or length % 4:
            return
        block = read(at, length)
        if len(block) < length:
            return
        at += length
        yield kind, block


def _name(block: bytes) -> str:
    for option in blocks.options("<", block[16:-4]):
        if option is not None and option[0] == IF_NAME:
            return option[1].decode("utf-8", "replace")
    return ""


def _names(body: bytes) -> Iterator[tuple[str, str]]:
    """Yield address and name of each record of a name resolution block."""
    from ipaddress import ip_address

    sizes = {1: 4, 2: 16}
    for option in blocks.options("<", body):
        if option is None or option[0] not in sizes:
            continue
        size = sizes[option[0]]
        if len(option[1]) > size:
            name = option[1][size:].split(b"\0")[0].decode("utf-8", "replace")
            yield str(ip_address(option[1][:size])), name
