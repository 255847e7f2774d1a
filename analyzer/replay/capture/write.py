"""A script as a capture: every turn of it, in the packets of hosts that lose nothing.

The rule: the same session analysed again equals the first, slots aside. What cannot be the same is
said in the notes of the summary.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

from analyzer.replay.capture.addresses import Addresses
from analyzer.replay.capture.aside_writer import AsideWriter
from analyzer.replay.capture.conversation import Conversation
from analyzer.replay.capture.frames import Framer
from analyzer.replay.capture.links import Links
from analyzer.replay.capture.medium import Medium
from analyzer.replay.capture.options import (
    CaptureError,
    CaptureOptions,
    CaptureSummary,
    ScriptFaultError,
    one_line,
)
from analyzer.replay.capture.plan import courses_of, events_of, moved_ends
from analyzer.replay.capture.schedule import Schedule
from analyzer.replay.capture.sink import Sink
from analyzer.replay.capture.values import values_of
from analyzer.replay.fill import fill_message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.replay.capture.links import Link
    from analyzer.replay.capture.plan import Event
    from analyzer.replay.script import Script

HANDSHAKE_NS = 150_000
"""Between the segments of a handshake on a local link, where nothing else happens meanwhile."""
PARTS = 3
"""Where something does, each takes such a part of the time until then."""
KEEP_ALIVE = b"\r\n\r\n"
"""What a client sends on an idle connection (RFC 5626 4.4.1)."""
SHOWN = 8
"""Of a list in a note."""
DEFAULT = CaptureOptions()


class _Writer:
    """Writes the events of one script."""

    def __init__(self, script: Script, options: CaptureOptions, sink: Sink) -> None:
        self._addresses = Addresses(script, options.addresses)
        self._schedule = Schedule(script, options)
        self._value = values_of(script, options, self._addresses, self._schedule)
        self._courses = courses_of(script)
        macs = self._addresses.macs(options.macs)
        self._medium = Medium(Framer(macs, options.vlan), sink.put)
        self._links = Links(self._medium, options.mss, options.seed)
        ends = tuple(map(self._addresses.aside, range(len(script.asides))))
        self._asides = AsideWriter(script.asides, ends, self._links, self._value)
        self._turns = {turn.id: turn for turn in script.turns}
        self._script = script
        self._comments = options.comments
        gone = "|".join(re.escape(host) for host in self._addresses.moved)
        self._gone = re.compile(rf"(?<![\w.])(?:{gone})(?![\w.])".encode()) if gone else None
        self._mentions = 0

    def write(self) -> None:
        """Write everything."""
        events = events_of(self._script, self._courses, self._schedule)
        for number, event in enumerate(events):
            room = HANDSHAKE_NS
            if number + 1 < len(events):
                room = min(room, (events[number + 1].at - event.at) // PARTS)
            self._event(event, room)
        self._medium.settle()

    def notes(self) -> Iterable[str]:
        """Yield what is not as in the recording."""
        secure = [one.id for one in self._script.connections if one.transport == "tls"]
        if secure:
            yield f"{_listed(secure)}: recorded inside TLS, written as plain TCP"
        late = moved_ends(self._courses.values(), self._schedule)
        if late:
            yield f"{_listed(late)}: closed later than recorded, as turns come after that"
        if self._mentions:
            many = self._mentions > 1
            subject = f"{self._mentions} messages mention" if many else "1 message mentions"
            yield f"{subject} an address that was moved, in words that are no slot"

    def _event(self, event: Event, room: int) -> None:
        if event.kind == "turn":
            self._turn(event)
        elif event.kind == "aside":
            self._asides.write(event, room)
        else:
            link = self._link(event.what)
            if not isinstance(link, Conversation):
                return
            if event.kind == "open":
                link.handshake(event.at, room)
            elif event.kind == "keep-alive":
                link.send(event.side, KEEP_ALIVE, event.at)
            elif event.kind == "fin":
                link.finish(event.side, event.at)
            else:
                link.reset(event.side, event.at)

    def _turn(self, event: Event) -> None:
        turn = self._turns[event.what]
        try:
            data = fill_message(turn.message, self._value)
            if self._gone is not None and self._gone.search(data):
                self._mentions += 1
            comment = f"turn {turn.id}" if self._comments else ""
            self._link(turn.connection).send(event.side, data, event.at, comment)
        except ValueError as error:
            # What cannot be said with the options given is not the script's fault.
            kind = CaptureError if isinstance(error, CaptureError) else ScriptFaultError
            raise kind(f"{turn.id}: {error}") from None

    def _link(self, number: str) -> Link:
        one = self._courses[number].connection
        return self._links.link(number, self._addresses.ends(one), datagrams=one.transport == "udp")


def write_script_capture(script: Script, options: CaptureOptions, out: BinaryIO) -> CaptureSummary:
    """Write a script as a capture: all turns, copies on further hops and asides among them.

    Raises:
        CaptureError: The script or the options make no capture; what was written is to be thrown
            away.
    """
    about = f"{script.title}: regenerated from a script"
    sink = Sink(out, options.format, about)
    writer = _Writer(script, options, sink)
    writer.write()
    return CaptureSummary(
        sink.frames, len(script.turns), len(script.connections), sink.first_ns, sink.last_ns,
        tuple(map(one_line, writer.notes())),
    )  # fmt: skip


def _listed(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
