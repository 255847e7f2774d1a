"""A part of a capture as a capture: the frames of what was chosen, TCP streams still valid.

A connection all of whose messages are chosen is taken frame by frame, as it was captured. Of one
that carries others too, the chosen messages are written anew as a connection that carried nothing
else: nobody else's words are in it. Two walks over the capture: one finds which frames carry what,
the other writes. Neither holds more than the heads of segments.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from analyzer.export.connections import Connections, Walk
from analyzer.export.decrypted import plain_segments
from analyzer.export.packets import rewritten
from analyzer.export.plan import Plan
from analyzer.export.resequence import Pieces, Resequenced
from analyzer.lazy import once
from dissectors.capture import blocks
from dissectors.capture.writer import COMMENT
from dissectors.notes import HOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from analyzer.export.choice import Chosen
    from analyzer.export.connections import Connection
    from analyzer.export.resequence import Packet
    from analyzer.trace import Trace
    from dissectors.model import Frame, Piece

_PCAPNG = blocks.SECTION_HEADER.to_bytes(4, "big")
_ENHANCED = {b"\6\0\0\0": "<", b"\0\0\0\6": ">"}


@dataclass(frozen=True, slots=True)
class SliceOptions:
    """How a slice is made."""

    whole_connections: bool = False
    """Take connections frame by frame, also where others speak on them."""
    decrypted: bool = False
    """Write what TLS connections said as plain TCP."""


class Sliced(NamedTuple):
    """One frame of a slice."""

    frame: Frame
    origin: int
    """Number of the frame of the capture that it is, or stands for."""
    last: bool
    """It is the last one that stands for it."""
    anew: bool
    """It was written anew."""
    comments: tuple[bytes, ...]
    """Those of the capture."""


class Slice:
    """What was chosen of an open capture; ``plan`` it, then take its ``frames`` once."""

    def __init__(
        self,
        trace: Trace,
        chosen: Chosen | None,
        options: SliceOptions,
        step: Callable[[int], None] = lambda _: None,
    ) -> None:
        """``chosen``: None for every frame; ``step`` is told how far each walk got, in bytes."""
        self._trace, self._chosen, self._options = trace, chosen, options
        self.step = step
        self._plan = Plan()
        self.whole = self.anew = 0
        """Connections taken frame by frame, and those written anew."""
        self.tls = 0
        """Encrypted connections among the whole ones."""
        self.randoms: set[bytes] = set()
        """Client randoms of these."""
        self.secrets: list[bytes] = []
        """TLS key logs in the capture."""
        self.digits = 0
        """The most decimal digits of a second that its times carry."""

    def plan(self) -> None:
        """Walk over the capture once, and find what the slice holds."""
        if self._trace.inputs:
            self._plan_of_inputs()
            return
        wanted = self._wanted()
        found = Connections([one.key for one in wanted], [one.key for one in wanted if one.anew])
        walk = Walk(self._trace.plain_read, self.step)
        needed = bool(wanted)
        for frames in walk:
            self.digits = max(self.digits, *(frame.digits for frame in frames), 0)
            if self._chosen is None and self._options.decrypted:
                self._plan.take([frame.number for frame in frames])
            if needed:
                found.feed(frames)
        self.secrets = walk.secrets
        done: set[Connection] = set()
        for one in wanted:
            connection = found.at(one.key, one.first)
            if connection is None:
                self._take_whole_messages(one)
            elif connection not in done:
                done.add(connection)
                self._take(one, connection)
        self._take_datagrams()
        self._plan.settle()

    @property
    def _everything(self) -> bool:
        """Every frame stays as it is."""
        return self._chosen is None and not self.anew

    def number_of(self) -> Callable[[int], int]:
        """Return what gives the number that a frame of the capture has in the slice, else 0."""
        numbers = self._plan.numbers()
        if self._everything:
            return lambda frame: frame
        return lambda frame: numbers[frame] if frame < len(numbers) else 0

    def frames(self) -> Iterator[Sliced]:
        """Walk over the capture again; yield what the slice holds, in capture order."""
        plan, everything = self._plan, self._everything
        comments = _comments_of(self._trace.plain_read)
        for frames in Walk(self._trace.plain_read, self.step):
            for frame in frames:
                number = frame.number
                if everything or plan.takes(number):
                    yield Sliced(frame, number, True, False, comments(frame))  # noqa: FBT003
                    continue
                packets = list(plan.packets(number))
                for at, packet in enumerate(packets, 1):
                    made = rewritten(packet, frame, self._payload(packet))
                    yield Sliced(made, number, at == len(packets), True, ())  # noqa: FBT003

    def _payload(self, packet: Packet) -> bytes:
        """Return what a packet carries: of the file, or of what was decrypted."""
        return b"".join([self._trace.read(offset, length) for offset, length in packet.parts])

    # planning

    @property
    def _rows(self) -> Sequence[int]:
        return range(len(self._trace)) if self._chosen is None else self._chosen.rows

    def _wanted(self) -> list[_Wanted]:
        """Return the connections that something was chosen of; of everything those with TLS."""
        trace, chosen = self._trace, self._chosen
        found = []
        for number, rows in sorted(self._by_connection.items()):
            one = trace.connections[number]
            if one.transport != "udp" and (chosen is not None or one.transport == "tls"):
                key = _key(one.opener, one.responder)
                anew = self._is_anew(number, len(rows))
                tls = one.transport == "tls"
                found.append(_Wanted(key, one.first_frame, number, tls, anew))
        # A connection with TLS that was decrypted is among the others as well.
        found += [
            _Wanted(_key(one.opener, one.responder), one.frames[0], None, one.service == "TLS")
            for one in trace.quality.others
            if (one.service == "TLS" if chosen is None else one.frames[0] in chosen.frames)
        ]
        return found

    @once
    def _by_connection(self) -> dict[int, array[int]]:
        """The chosen messages of each connection."""
        found: dict[int, array[int]] = {}
        stream = self._trace.rows.stream
        for row in self._rows:
            found.setdefault(stream[row] >> 1, array("I")).append(row)
        return found

    def _is_anew(self, number: int, count: int) -> bool:
        """Tell whether a connection of which so many messages are chosen is to be written anew."""
        one = self._trace.connections[number]
        if one.transport == "tls":
            return self._options.decrypted
        return count < sum(one.messages) and not self._options.whole_connections

    def _take(self, one: _Wanted, connection: Connection) -> None:
        if one.anew:
            self._plan.leave(connection.frames)
            self.anew += self._plan.write(self._packets(one, connection)) > 0
            return
        self.whole += 1
        if one.tls:
            self.tls += 1
            if connection.random is not None:
                self.randoms.add(connection.random)
        if self._chosen is not None:
            self._plan.take(connection.frames)

    def _take_whole_messages(self, one: _Wanted) -> None:
        """Take the frames of messages that are no segments: exported ones, those of a trace."""
        if self._chosen is not None and one.number is not None:
            for row in self._by_connection[one.number]:
                self._plan.take(self._trace.frames(row))

    def _plan_of_inputs(self) -> None:
        """Take, of several inputs, the frames in which a chosen message was seen anywhere.

        They stay as they are: what one input lacks of a connection another one has.
        """
        trace = self._trace
        for frames in Walk(trace.plain_read, self.step):
            self.digits = max(self.digits, *(frame.digits for frame in frames), 0)
        for row in self._rows if self._chosen is not None else ():
            self._plan.take(trace.frames(row))
            self._plan.take([one.frame for one in trace.sightings(row)])
        self._plan.settle()

    def _take_datagrams(self) -> None:
        """Take the frames of messages and questions in datagrams."""
        trace = self._trace
        if self._chosen is None:
            return
        for row in self._chosen.rows:
            if trace.streams[trace.rows.stream[row]].transport == "udp":
                self._plan.take(trace.frames(row))
        queries = {query.frame for query in trace.quality.queries}
        self._plan.take(self._chosen.frames & queries)

    def _packets(self, one: _Wanted, connection: Connection) -> Iterator[Packet]:
        """Yield the packets of a connection that carries only what was chosen."""
        assert connection.segments is not None
        trace, log = self._trace, connection.segments
        mine = () if one.number is None else self._by_connection[one.number]
        pieces = [piece for row in mine for piece in trace.rows.piece_list(row)]
        if one.tls:
            log = plain_segments(log, _by_frame(pieces), self._unread(one))
        return Resequenced(connection.key, log, Pieces(pieces), self._cut(mine)).packets()

    def _unread(self, one: _Wanted) -> tuple[list[int], list[int]]:
        """Return, of each side, the frames before which TLS could not be decrypted."""
        assert one.number is not None
        holes = self._trace.quality.holes
        return (
            [hole.frame for hole in holes if hole.stream == 2 * one.number],
            [hole.frame for hole in holes if hole.stream == 2 * one.number + 1],
        )

    def _cut(self, rows: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Yield where messages that a hole cut end in the file, and what their heads say is left.

        The rest of such a message lies behind the hole and is no message: it is left out, and the
        hole made longer by it, so that the next message begins where that one ended.
        """
        table = self._trace.rows
        for row in rows:
            if not table.notes[row] & HOLE or table.content_length[row] < 0:
                continue
            raw = self._trace.raw(row)
            body = raw.find(b"\r\n\r\n")
            left = body + 4 + table.content_length[row] - len(raw)
            if body >= 0 and left > 0:
                last = table.piece_list(row)[-1]
                yield last.offset + last.length, left


class _Wanted(NamedTuple):
    """A connection that something was chosen of."""

    key: bytes
    first: int
    """A frame of it, of a SIP connection the first."""
    number: int | None
    """Of a SIP connection, in the trace."""
    tls: bool
    anew: bool = False
    """It is to be written anew."""


def _by_frame(pieces: Iterable[Piece]) -> dict[int, list[Piece]]:
    found: dict[int, list[Piece]] = {}
    for piece in sorted(pieces, key=lambda one: one.offset):
        found.setdefault(piece.frame, []).append(piece)
    return found


def _key(opener: str, responder: str) -> bytes:
    """Return the key of a connection (see ``Segment``) from its two addresses.

    It is empty where an end is a name: in a text trace, whose messages lie in no segments.
    """
    try:
        hosts, ports = zip(*(_end(text) for text in (opener, responder)), strict=True)
    except ValueError:
        return b""
    return b"".join(hosts + ports)


def _end(text: str) -> tuple[bytes, bytes]:
    host, _, port = text.rpartition(":")
    return ip_address(host.strip("[]")).packed, int(port).to_bytes(2, "big")


def _comments_of(read: Callable[[int, int], bytes]) -> Callable[[Frame], tuple[bytes, ...]]:
    """Return what gives the comments that a capture has on a frame."""
    if read(0, 4) != _PCAPNG:
        return lambda _: ()

    def comments(frame: Frame) -> tuple[bytes, ...]:
        head = read(max(frame.offset - 28, 0), 8)
        order = _ENHANCED.get(head[:4])
        if order is None:
            return ()
        length = int.from_bytes(head[4:], "little" if order == "<" else "big")
        data = len(frame.data) + -len(frame.data) % 4
        room = length - 32 - data
        if room < 4:
            return ()
        options = blocks.options(order, read(frame.offset + data, room))
        return tuple(one[1] for one in options if one is not None and one[0] == COMMENT)

    return comments
