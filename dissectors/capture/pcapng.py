"""The block-structured capture file, ``pcapng`` (draft-ietf-opsawg-pcapng).

The one rule: a block whose two lengths agree is whole, so what is wrong inside it costs that block
alone; where the lengths are wrong, the next block cannot be found and reading stops.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from dissectors.capture import blocks
from dissectors.capture.blocks import Interface, Packet, read_interface, read_packet
from dissectors.capture.records import MAX_FRAME, RecordReader
from dissectors.model import Frame, Malformed

MAX_BLOCK = MAX_FRAME + (1 << 20)
"""Length of one block: the largest frame, and room for its options."""
MAX_INTERFACES = 1 << 16
"""Interfaces of one section. The obsolete packet block counts them in 16 bits; merged files have
thousands at most."""
MAX_SECRETS = 16 << 20
"""Bytes of key logs that are kept. A line has about 200 bytes: 80,000 TLS sessions."""
MAX_PROBLEMS = 100
"""Blocks that are reported one by one; more are counted, and reported as one number at the end."""
LAST_TIME = 2**63 - 1
"""Times are kept in 64 signed bits of nanoseconds: 2262-04-11. Later ones (always nonsense, but 64
bits of microseconds can say it) become this."""

SMALLEST_BLOCK = 12
_SECTION_MAGIC = blocks.SECTION_HEADER.to_bytes(4, "big")
_PACKET_HEADER = 28  # of an enhanced packet: type, length, interface, time, two lengths
_PACKET_BLOCK = 32  # with the second block length


class _Layout:
    """The structures of one byte order."""

    __slots__ = ("order", "packet", "two", "word")

    def __init__(self, order: str) -> None:
        self.order = order
        self.word = Struct(order + "I")
        self.two = Struct(order + "II")
        self.packet = Struct(order + "7I")  # type, length, interface, time, captured, wire


_LAYOUTS = {order: _Layout(order) for order in "<>"}


class _Clock(NamedTuple):
    """What a frame needs of its interface, worked out once."""

    link: int
    digits: int
    multiplier: int
    divisor: int
    shift: int
    snaplen: int

    @classmethod
    def of(cls, interface: Interface) -> _Clock:
        return cls(
            interface.link,
            interface.digits,
            *interface.scale,
            interface.shift,
            interface.snaplen,
        )


class PcapngReader(RecordReader):
    """Bytes of a pcapng file in, frames out; frames are numbered on over all sections."""

    __slots__ = ("_clocks", "_kept", "_layout", "_problems", "secrets")

    def __init__(self) -> None:
        super().__init__()
        self._need = SMALLEST_BLOCK
        self.secrets: list[bytes] = []
        """TLS key logs found so far, ``MAX_SECRETS`` bytes at most."""
        self._kept = 0  # bytes of them
        self._layout: _Layout | None = None  # of the section; None before the first
        self._clocks: list[_Clock] = []  # by interface number of the section
        self._problems = 0

    def close(self) -> list[Frame | Malformed]:
        """Say that the file ends here; return what is to be said about its end."""
        out = super().close()
        if self._problems > MAX_PROBLEMS:
            more = self._problems - MAX_PROBLEMS
            out.append(Malformed("capture", f"{more} more blocks could not be used"))
            self._problems = 0
        return out

    def _scan(self, data: bytes, at: int, out: list[Frame | Malformed]) -> int:
        while True:
            if self._layout is not None:
                at = self._packets(self._layout, data, at, out)
            after = self._block(data, at, out)
            if after == at:
                return at
            at = after

    def _packets(self, layout: _Layout, data: bytes, at: int, out: list[Frame | Malformed]) -> int:
        """Read enhanced packet blocks, up to whatever is not a plain and whole one."""
        unpack, word = layout.packet.unpack_from, layout.word.unpack_from
        clocks, number, base = self._clocks, self._number, self._base
        known, packet, longest = len(clocks), blocks.ENHANCED_PACKET, MAX_BLOCK
        append, new = out.append, tuple.__new__  # Frame(...) takes twice the time
        size = len(data)
        last = size - _PACKET_BLOCK
        while at <= last:
            kind, length, interface, high, low, captured, wire = unpack(data, at)
            end = at + length
            if (
                kind != packet
                or end > size
                or captured > length - _PACKET_BLOCK
                or interface >= known
                or length > longest
                or word(data, end - 4)[0] != length
            ):
                break
            link, digits, multiplier, divisor, shift, _ = clocks[interface]
            time = (high << 32 | low) * multiplier // divisor + shift
            if time > LAST_TIME:
                time = LAST_TIME
            start = at + _PACKET_HEADER
            frame = data[start : start + captured]
            number += 1
            if wire < captured:
                wire = captured
            append(new(Frame, (number, time, digits, link, frame, base + start, wire)))
            at = end
        self._number = number
        return at

    def _block(self, data: bytes, at: int, out: list[Frame | Malformed]) -> int:
        """Read one block of any type; return where it ends.

        Returns ``at`` when it cannot be read: with ``_need`` set when bytes are missing, else
        ``stopped``.
        """
        self._need = SMALLEST_BLOCK
        if len(data) - at < SMALLEST_BLOCK:
            return at
        where = self._base + at
        layout = self._layout
        if data[at : at + 4] == _SECTION_MAGIC:
            order = blocks.BYTE_ORDERS.get(data[at + 8 : at + 12])
            layout = None if order is None else _LAYOUTS[order]
        if layout is None:
            self._stop(out, f"there is no valid section header at byte {where}", where)
            return at
        kind, length = layout.two.unpack_from(data, at)
        if not SMALLEST_BLOCK <= length <= MAX_BLOCK:
            self._stop(out, f"the block at byte {where} claims a length of {length} bytes", where)
            return at
        end = self._end(layout, data, at, length)
        if end > len(data):
            self._need = end - at
            return at
        if end == at:
            self._stop(out, f"the two lengths of the block at byte {where} differ", where)
            return at
        self._take(layout, kind, data[at + 8 : at + length - 4], where, out)
        return at if self.stopped else end

    @staticmethod
    def _end(layout: _Layout, data: bytes, at: int, length: int) -> int:
        """Return where a block ends, ``at`` when its second length is not equal to the first.

        A length is a multiple of 4. Writers are known that leave the padding out of the length
        while it is in the block; a block without any padding is read too.
        """
        for end in {at + length: None, at + (length + 3 & ~3): None}:
            if end > len(data) or layout.word.unpack_from(data, end - 4)[0] == length:
                return end
        return at

    def _take(
        self, layout: _Layout, kind: int, body: bytes, where: int, out: list[Frame | Malformed]
    ) -> None:
        """Use the body of a whole block; blocks of unknown types are passed over."""
        match kind:
            case blocks.SECTION_HEADER:
                self._section(layout, body, where, out)
            case blocks.INTERFACE_DESCRIPTION:
                self._interface(layout, body, where, out)
            case blocks.ENHANCED_PACKET | blocks.OBSOLETE_PACKET | blocks.SIMPLE_PACKET:
                self._number += 1
                self._packet(read_packet(kind, layout.order, body), body, where, out)
            case blocks.DECRYPTION_SECRETS:
                self._secret(layout, body, where, out)
            case blocks.CUSTOM | blocks.CUSTOM_DO_NOT_COPY | blocks.SYSTEMD_JOURNAL:
                # Wireshark lists these as records of their own. They take a number here too, so
                # that a frame has the number that the engineer sees there.
                self._number += 1
            case _:
                pass

    def _section(
        self, layout: _Layout, body: bytes, where: int, out: list[Frame | Malformed]
    ) -> None:
        if len(body) < blocks.SECTION_HEADER_BODY:
            self._stop(out, f"the section header at byte {where} is too short", where)
            return
        major = body[4:6] if layout.order == ">" else body[5:3:-1]
        if major != b"\0\1":
            version = int.from_bytes(major, "big")
            self._stop(out, f"the section at byte {where} is of pcapng version {version}", where)
            return
        self._layout = layout
        self._clocks = []

    def _interface(
        self, layout: _Layout, body: bytes, where: int, out: list[Frame | Malformed]
    ) -> None:
        if len(body) < blocks.INTERFACE_BODY:
            self._stop(out, f"the interface description at byte {where} is too short", where)
            return
        if len(self._clocks) >= MAX_INTERFACES:
            self._stop(out, f"there are more than {MAX_INTERFACES} interfaces", where)
            return
        interface, whole = read_interface(layout.order, body)
        self._clocks.append(_Clock.of(interface))
        if not whole:
            name = len(self._clocks) - 1
            self._problem(out, f"the options of interface {name} are damaged", None, where)

    def _packet(
        self, packet: Packet | None, body: bytes, where: int, out: list[Frame | Malformed]
    ) -> None:
        number = self._number
        if packet is None:
            self._problem(out, "the packet block is too short", number, where)
            return
        if packet.interface >= len(self._clocks):
            reason = f"the packet names interface {packet.interface}, which is not described"
            self._problem(out, reason, number, where)
            return
        clock = self._clocks[packet.interface]
        captured = packet.captured
        if captured is None:  # a simple packet: as much as the snap length let through
            captured = min(packet.wire, clock.snaplen or packet.wire, len(body) - packet.start)
        if captured > len(body) - packet.start:
            reason = f"the packet claims {captured} captured bytes, more than its block has"
            self._problem(out, reason, number, where)
            return
        time = 0
        if packet.ticks is not None:
            time = packet.ticks * clock.multiplier // clock.divisor + clock.shift
        start = packet.start
        out.append(
            Frame(
                number,
                min(time, LAST_TIME),
                clock.digits,
                clock.link,
                body[start : start + captured],
                where + 8 + start,
                max(packet.wire, captured),
            )
        )

    def _secret(
        self, layout: _Layout, body: bytes, where: int, out: list[Frame | Malformed]
    ) -> None:
        if len(body) < 8:
            self._problem(out, "the block of secrets is too short", None, where)
            return
        kind, length = layout.two.unpack_from(body)
        if kind != blocks.TLS_KEY_LOG:
            return
        secret = body[8 : 8 + length]
        if self._kept + len(secret) > MAX_SECRETS:
            self._problem(out, f"key logs beyond {MAX_SECRETS} bytes are not kept", None, where)
            return
        self._kept += len(secret)
        self.secrets.append(secret)

    def _problem(
        self, out: list[Frame | Malformed], reason: str, frame: int | None, where: int
    ) -> None:
        """Report a block that could not be used; reading goes on behind it."""
        self._problems += 1
        if self._problems <= MAX_PROBLEMS:
            out.append(Malformed("capture", reason, frame, where))

    def _unfinished(self) -> str:
        return f"the block at byte {self._fed - len(self._held)}"
