"""Exported PDUs (LINKTYPE_WIRESHARK_UPPER_PDU): tagged addresses, and what a protocol was given.

Written by "Export PDUs to File" of Wireshark and ``tshark -U``, by programs that have messages and
no packets, and by this one for text traces. The tags are those of Wireshark's
``epan/exported_pdu.h``.

The one rule: what a PDU is, its tags say, never its bytes; what they do not say is a zero address.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from dissectors.model import reversed_key

if TYPE_CHECKING:
    from dissectors.model import Datagram

UPPER_PDU = 252
"""LINKTYPE_ number, see tcpdump.org/linktypes.html."""

END = 0
PROTOCOL, HEURISTIC, TABLE = 12, 13, 14
IPV4_SOURCE, IPV4_TARGET, IPV6_SOURCE, IPV6_TARGET = 20, 21, 22, 23
PORT_TYPE, SOURCE_PORT, TARGET_PORT = 24, 25, 26
ORIGINAL_FRAME = 30
TABLE_VALUE = 32
COLUMN = 33
TCP_INFO = 34
PORT_TCP, PORT_UDP = 2, 3  # EXP_PDU_PT_TCP, EXP_PDU_PT_UDP

# Wireshark writes a dozen; a hostile frame could have sixteen thousand to a packet.
MAX_TAGS = 128
# Names of dissectors are short, and they are shown.
MAX_NAME = 32
# In what Wireshark writes the first message stands right behind its record; a record is no larger
# than 16 KiB, and so many of them fit into a tenth of what a capture costs.
MAX_HELD = 64
# Directions of which it is remembered that they are TLS, at 100 bytes each.
MAX_TLS = 1 << 14

_TAG = Struct("!HH").unpack_from
_U32 = Struct("!I").unpack_from
# EXP_PDU_TAG_TCP_INFO_DATA: version, seq, next seq, ack, "reassembled", flags, urgent pointer.
# The sequence numbers are those of the payload's first byte, also where it was reassembled.
_TCP_INFO = Struct("!HI4xIxH").unpack_from

_NO_ADDRESS = bytes(4)
_ADDRESSES = {IPV4_SOURCE: 4, IPV4_TARGET: 4, IPV6_SOURCE: 16, IPV6_TARGET: 16}
_SIP = frozenset(("sip", "sip_udp"))  # sip_tcp, sip_udp: Wireshark's names of the heuristics
_SIP_STREAM = frozenset(("sip.tcp", "sip_tcp"))
# Dissectors that take a packet, and what begins it.
_PACKETS = {
    "ip": "ip",
    "ipv4": "ip",
    "ipv6": "ip",
    "eth": "ethernet",
    "eth_maybefcs": "ethernet",
    "eth_withfcs": "ethernet",
    "eth_withoutfcs": "ethernet",
}
# Dissector tables by port: what they give is the payload of a segment or of a datagram.
_PORT_TABLES = {"tcp.port": "segment", "udp.port": "datagram"}


class Pdu(NamedTuple):
    """What the tags of a PDU say."""

    kind: str
    """``message`` (SIP), ``stream`` (SIP, repeated message by message where it was TLS), ``ip`` or
    ``ethernet`` (a packet), ``segment`` or ``datagram`` (the payload of one), or ``other``."""
    name: str
    """Of the dissector or the dissector table."""
    key: bytes
    """Addresses and ports as in ``dissectors.model.Segment``; zero where they are not said."""
    transport: str
    start: int
    """Where the PDU begins behind its tags."""
    tcp: tuple[int, int, int] | None
    """Sequence number, acknowledgement number and flags of the segment."""


def read_pdu(data: bytes) -> Pdu | str:
    """Read the tags of a frame, or say why they are damaged.

    Raises:
        IndexError, struct.error: The bytes end inside the tags.
    """
    tags: dict[int, bytes] = {}
    start = 0
    for _ in range(MAX_TAGS):
        tag, length = _TAG(data, start)
        start += 4
        value = data[start : start + length]
        start += length
        if tag == END:
            break
        if len(value) < length:
            raise IndexError("the bytes end inside the tags")
        # The first of a kind, as in every field of a packet that may stand once
        tags.setdefault(tag, value)
    else:
        return "more tags than an exported PDU has"
    kind, name = _kind(tags)
    return Pdu(kind, name, _key(tags), _transport(tags, name), start, _tcp(tags))


def _kind(tags: dict[int, bytes]) -> tuple[str, str]:
    for tag in (PROTOCOL, HEURISTIC):
        name = _text(tags.get(tag, b""))
        if name in _SIP:
            return "message", name
        if name in _SIP_STREAM:
            return "stream", name
        if name:
            return _PACKETS.get(name, "other"), name
    name = _text(tags.get(TABLE, b""))
    return _PORT_TABLES.get(name, "other"), name or "without a name"


def _text(value: bytes) -> str:
    """Return a padded name; of what is no name, what can be shown."""
    name = value.partition(b"\0")[0][:MAX_NAME].decode("latin-1")
    return name if name.isprintable() else ascii(name)[1:-1]


def _key(tags: dict[int, bytes]) -> bytes:
    ports = b"".join(_port(tags.get(tag, b"")) for tag in (SOURCE_PORT, TARGET_PORT))
    known = {
        tag: value for tag in _ADDRESSES if len(value := tags.get(tag, b"")) == _ADDRESSES[tag]
    }
    if IPV4_SOURCE in known or IPV4_TARGET in known:
        source, target, none = IPV4_SOURCE, IPV4_TARGET, _NO_ADDRESS
    elif known:
        source, target, none = IPV6_SOURCE, IPV6_TARGET, bytes(16)
    else:
        return 2 * _NO_ADDRESS + ports
    return known.get(source, none) + known.get(target, none) + ports


def _port(value: bytes) -> bytes:
    """Return the two bytes of a port, which stands in four."""
    return value[2:4] if len(value) == 4 else b"\0\0"


def _transport(tags: dict[int, bytes], name: str) -> str:
    """Return how a PDU travelled; of TLS Wireshark says that it was TCP."""
    if _text(tags.get(COLUMN, b"")) == "TLS":
        return "tls"
    kind = tags.get(PORT_TYPE, b"")
    stream = len(kind) == 4 and _U32(kind)[0] == PORT_TCP
    return "tcp" if stream or name in _SIP_STREAM else "udp"


def _tcp(tags: dict[int, bytes]) -> tuple[int, int, int] | None:
    info = tags.get(TCP_INFO, b"")
    if len(info) < 19:
        return None
    version, seq, ack, flags = _TCP_INFO(info)
    return (seq, ack, flags) if version == 1 else None


class Repeats:
    """What was exported as a stream of SIP (``sip.tcp``), and may have been exported again.

    Of SIP over TLS Wireshark 4.0 exports first what a record carries, named ``sip.tcp`` and at
    times before it is complete, then each message of it, named ``sip``. The records are therefore
    held until a message shows that they are repeated; where none does they are all there is.
    """

    def __init__(self) -> None:
        self._held: list[Datagram] = []
        self._tls: set[bytes] = set()
        self._repeated: bool | None = None
        """Whether streams are repeated; None while that is not known."""

    @property
    def oldest(self) -> int | None:
        """The frame of the first record that is held."""
        return self._held[0].frame if self._held else None

    def message(self, item: Datagram) -> tuple[Datagram, int]:
        """Return a message, and how many records are now known to repeat it."""
        repeats = len(self._held)
        self._held.clear()
        if self._repeated is None:
            self._repeated = True
        if item.key in self._tls or reversed_key(item.key) in self._tls:
            item = item._replace(transport="tls")
        return item, repeats

    def stream(self, item: Datagram) -> bool:
        """Take a record; tell whether it is known to be repeated."""
        if len(self._tls) < MAX_TLS:
            self._tls.add(item.key)
        if self._repeated:
            return True
        self._held.append(item._replace(transport="tls", whole=False))
        if len(self._held) > MAX_HELD:
            self._repeated = False
        return False

    def take(self, *, end: bool = False) -> list[Datagram]:
        """Return the records that nothing repeats; at the ``end`` all that are held."""
        if not end and self._repeated is not False:
            return []
        found = self._held
        self._held = []
        return found
