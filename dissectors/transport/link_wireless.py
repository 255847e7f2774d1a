"""IEEE 802.11 data frames: where their LLC header begins, by dpkt.

The one rule: whatever dpkt raises on hostile bytes leaves here as ``struct.error``, the signal of
this stage for a header that cannot be read. dpkt is imported when the first such frame comes: the
import costs 80 ms, and hardly a capture of servers has one.
"""

from __future__ import annotations

import struct

# First byte of the frame control field: version, type and subtype (IEEE 802.11-2020 9.2.4.1.3).
_DATA, _QOS_DATA = 0x08, 0x88
_TYPES = {0x00: "802.11 management", 0x04: "802.11 control", 0x08: "802.11 without data"}

# Second byte of the frame control field
_MORE_FRAGMENTS, _PROTECTED, _ORDER = 0x04, 0x40, 0x80

_A_MSDU = 0x80  # in the first byte of the QoS control field
_FRAME_CONTROL_LENGTH = 4
_HT_CONTROL_LENGTH = 4


def payload_start(data: bytes, start: int) -> int | str:
    """Return where the LLC header of the frame at ``start`` begins, or what the frame is instead.

    Raises:
        IndexError, struct.error: The frame ends inside its header, or makes no sense.
    """
    kind, flags = data[start], data[start + 1]
    if kind not in (_DATA, _QOS_DATA):
        return _TYPES.get(kind & 0x0C, "802.11 extension")
    if flags & _PROTECTED:
        return "802.11 protected"
    if flags & _MORE_FRAGMENTS or data[start + 22] & 0x0F:
        return "802.11 fragment"
    payload = len(data) - _payload_length(data[start:])
    if kind == _QOS_DATA:
        if data[payload - 2] & _A_MSDU:
            return "802.11 aggregate"
        if flags & _ORDER:  # dpkt does not know the HT control field
            payload += _HT_CONTROL_LENGTH
    return payload


def _payload_length(frame: bytes) -> int:
    """Return the number of bytes after the 802.11 header, the frame check sequence included.

    The radiotap header is left to the caller (its length stands in it): dpkt walks through the
    fields, which fails for presence words that it does not know. What a frame check sequence adds
    at the end is removed by the length field of IP.
    """
    from dpkt.ieee80211 import IEEE80211

    try:
        return len(IEEE80211(frame).data)
    except Exception as error:  # dpkt raises whatever the bytes make it raise
        raise struct.error("802.11 header") from error
