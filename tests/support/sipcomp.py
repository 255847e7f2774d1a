"""A sender of [MS-SIPCOMP], written from the text: RFC 2118 for the bits, and packets around them.

It shares nothing with the reader: it looks for matches in the bytes sent so far, and writes bits
one code at a time. How the header is laid out is a parameter, as no text at hand says it.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

NEGOTIATE = (
    b"NEGOTIATE sip:192.0.0.1:5061 SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.0.2:2616\r\n"
    b"CSeq: 1 NEGOTIATE\r\nCall-ID: 8d8b20f87c9c4221a732f3a70f57e9b8\r\n"
    b"From: <sip:192.0.0.2>;tag=984721fb59b64e45b469c91aba8a9f8f\r\nTo: <sip:192.0.0.1>\r\n"
    b"Compression: LZ77-8K\r\nMax-Forwards: 0\r\nContent-Length: 0\r\n\r\n"
)
"""[MS-SIPCOMP] 4.1; the copies of it have lost what stood in angle brackets."""
AGREED = (
    b"SIP/2.0 200 OK\r\nCompression: LZ77-8K\r\n"
    b"From: <sip:192.0.0.2>;tag=984721fb59b64e45b469c91aba8a9f8f\r\n"
    b"To: <sip:192.0.0.1>;tag=D76F601D7239923FBE84D78BF8821C85\r\n"
    b"Call-ID: 8d8b20f87c9c4221a732f3a70f57e9b8\r\nCSeq: 1 NEGOTIATE\r\n"
    b"Via: SIP/2.0/TLS 192.0.0.2:2616;ms-received-port=2616;ms-received-cid=545400\r\n"
    b"Content-Length: 0\r\n\r\n"
)
"""[MS-SIPCOMP] 4.2."""

FLUSHED, AT_FRONT, COMPRESSED = 8, 4, 2


class Header(NamedTuple):
    """How the header of a packet is written."""

    size: int = 6
    plain_at: int | None = 4
    """Where the length of the plain bytes stands; nowhere for None."""
    payload_at: int | None = 2
    width: int = 2
    order: Literal["big", "little"] = "big"
    whole: bool = False
    """The payload's length includes the header."""
    low: bool = False
    """The flags are the low four bits of the first byte."""

    def write(self, flags: int, plain: int, payload: int) -> bytes:
        """Return the header of a packet."""
        data = bytearray(self.size)
        data[0] = flags if self.low else flags << 4
        extra = self.size if self.whole else 0
        for at, value in ((self.plain_at, plain), (self.payload_at, payload + extra)):
            if at is None:
                continue
            if at == 0:
                data[:2] = (flags << 12 | value).to_bytes(2, "big")
            else:
                data[at : at + self.width] = value.to_bytes(self.width, self.order)
        return bytes(data)


class Compressor:
    """One direction; each call of ``send`` gives the packets of some bytes."""

    def __init__(self, size: int = 8192, header: Header | None = None) -> None:
        self.size = size
        self.header = header or Header()
        self._buffer = bytearray(size)
        self._offset = 0
        self._first = True
        self._places: dict[bytes, list[int]] = {}

    def send(self, data: bytes) -> bytes:
        """Return bytes as packets, each of which fits into half of the history."""
        step = self.size // 2
        return b"".join(self._packet(data[at : at + step]) for at in range(0, len(data), step))

    def raw(self, data: bytes, flags: int = FLUSHED) -> bytes:
        """Return bytes as a packet that is not compressed."""
        if flags & FLUSHED:
            self._forget()
        return self.header.write(flags, len(data), len(data)) + data

    def _forget(self) -> None:
        self._buffer = bytearray(self.size)
        self._offset, self._first = 0, True
        self._places.clear()

    def _packet(self, data: bytes) -> bytes:
        flags = COMPRESSED
        if self._first or self._offset + len(data) > self.size:
            flags |= AT_FRONT
            self._offset, self._first = 0, False
            # Older bytes may still be referred to; this sender does not.
            self._places.clear()
        codes, at = [], 0
        start = self._offset
        self._buffer[start : start + len(data)] = data
        while at < len(data):
            back, count = self._match(start + at, len(data) - at)
            if count < 3:
                codes.append(self.literal(data[at]))
                count = 1
            else:
                codes.append(self.offset(back) + self.length(count))
            for one in range(start + at, start + at + count):
                self._places.setdefault(bytes(self._buffer[one : one + 3]), []).append(one)
            at += count
        self._offset = start + len(data)
        bits = "".join(codes)
        bits += "0" * (-len(bits) % 8)
        payload = int(bits, 2).to_bytes(len(bits) // 8, "big")
        if len(payload) >= len(data):
            return self.raw(data)
        return self.header.write(flags, len(data), len(payload)) + payload

    def _match(self, here: int, most: int) -> tuple[int, int]:
        best = (0, 0)
        for there in self._places.get(bytes(self._buffer[here : here + 3]), [])[-8:]:
            count = 0
            while count < most and self._buffer[there + count] == self._buffer[here + count]:
                count += 1
            if count > best[1]:
                best = (here - there, count)
        return best

    def literal(self, byte: int) -> str:
        """RFC 2118 4.1."""
        return f"0{byte:07b}" if byte < 0x80 else f"10{byte & 0x7F:07b}"

    def offset(self, back: int) -> str:
        """RFC 2118 4.2.1; [MS-RDPBCGR] 3.1.8.4.2.2.1."""
        if self.size == 8192:
            if back < 64:
                return f"1111{back:06b}"
            return f"1110{back - 64:08b}" if back < 320 else f"110{back - 320:013b}"
        if back < 64:
            return f"11111{back:06b}"
        if back < 320:
            return f"11110{back - 64:08b}"
        return f"1110{back - 320:011b}" if back < 2368 else f"110{back - 2368:016b}"

    def length(self, count: int) -> str:
        """RFC 2118 4.2.2; [MS-RDPBCGR] 3.1.8.4.2.2.2."""
        if count == 3:
            return "0"
        bits = count.bit_length() - 1
        return "1" * (bits - 1) + "0" + f"{count - (1 << bits):0{bits}b}"
