"""TLS connections written down anew for who decrypts them: one whole record a frame.

Everything that made the original hard to read is gone: segments lost, repeated, late or cut,
fragments, tunnels, ports used again, services on odd ports. Where a record was in the capture is
remembered beside it.
"""

from __future__ import annotations

from array import array
from struct import Struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.sources.spool import Spool
    from analyzer.tls_records import Record

PORT = 443
"""Of all servers in it."""
_CLIENT_PORT = 49_152
_SERVER = bytes((192, 168, 0, 1))
_CLIENTS = 10 << 24  # 10.0.0.0, and on from there

# Magic, version 2.4, zone and accuracy, snap length, LINKTYPE_RAW.
_FILE = Struct("<IHHiIII").pack(0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 101)
_RECORD = Struct("<IIII").pack
# IPv4: version and length, service, total length, id, fragment, lifetime, protocol, checksum.
_IP = Struct("!BBHHHBBH4s4s").pack
# TCP: ports, numbers, header length, flags (ACK and PSH), window, checksum, urgent.
_TCP = Struct("!HHIIBBHHH").pack
_HEADERS = 40
_MASK = 0xFFFFFFFF
_BUFFER = 1 << 20


class CleanCapture:
    """Fill it with records; then ``spool`` is a pcap, and its frame ``n`` is entry ``n - 1``."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self.problem: str | None = None
        """Why it could not be written."""
        self.session = array("L")
        self.side = array("B")
        self.frame = array("Q")
        self.time = array("q")
        self.digits = array("B")
        self.kind = array("B")
        self._places: dict[int, list[int]] = {}
        self._buffer = bytearray(_FILE)

    def __len__(self) -> int:
        return len(self.session)

    def add(self, session: int, side: int, record: Record, *, client: int) -> None:
        """Append a record of a session; ``client`` is the side of its client."""
        data = record.data
        places = self._places.setdefault(session, [1, 1])
        here, there = (_CLIENTS + session).to_bytes(4, "big"), _SERVER
        ports = _CLIENT_PORT, PORT
        if side != client:
            here, there, ports = there, here, (PORT, _CLIENT_PORT)
        size = _HEADERS + len(data)
        number = len(self.session)
        self._buffer += _RECORD(number // 1_000_000, number % 1_000_000, size, size)
        self._buffer += _IP(0x45, 0, size, 0, 0x4000, 64, 6, 0, here, there)
        self._buffer += _TCP(*ports, places[side], places[1 - side], 0x50, 0x18, 0xFFFF, 0, 0)
        self._buffer += data
        places[side] = places[side] + len(data) & _MASK
        for column, value in (
            (self.session, session),
            (self.side, side),
            (self.frame, record.frame),
            (self.time, record.time_ns),
            (self.digits, record.digits),
            (self.kind, record.kind),
        ):
            column.append(value)
        if len(self._buffer) >= _BUFFER:
            self.flush()

    def flush(self) -> None:
        """Write what is still to be written."""
        if self.problem is None:
            self.problem = self.spool.write(bytes(self._buffer))
        self._buffer.clear()
