"""What a slice holds: which frames stay as they are, and which packets are written anew."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from analyzer.export.resequence import Packet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Plan:
    """Some 50 bytes for each packet that is written anew, one for each other frame."""

    def __init__(self) -> None:
        self._taken = bytearray()
        self._keys: dict[bytes, int] = {}
        self._names: list[bytes] = []
        self._numbers = tuple(array(code) for code in "IIIIHIqQI")
        self._offsets, self._lengths = array("q"), array("I")
        self._order: list[int] = []
        self._at = 0

    def take(self, frames: Iterable[int]) -> None:
        """Take frames as they are."""
        for frame in frames:
            if frame >= len(self._taken):
                self._taken.extend(bytes(frame + 1 - len(self._taken)))
            self._taken[frame] = 1

    def leave(self, frames: Iterable[int]) -> None:
        """Leave frames out that were taken."""
        for frame in frames:
            if frame < len(self._taken):
                self._taken[frame] = 0

    def write(self, packets: Iterable[Packet]) -> int:
        """Write packets anew; return how many."""
        count = 0
        for count, one in enumerate(packets, 1):  # noqa: B007
            key = self._keys.setdefault(one.key, len(self._keys))
            if key == len(self._names):
                self._names.append(one.key)
            row = (
                *(one.frame, key, one.seq, one.ack, one.flags, one.missing, one.head),
                *(len(self._offsets), len(one.parts)),
            )
            for column, value in zip(self._numbers, row, strict=True):
                column.append(value)
            self._offsets.extend([offset for offset, _ in one.parts])
            self._lengths.extend([length for _, length in one.parts])
        return count

    def settle(self) -> None:
        """Put the packets into the order of their frames."""
        frames = self._numbers[0]
        self._order = sorted(range(len(frames)), key=frames.__getitem__)
        self._at = 0

    def takes(self, frame: int) -> bool:
        """Tell whether a frame stays as it is."""
        return frame < len(self._taken) and self._taken[frame] == 1

    def packets(self, frame: int) -> Iterator[Packet]:
        """Yield the packets that stand for a frame; frames must be asked for in order, once."""
        frames = self._numbers[0]
        while self._at < len(self._order) and frames[self._order[self._at]] <= frame:
            at = self._order[self._at]
            self._at += 1
            if frames[at] == frame:
                _, key, seq, ack, flags, missing, head, first, count = (
                    column[at] for column in self._numbers
                )
                parts = zip(
                    self._offsets[first : first + count],
                    self._lengths[first : first + count],
                    strict=True,
                )
                yield Packet(frame, self._names[key], seq, ack, flags, tuple(parts), missing, head)

    def numbers(self) -> array[int]:
        """Return for each frame the number that it has in the slice: of several its last packet.

        0 stands for a frame that is not in it.
        """
        frames = self._numbers[0]
        last = max(len(self._taken), (frames[self._order[-1]] + 1) if self._order else 0)
        count = array("I", bytes(4 * last))
        for frame in frames:
            count[frame] += 1
        number = 0
        for frame in range(last):
            here = count[frame] + (frame < len(self._taken) and self._taken[frame])
            number += here
            count[frame] = number if here else 0
        return count
