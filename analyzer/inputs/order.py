"""The frames of several inputs in one order: numbered as in the file that ``xccos merge`` writes.

The one rule: frames of one input keep their order, whatever their times say; between inputs the
corrected times decide.
"""

from __future__ import annotations

from array import array
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from dissectors.capture.detect import HEAD_LENGTH, reader_for
from dissectors.model import Frame, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from analyzer.inputs.values import Clock

AT_ONCE = 1 << 20


def frames_of(read: Callable[[int, int], bytes]) -> Iterator[Frame]:
    """Yield the frames of a capture, in its order; ``read`` gives bytes by offset and length."""
    head = read(0, HEAD_LENGTH)
    reader = reader_for(head)
    if isinstance(reader, Malformed):
        return
    offset = 0
    while data := read(offset, AT_ONCE):
        offset += len(data)
        for record in reader.feed(data):
            if isinstance(record, Frame):
                yield record
        if reader.stopped:
            return
    for record in reader.close():
        if isinstance(record, Frame):
            yield record


def frame_times(read: Callable[[int, int], bytes]) -> array[int]:
    """Return the time of each frame; nanoseconds since 1970 UTC, 0 where it has none."""
    return array("q", (frame.time_ns for frame in frames_of(read)))


def correction(clock: Clock, digits: int) -> Callable[[int, int], int]:
    """Return what corrects a time, given the frame too: no more digits than its input has."""
    unit = 10 ** (9 - digits)
    corrected = clock.corrected
    return lambda time, frame: corrected(time, frame) // unit * unit


class FrameOrder:
    """Which frame of which input comes where."""

    def __init__(
        self, times: Sequence[array[int]], corrections: Sequence[Callable[[int, int], int]]
    ) -> None:
        """Order the frames.

        Args:
            times: of each input, those of its frames.
            corrections: of each input, what corrects a time; see ``correction``.
        """
        corrected = array("q")
        for one, right in zip(times, corrections, strict=True):
            own = (right(time, frame) if time else 0 for frame, time in enumerate(one, 1))
            corrected.extend(accumulate(own, max))
        starts = [0, *accumulate(map(len, times))]
        # Ascending runs, one an input: sorting them takes time in proportion to their length.
        order = sorted(range(len(corrected)), key=corrected.__getitem__)
        self.numbers: list[array[int]] = []
        """Of each input, the number in the common order of each of its frames."""
        place = array("I", bytes(4 * len(order)))
        for number, at in enumerate(order, 1):
            place[at] = number
        for first, end in pairwise(starts):
            self.numbers.append(place[first:end])
        self._order = array("I", order)
        self._starts = starts
        self.times = array("q", map(corrected.__getitem__, order))
        """Corrected times in the common order, ascending."""

    def __len__(self) -> int:
        return len(self._order)

    def source(self, number: int) -> tuple[int, int]:
        """Return input and frame in it of a frame in the common order."""
        at = self._order[number - 1]
        which = next(k for k in range(len(self._starts) - 2, -1, -1) if at >= self._starts[k])
        return which, at - self._starts[which] + 1
