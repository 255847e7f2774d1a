"""What the readers of capture files share: bytes arrive in any cut, records leave whole.

The one rule: a decision rests on the bytes of the record itself, never on where the input was cut,
so that feeding a file whole or byte by byte gives equal results.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from dissectors.model import Frame, Malformed

MAX_FRAME = 64 << 20
"""Captured bytes of one frame. The largest real records are USB and D-Bus transfers of a few
megabytes; more than this is a damaged length, and would otherwise be waited for in memory."""


class RecordReader(ABC):
    """Bytes of one capture file in, frames out; offsets count from the first byte fed."""

    __slots__ = ("_base", "_fed", "_held", "_need", "_number", "stopped")

    def __init__(self) -> None:
        self.stopped = False
        """Damage was met and reported; nothing more will come, feeding on is pointless."""
        self._number = 0  # of the last frame
        self._fed = 0  # bytes received
        self._base = 0  # offset in the file of the first byte of what is being scanned
        self._held = bytearray()  # the beginning of a record whose end has not come
        self._need = 0  # bytes that record needs, counted from its first; more than are held

    def feed(self, data: bytes) -> list[Frame | Malformed]:
        """Take the next bytes of the file, return the frames that they complete."""
        out: list[Frame | Malformed] = []
        if self.stopped or not data:
            return out
        at = 0
        start = self._fed
        self._fed += len(data)
        held = self._held
        # Only the record that straddles two feeds is put together; the rest is read where it lies.
        while held:
            end = at + self._need - len(held)
            held += data[at:end]
            if len(held) < self._need:
                return out
            at = end
            self._base = start + at - len(held)
            used = self._scan(bytes(held), 0, out)
            del held[:used]
            if self.stopped:
                return out
        self._base = start
        used = self._scan(data, at, out)
        if not self.stopped:
            held += data[used:]
        return out

    def close(self) -> list[Frame | Malformed]:
        """Say that the file ends here; return a ``Malformed`` when it ends inside a record."""
        if self.stopped:
            return []
        self.stopped = True
        if not self._fed:
            return [Malformed("capture", "the file is empty", offset=0)]
        held = len(self._held)
        if not held:
            return []
        return [
            Malformed(
                "capture",
                f"the file ends inside {self._unfinished()} ({held} of {self._need} bytes)",
                offset=self._fed - held,
            )
        ]

    def _stop(self, out: list[Frame | Malformed], reason: str, offset: int) -> None:
        self.stopped = True
        out.append(Malformed("capture", f"{reason}; reading stopped there", offset=offset))

    @abstractmethod
    def _scan(self, data: bytes, at: int, out: list[Frame | Malformed]) -> int:
        """Read the whole records of ``data[at:]``; return where the first unfinished one begins.

        Sets ``_need`` when bytes are left over, or ``stopped``. ``data[0]`` lies at ``_base``.
        """

    @abstractmethod
    def _unfinished(self) -> str:
        """Return words for the record whose first bytes are held."""
