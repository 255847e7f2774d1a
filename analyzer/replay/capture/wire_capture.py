"""The capture of a live play: what its carrier saw, as frames.

The rule: every piece of data is segments of its own at the time it was seen, so that what a fault
did to the stream (split, merged, cut) can be seen in the capture.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analyzer.replay.actions import Address
from analyzer.replay.capture.conversation import Conversation
from analyzer.replay.capture.frames import Framer
from analyzer.replay.capture.medium import Medium
from analyzer.replay.capture.options import CaptureOptions, CaptureSummary
from analyzer.replay.capture.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from analyzer.replay.actions import WireEvent

STEP_NS = 20_000
"""Between the segments of a handshake, which was over when the carrier told of the connection."""
NOBODY = Address("192.0.2.1", 1)
"""Stands for an address that was never told (RFC 5737)."""
DEFAULT = CaptureOptions()


class _Talk:
    """A connection, and which of its sides are still open."""

    def __init__(self, conversation: Conversation, *, outgoing: bool) -> None:
        self.conversation = conversation
        self._ours = 0 if outgoing else 1
        self.finished: set[int] = set()

    def side(self, *, outgoing: bool) -> int:
        """Return who speaks: 0 is who opened the connection."""
        return self._ours if outgoing else 1 - self._ours


class _Recorder:
    """Writes events as they come."""

    def __init__(self, out: BinaryIO, options: CaptureOptions) -> None:
        self._options = options
        self.sink = Sink(out, options.format)
        self.medium = Medium(Framer(options.macs, options.vlan), self.sink.put)
        self._talks: dict[int, _Talk] = {}
        self.connections = self.pieces = 0
        self.notes: Counter[str] = Counter()

    def take(self, event: WireEvent) -> None:
        """Write one event."""
        if event.kind == "open":
            self._open(event)
            return
        talk = self._talks.get(event.connection)
        side = 0 if talk is None else talk.side(outgoing=event.outgoing)
        if talk is None or side in talk.finished:
            self.notes["{} on connections that were closed or never opened: left out"] += 1
            return
        if event.kind == "data":
            if event.data:
                self.pieces += 1
                talk.conversation.send(side, event.data, event.time_ns)
            return
        self._end(event, talk, side)

    def _end(self, event: WireEvent, talk: _Talk, side: int) -> None:
        if event.kind == "rst":
            talk.conversation.reset(side, event.time_ns)
            talk.finished = {0, 1}
        else:
            talk.conversation.finish(side, event.time_ns)
            talk.finished.add(side)
        if len(talk.finished) == 2:
            del self._talks[event.connection]

    def _open(self, event: WireEvent) -> None:
        local, remote = _known(event.local), _known(event.remote)
        opener, responder = (local, remote) if event.outgoing else (remote, local)
        medium = self.medium
        options, seed = self._options, f"{self._options.seed} {self.connections}"
        conversation = Conversation(medium, opener, responder, options.mss, seed=seed)
        start = max(medium.clock, event.time_ns - 2 * STEP_NS)
        conversation.handshake(start, max(event.time_ns - start, 0) // 2)
        self._talks[event.connection] = _Talk(conversation, outgoing=event.outgoing)
        self.connections += 1
        if event.secure:
            self.notes["{} inside TLS: written as plain TCP"] += 1


def _known(address: Address | None) -> Address:
    return NOBODY if address is None else address


def wire_capture(
    events: Iterable[WireEvent], out: BinaryIO, options: CaptureOptions = DEFAULT
) -> CaptureSummary:
    """Write the capture of a live play: TCP as hosts would send it, of TLS the plaintext.

    Of the options ``format``, ``macs``, ``vlan``, ``mss`` and ``seed`` count.

    Raises:
        CaptureError: An address is no IP address, or a time is none that the format can say.
    """
    recorder = _Recorder(out, options)
    for event in events:
        recorder.take(event)
    recorder.medium.settle()
    sink = recorder.sink
    notes = tuple(text.format(_count(text, count)) for text, count in recorder.notes.items())
    return CaptureSummary(
        sink.frames, recorder.pieces, recorder.connections, sink.first_ns, sink.last_ns, notes
    )


def _count(text: str, count: int) -> str:
    what = "connection" if "TLS" in text else "event"
    return f"{count} {what}{'' if count == 1 else 's'}"
