"""One reading of a compressed direction: guesses at the header that have agreed on it so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dissectors.sip.compression_layout import (
    ALLOWED,
    AT_FRONT,
    COMPRESSED,
    FLUSHED,
    PLAIN,
    Layout,
    Messages,
)
from dissectors.sip.compression_mppc import BadPacketError, Expanded, History

if TYPE_CHECKING:
    from collections.abc import Iterable

LARGEST_RAW = 1 << 16
"""Bytes of a packet that is sent as it is. What is to be compressed must fit into the history
([MS-RDPBCGR] 3.1.8.1); no text says how much may be sent without."""
MAX_HELD = 1 << 18
"""Bytes in packets that wait for a message to be whole. The largest of Group Chat, a roster or
a history, has a few tens of thousands."""
MAX_RATIO = 64
"""Plain bytes for a compressed one. Signalling reaches ten; RFC 2118 allows 2000, which makes
a small file a large one."""
_SLACK = 1 << 20  # of plain bytes, before the ratio is asked for
# Where only the plain length is known, a packet is tried before it is complete; again when so many
# more bytes are there, so that bytes that come singly do not make it quadratic.
_MORE = 512


class Packet(NamedTuple):
    """The plain bytes of a packet."""

    data: bytes
    end: int
    """Bytes of the direction, from the first compressed one, with which it was complete."""


class _Try(NamedTuple):
    """What some of the guesses make of the next packet."""

    length: int
    """Bytes of the payload; where ``plain``, of what it holds."""
    plain: bool
    flags: int
    layouts: list[Layout]


class Track:
    """Packets from the beginning of a direction, as far as they are complete."""

    __slots__ = (
        "_history", "_made", "_messages", "_retry", "at", "failed", "layouts", "packets", "proved",
        "sure", "sure_at", "swollen",
    )  # fmt: skip

    def __init__(self, layouts: list[Layout], history: History) -> None:
        """``layouts``: all of one header size."""
        self.layouts = layouts
        self.at = 0
        """Bytes of the direction in whole packets."""
        self.packets: list[Packet] = []
        """Not yet given away."""
        self.sure = 0
        """So many of them are proved."""
        self.sure_at = 0
        """Bytes of the direction that are proved."""
        self.proved = 0
        """Packets with whose end a message ended, too."""
        self.failed = False
        """Some guess does not fit what stands at ``at``."""
        self.swollen = False
        """It failed because there is more in it than there should be."""
        self._history = history
        self._messages = Messages()
        self._retry = 0
        self._made = 0

    def advance(self, data: bytes, *, final: bool) -> list[Track]:
        """Take the next packet, if it is there.

        Args:
            data: the direction from ``at`` on.
            final: no more will come.

        Returns:
            The tracks that this one becomes: itself where nothing could be decided yet.
        """
        size = self.layouts[0].size
        if len(data) <= size or (len(data) < self._retry and not final):
            return [self]
        found: list[Track] = []
        waiting: list[Layout] = []
        retry: list[int] = []
        for one in self._tries(data[:size]):
            track, short = self._with(one.layouts), len(data) < size + one.length
            if (one.plain or not short) and track.take(data, one):
                found.append(track)
            elif short:
                waiting += one.layouts
                retry.append(len(data) + _MORE if one.plain else size + one.length)
            else:
                self.failed, self.swollen = True, self.swollen or track.swollen
        if waiting:
            track = self._with(waiting)
            found.append(track.until(min(retry)))
        return _merged(found)

    def _tries(self, header: bytes) -> list[_Try]:
        groups: dict[tuple[int, bool, int], list[Layout]] = {}
        for layout in self.layouts:
            flags, length = layout.flags(header), layout.length(header)
            packed = flags & COMPRESSED
            if flags in ALLOWED and 0 < length <= (self._history.size if packed else LARGEST_RAW):
                plain = bool(packed) and layout.counts == PLAIN
                groups.setdefault((length, plain, flags), []).append(layout)
            else:
                self.failed = True
        return [_Try(*key, layouts) for key, layouts in groups.items()]

    def _with(self, layouts: list[Layout]) -> Track:
        track = Track(layouts, self._history)
        track.at, track.packets, track.proved = self.at, self.packets[:], self.proved
        track.sure, track.sure_at = self.sure, self.sure_at
        track.failed, track.swollen = self.failed, self.swollen
        track._messages, track._made = self._messages, self._made
        return track

    def until(self, retry: int) -> Track:
        """Return itself, to be asked again when so many bytes are there."""
        self._retry = retry
        return self

    def give(self) -> list[Packet]:
        """Give away the packets that are proved."""
        given = self.packets[: self.sure]
        del self.packets[: self.sure]
        self.sure = 0
        return given

    def take(self, data: bytes, one: _Try) -> bool:
        """Take a packet; False where it is none."""
        size = self.layouts[0].size
        self._history = self._history.copy()
        try:
            plain, used = self._plain(data[size : size + one.length], one)
        except BadPacketError:
            return False
        self._messages = self._messages.copy()
        self._messages.feed(plain)
        self.at += size + used
        self._made += len(plain)
        self.swollen = self._made > _SLACK + MAX_RATIO * self.at
        if self._messages.wrong or self.swollen or self.at - self.sure_at > MAX_HELD:
            return False
        self.failed = False
        self.packets.append(Packet(plain, self.at))
        if self._messages.between:
            self.proved += 1
            self.sure, self.sure_at = len(self.packets), self.at
        return True

    def _plain(self, payload: bytes, one: _Try) -> Expanded:
        """Act on the flags in the order of [MS-SIPCOMP] 3.2.5.2."""
        history = self._history
        if one.flags & FLUSHED:
            history.clear()
        if one.flags & AT_FRONT:
            history.to_front()
        if not one.flags & COMPRESSED:
            return Expanded(payload, len(payload))
        return history.expand(payload, one.length if one.plain else None)


def _merged(tracks: Iterable[Track]) -> list[Track]:
    """Join tracks that took the same packet: guesses that agree are one."""
    found: dict[tuple[int, int, bytes], Track] = {}
    for track in tracks:
        last = track.packets[-1].data if track.packets else b""
        known = found.setdefault((track.at, track.proved, last), track)
        if known is not track:
            known.layouts = known.layouts + track.layouts
    return list(found.values())
