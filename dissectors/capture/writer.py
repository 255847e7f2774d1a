"""Frames to capture files: the inverse of the readers.

The one rule: ``read(write(frames)) == frames`` in everything but the offsets, as far as the format
can say it: times that the unit of the file cannot hold are rounded down. ``PcapStream`` and
``PcapngStream`` give the bytes frame by frame, so that a long file is never held.

Frames that a format cannot hold at all raise ``ValueError``: unlike what is read, what is written
is in the caller's hands.
"""

from __future__ import annotations

from ipaddress import ip_address
from struct import Struct
from typing import TYPE_CHECKING

from dissectors.capture import blocks
from dissectors.capture.blocks import Interface
from dissectors.capture.pcap import COMMON_SNAPLEN, FILE_HEADER, NANOSECONDS, VARIANTS, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dissectors.model import Frame

_UINT16 = 2**16 - 1
_UINT32 = 2**32
_UINT64 = 2**64
COMMENT = 1
"""Code of the option ``opt_comment``, which any block may have."""
IF_NAME = 2
"""Code of the option ``if_name`` of an interface."""
_NAME_RESOLUTION, _IPV4_NAME, _IPV6_NAME = 4, 1, 2
_USER_APPLICATION = 4  # shb_userappl: the program that wrote a section
MAX_COMMENT = 4096
"""Bytes of one comment of ours. The format has room for 65,535, but people read it in one line."""
MAX_COMMENTS = 32
"""Comments of one frame: a proxied message may be cited by many findings."""
# Of frames from before 1970: far enough for every time that is kept in 64 bits.
_BEFORE_1970 = -(2**63 // NANOSECONDS)


def write_pcap(
    frames: Iterable[Frame],
    *,
    link: int,
    nanoseconds: bool = False,
    big_endian: bool = False,
    snaplen: int = COMMON_SNAPLEN,
) -> bytes:
    """Return a pcap file of ``frames``, in microseconds unless ``nanoseconds``.

    Raises ``ValueError`` for a frame of another link type, or a time outside of 1970 to 2106.
    """
    stream = PcapStream(link, nanoseconds=nanoseconds, big_endian=big_endian, snaplen=snaplen)
    return b"".join([stream.header(), *map(stream.frame, frames)])


class PcapStream:
    """A pcap file, frame by frame."""

    def __init__(
        self,
        link: int,
        *,
        nanoseconds: bool = False,
        big_endian: bool = False,
        snaplen: int = COMMON_SNAPLEN,
    ) -> None:
        """Write in microseconds unless ``nanoseconds``."""
        order, digits = "<>"[big_endian], 9 if nanoseconds else 6
        magic, variant = next(
            (magic, variant)
            for magic, variant in VARIANTS.items()
            if variant.order == order and variant.digits == digits
        )
        self._link = link
        header = Struct(order + FILE_HEADER)
        self._header = magic + header.pack(0, *VERSION, 0, 0, snaplen, link)[4:]
        self._pack, self._unit = Struct(order + variant.record).pack, 10 ** (9 - digits)

    def header(self) -> bytes:
        """Return the file header."""
        return self._header

    def frame(self, frame: Frame) -> bytes:
        """Return the record of a frame.

        Raises ``ValueError`` for another link type, or a time outside of 1970 to 2106.
        """
        if frame.link != self._link:
            raise ValueError(f"frame {frame.number} has link type {frame.link}, not {self._link}")
        seconds, fraction = divmod(frame.time_ns, NANOSECONDS)
        if not 0 <= seconds < _UINT32:
            raise ValueError(f"the time of frame {frame.number} does not fit into a pcap file")
        head = self._pack(seconds, fraction // self._unit, len(frame.data), frame.wire_length)
        return head + frame.data


def write_pcapng(
    frames: Iterable[Frame],
    *,
    interfaces: Sequence[Interface] | None = None,
    big_endian: bool = False,
    simple: bool = False,
) -> bytes:
    """Return a pcapng file of one section; several of them put together are a file as well.

    A frame goes to the first of ``interfaces`` that has its link type and digits; by default there
    is one for each such pair. With ``simple``, frames of the first interface that have no time
    become simple packet blocks, where the snap length explains their captured length.

    Raises ``ValueError`` for a frame that fits no interface, or whose time does not fit.
    """
    frames = list(frames)
    if interfaces is None:
        pairs = dict.fromkeys((frame.link, frame.digits) for frame in frames)
        interfaces = [Interface(link, 0, digits) for link, digits in pairs]
    order = "<>"[big_endian]
    parts = [
        _block(order, blocks.SECTION_HEADER, Struct(order + "IHHq").pack(0x1A2B3C4D, 1, 0, -1)),
        *(_interface(order, interface) for interface in interfaces),
    ]
    numbers: dict[tuple[int, int], int] = {}
    for number, interface in enumerate(interfaces):
        numbers.setdefault((interface.link, interface.digits), number)
    for frame in frames:
        chosen = numbers.get((frame.link, frame.digits))
        if chosen is None:
            raise ValueError(f"there is no interface for frame {frame.number}")
        interface = interfaces[chosen]
        if simple and chosen == 0 and _fits_simple(frame, interface):
            parts.append(_simple_packet(order, frame))
        else:
            parts.append(_enhanced_packet(order, frame, chosen, interface))
    return b"".join(parts)


class PcapngStream:
    """A pcapng file of one section, block by block, in little-endian order.

    There is an interface for each pair of link type and digits, described where it first comes.
    """

    def __init__(self) -> None:
        self._interfaces: dict[tuple[Interface, str], int] = {}

    @staticmethod
    def names(hosts: Mapping[str, str]) -> bytes:
        """Return a block of names of machines, by address as text: readers show them."""
        body = b""
        for address, name in hosts.items():
            packed = ip_address(address).packed
            told = packed + name.encode("utf-8", "replace")[: _UINT16 // 2] + b"\0"
            kind = _IPV4_NAME if len(packed) == 4 else _IPV6_NAME
            body += Struct("<HH").pack(kind, len(told)) + told + bytes(-len(told) % 4)
        return _block("<", _NAME_RESOLUTION, body + bytes(4))

    @staticmethod
    def header(program: str = "", comment: str = "") -> bytes:
        """Return the section header: which program wrote it, and what is in it."""
        told = _option(COMMENT, _text(comment)) if comment else b""
        told += _option(_USER_APPLICATION, _text(program)) if program else b""
        body = Struct("<IHHq").pack(0x1A2B3C4D, 1, 0, -1) + _ended(told)
        return _block("<", blocks.SECTION_HEADER, body)

    @staticmethod
    def secrets(key_log: bytes) -> bytes:
        """Return a block of TLS secrets: the text of an NSS key log; before the frames it opens."""
        head = Struct("<II").pack(blocks.TLS_KEY_LOG, len(key_log))
        return _block("<", blocks.DECRYPTION_SECRETS, head + key_log)

    def frame(
        self, frame: Frame, comments: Sequence[str | bytes] = (), interface_name: str = ""
    ) -> bytes:
        """Return the block of a frame, the description of its interface before it where it is new.

        Frames with different interface names never share an interface.

        Comments that are bytes were read from a capture, and stay as long as they are; of others
        ``MAX_COMMENT`` bytes are kept, and ``MAX_COMMENTS`` of all.
        """
        offset = 0 if frame.time_ns >= 0 else _BEFORE_1970
        interface = Interface(frame.link, 0, frame.digits, offset)
        known = interface, interface_name
        before, number = b"", self._interfaces.get(known)
        if number is None:
            number = self._interfaces[known] = len(self._interfaces)
            before = _interface("<", interface, interface_name)
        told = b"".join(_option(COMMENT, _text(one)) for one in comments[:MAX_COMMENTS])
        return before + _enhanced_packet("<", frame, number, interface, _ended(told))


def _text(text: str | bytes) -> bytes:
    """Return a comment as UTF-8; of ours at most ``MAX_COMMENT`` bytes."""
    if isinstance(text, bytes):
        # What is no UTF-8 becomes U+FFFD, which is longer.
        return _whole(text.decode("utf-8", "replace").encode(), _UINT16)
    return _whole(text.encode("utf-8", "backslashreplace"), MAX_COMMENT)


def _whole(data: bytes, limit: int) -> bytes:
    """Return at most ``limit`` bytes of UTF-8, without a part of a character at the end."""
    return data if len(data) <= limit else data[:limit].decode("utf-8", "ignore").encode()


def _option(code: int, value: bytes) -> bytes:
    return Struct("<HH").pack(code, len(value)) + value + bytes(-len(value) % 4)


def _ended(options: bytes) -> bytes:
    """Return options with the mark of their end; nothing where there are none."""
    return options + bytes(4) if options else b""


def _block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    pack = Struct(order + "I").pack
    length = pack(12 + len(body))
    return pack(kind) + length + body + length


def _interface(order: str, interface: Interface, name: str = "") -> bytes:
    body = Struct(order + "HHI").pack(interface.link, 0, interface.snaplen)
    written = _option(IF_NAME, _text(name)) if name else b""
    if interface.resolution != Interface(0).resolution:
        head = Struct(order + "HHB3x").pack(blocks.IF_TSRESOL, 1, interface.resolution)
        written += head
    if interface.offset:
        written += Struct(order + "HHq").pack(blocks.IF_TSOFFSET, 8, interface.offset)
    if written:
        written += bytes(4)  # the end of options
    return _block(order, blocks.INTERFACE_DESCRIPTION, body + written)


def _fits_simple(frame: Frame, interface: Interface) -> bool:
    captured = min(frame.wire_length, interface.snaplen or frame.wire_length)
    return frame.time_ns == 0 and len(frame.data) == captured


def _simple_packet(order: str, frame: Frame) -> bytes:
    body = Struct(order + "I").pack(frame.wire_length) + frame.data
    return _block(order, blocks.SIMPLE_PACKET, body)


def _enhanced_packet(
    order: str, frame: Frame, number: int, interface: Interface, options: bytes = b""
) -> bytes:
    ticks = _ticks(frame.time_ns - interface.shift, interface)
    if not 0 <= ticks < _UINT64:
        raise ValueError(f"the time of frame {frame.number} does not fit its interface")
    head = Struct(order + "IIIII").pack(
        number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame.data), frame.wire_length
    )
    data = frame.data + bytes(-len(frame.data) % 4) if options else frame.data
    return _block(order, blocks.ENHANCED_PACKET, head + data + options)


def _ticks(time_ns: int, interface: Interface) -> int:
    """Return the tick that a reader turns back into ``time_ns``, or the last one before it."""
    ticks = interface.ticks
    if ticks < NANOSECONDS:
        return time_ns * ticks // NANOSECONDS
    # Finer than nanoseconds: the first tick of that nanosecond, since readers round down.
    return -(-time_ns * ticks // NANOSECONDS)
