"""What connections said, put in place of what their segments carried.

The frames, their order and their times stay; each carries what it is given. So the messages of a
TLS connection can be written anew like those of a plain one, and so can messages that were changed:
whoever changes them (``redact(message) -> bytes``) puts the result into a spool and says by frame
where it lies there.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from analyzer.export.connections import BEGIN, Segments
from dissectors.model import FIN, SYN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dissectors.model import Piece


def plain_segments(
    log: Segments,
    said: Mapping[int, Sequence[Piece]],
    holes: tuple[Iterable[int], Iterable[int]] = ((), ()),
) -> Segments:
    """Return the segments of a connection with something else as their payloads.

    Args:
        log: the segments of the connection.
        said: by frame, what it is to carry: where those bytes are, in order.
        holes: of each side, the frames before which something is not known. How long that was is
            not known either; one byte is left out.
    """
    return _Saying(log, said, holes).run()


class _Saying:
    def __init__(
        self,
        log: Segments,
        said: Mapping[int, Sequence[Piece]],
        holes: tuple[Iterable[int], Iterable[int]],
    ) -> None:
        self._log, self._left = log, dict(said)
        self._holes = tuple(sorted(one, reverse=True) for one in holes)
        self._now = [BEGIN, BEGIN]
        """The next place of each side."""
        self._old: list[list[int]] = [[], []]
        """Ends of the segments of each side, ascending ..."""
        self._new: list[list[int]] = [[], []]
        """... and where these are now."""
        self._ended = [False, False]

    def run(self) -> Segments:
        plain, log = Segments(), self._log
        for number in range(len(log)):
            pieces = self._left.pop(log.frame[number], ())
            seq = self._place(number)
            side = log.side[number]
            plain.say(log, number, (seq, self._ack(side, log.ack[number])), pieces)
            self._go_on(number, seq + sum(piece.length for piece in pieces))
        return plain

    def _place(self, number: int) -> int:
        """Return where a segment begins."""
        log, side = self._log, self._log.side[number]
        if log.flags[number] & SYN:
            return BEGIN
        holes = self._holes[side]
        if holes and holes[-1] <= log.frame[number]:
            self._now[side] += 1
            while holes and holes[-1] <= log.frame[number]:
                holes.pop()
        return self._now[side] - (self._ended[side] and bool(log.flags[number] & FIN))

    def _go_on(self, number: int, place: int) -> None:
        """Note where a segment ended, and where it ends now."""
        log, side = self._log, self._log.side[number]
        control = bool(log.flags[number] & SYN) + bool(log.flags[number] & FIN)
        self._ended[side] = self._ended[side] or bool(log.flags[number] & FIN)
        self._now[side] = max(self._now[side], place + control)
        end = log.seq[number] + log.length[number] + control
        self._old[side].append(max(end, self._old[side][-1] if self._old[side] else 0))
        self._new[side].append(self._now[side])

    def _ack(self, side: int, ack: int) -> int:
        at = bisect_right(self._old[side ^ 1], ack)
        return self._new[side ^ 1][at - 1] if at else BEGIN
