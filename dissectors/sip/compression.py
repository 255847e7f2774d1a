"""SIP compressed on its connection: [MS-SIPCOMP], agreed on by NEGOTIATE.

The client asks with ``NEGOTIATE`` and ``Compression: LZ77-8K``, the server answers 200 with the
same header ([MS-SIPCOMP] section 4, examples). Behind the request the client's bytes are packets,
behind the answer those of the server; each direction has a history of its own.

The one rule: what is not proved is not given. Bytes come out when they are SIP messages that end
where packets end; else it is said why not.
"""

from __future__ import annotations

from dissectors.model import Malformed
from dissectors.sip.compression_layout import (
    BEGINNING,
    HEADER_SIZES,
    LONGEST_BEGINNING,
    layouts,
)
from dissectors.sip.compression_mppc import KIB_8, KIB_64, History
from dissectors.sip.compression_track import LARGEST_RAW, MAX_RATIO, Packet, Track

__all__ = ["SCHEMES", "Decompressor", "Packet"]

SCHEMES = {"LZ77-8K": KIB_8, "LZ77-64K": KIB_64}
"""Values of ``Compression``, and the history that goes with them."""

MAX_TRACKS = 64
"""Readings that are followed at a time. A header of twelve bytes allows a few hundred guesses, most
of which ask for more bytes than a packet can have."""
_NO_BEGINNING = "no SIP message begins behind a header of 2 to 12 bytes"
_UNKNOWN = "it is not known how this compression works"
_BROKEN = "a packet is damaged, or holds something else than SIP"
_SWOLLEN = f"they grow more than {MAX_RATIO} times"
_UNPROVED = "no packet header that was tried fits the messages"


class Decompressor:
    """One direction. ``feed`` its bytes from the first compressed one on, then ``close``."""

    def __init__(self, scheme: str) -> None:
        """``scheme``: as the answer to NEGOTIATE has it; none but ``SCHEMES`` can be read."""
        self._history = History(SCHEMES.get(scheme.upper(), 0))
        self._buffer = bytearray()
        self._base = 0  # where the buffer begins
        self._tracks: list[Track] | None = None
        self.fed = 0
        """Bytes that came."""
        self.read = 0
        """Bytes of whole packets that were given."""
        self.stopped = False

    def feed(self, data: bytes) -> list[Packet | Malformed]:
        """Return the packets that are proved now, ``Packet.end`` telling which bytes they took."""
        self.fed += len(data)
        if self.stopped:
            return []
        self._buffer += data
        return self._go(final=False)

    def close(self) -> list[Packet | Malformed]:
        """Return what can still be proved; a packet that is cut is left out."""
        if self.stopped or not self.fed:
            return []
        out = self._go(final=True)
        if not self.read and not self.stopped:
            return self._stop(_UNPROVED)
        # Nothing is known against a packet that is cut: no guess failed on it.
        if any(track.failed for track in self._tracks or ()) and self.read < self.fed:
            out += self._stop(self._why(self._tracks or []))
        self.stopped = True
        return out

    def _go(self, *, final: bool) -> list[Packet | Malformed]:
        if self._tracks is None:
            if len(self._buffer) < HEADER_SIZES[-1] + LONGEST_BEGINNING and not final:
                return []
            self._tracks = self._begin()
            if not self._tracks:
                return self._stop(_NO_BEGINNING if self._history.size else _UNKNOWN)
        dead = self._advance(final=final)
        out = self._give(self._tracks or ([] if dead is None else [dead]))
        if not self._tracks:
            return out + self._stop(self._why([] if dead is None else [dead]))
        return out

    def _why(self, tracks: list[Track]) -> str:
        if not self.read:
            return _UNPROVED
        return _SWOLLEN if any(track.swollen for track in tracks) else _BROKEN

    def _begin(self) -> list[Track]:
        """Find where the first message begins: there the header ends."""
        for size in HEADER_SIZES if self._history.size else ():
            if BEGINNING.match(self._buffer, size):
                return [Track(layouts(size), self._history)]
        return []

    def _advance(self, *, final: bool) -> Track | None:
        """Take the packets that are there; return the reading that failed last."""
        tracks, rest = [], self._tracks or []
        dead: Track | None = None
        while rest:
            track = rest.pop()
            more = track.advance(self._after(track), final=final)
            if not more and (dead is None or track.proved >= dead.proved):
                track.swollen |= dead is not None and dead.swollen
                dead = track
            rest += [one for one in more if one.at > track.at]
            tracks += [one for one in more if one.at == track.at]
            # What was proved once more wins against what waits.
            best = max((one.proved for one in (*tracks, *rest)), default=0)
            tracks = [one for one in tracks if one.proved == best][:MAX_TRACKS]
            rest = [one for one in rest if one.proved == best]
        self._tracks = tracks
        return dead

    def _after(self, track: Track) -> bytes:
        start = track.at - self._base
        return bytes(self._buffer[start : start + HEADER_SIZES[-1] + LARGEST_RAW])

    def _give(self, tracks: list[Track]) -> list[Packet | Malformed]:
        """Give what is proved; readings that go on from the same proof have it in common."""
        if len({track.sure_at for track in tracks}) != 1 or tracks[0].sure_at == self.read:
            return []
        given = [track.give() for track in tracks]
        self.read = tracks[0].sure_at
        del self._buffer[: self.read - self._base]
        self._base = self.read
        return [*given[0]]

    def _stop(self, reason: str) -> list[Packet | Malformed]:
        self.stopped = True
        self._tracks = []
        self._buffer.clear()
        return [Malformed("sip", reason, offset=self.read)]
