"""Exported PDUs (LINKTYPE_WIRESHARK_UPPER_PDU): how a message that has no packets becomes a frame.

The one rule: Wireshark must read it. The tags are those of its ``epan/exported_pdu.h``, each padded
to four bytes as its own export does; ``dissectors.transport.pdus`` is the reader.
"""

from __future__ import annotations

from struct import Struct

UPPER_PDU = 252
"""LINKTYPE_ number of such frames, see tcpdump.org/linktypes.html."""

_PROTOCOL = 12
_ADDRESSES = {4: (20, 21), 16: (22, 23)}
_PORT_TYPE, _SOURCE_PORT, _TARGET_PORT = 24, 25, 26
_ORIGINAL_FRAME, _COLUMN = 30, 33
_PORT_TYPES = {"tcp": 2, "tls": 2, "udp": 3}
_END = bytes(4)
_TAG = Struct("!HH").pack
_U32 = Struct("!I").pack
_UINT32 = 2**32


def pdu(
    data: bytes, key: bytes, transport: str, *, frame: int | None = None, protocol: str = "sip"
) -> bytes:
    """Return the data of a frame that carries ``data`` as an exported PDU.

    Args:
        data: a whole message.
        key: addresses and ports as in ``dissectors.model.Segment``, 12 or 36 bytes.
        transport: ``udp``, ``tcp`` or ``tls``. Wireshark has no port type for TLS: it is TCP with
            "TLS" in the protocol column.
        frame: number of the frame, or of the record, that the message comes from.
        protocol: Wireshark's name of the dissector.

    Raises:
        ValueError: The key or the transport is none.
    """
    size = (len(key) - 4) // 2
    if len(key) not in (12, 36):
        raise ValueError(f"a key of {len(key)} bytes")
    if transport not in _PORT_TYPES:
        raise ValueError(f"no transport is called {transport!r}")
    source, target = _ADDRESSES[size]
    parts = [
        _tag(_PROTOCOL, protocol.encode()),
        _tag(source, key[:size]),
        _tag(target, key[size : 2 * size]),
        _tag(_PORT_TYPE, _U32(_PORT_TYPES[transport])),
        _tag(_SOURCE_PORT, bytes(2) + key[-4:-2]),
        _tag(_TARGET_PORT, bytes(2) + key[-2:]),
    ]
    if frame is not None:
        parts.append(_tag(_ORIGINAL_FRAME, _U32(frame % _UINT32)))
    if transport == "tls":
        parts.append(_tag(_COLUMN, b"TLS"))
    return b"".join([*parts, _END, data])


def _tag(tag: int, value: bytes) -> bytes:
    value += bytes(-len(value) % 4)
    return _TAG(tag, len(value)) + value
