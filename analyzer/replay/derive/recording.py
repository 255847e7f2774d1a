"""The messages of a capture that become turns, each parsed once.

The rule: a message that cannot be read, or that merely repeats another, is no turn; how many were
left out for that is counted, never silent.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from analyzer.flows.runs import flows_of
from analyzer.ladder.selection import Choice, choose
from analyzer.lazy import once
from analyzer.replay.derive.losses import numbered
from analyzer.replay.derive.pairing import respelled
from analyzer.replay.template import Template
from dissectors.model import Malformed
from dissectors.notes import HOLE, QUOTED, TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.model import Transaction
    from analyzer.trace import Trace
    from dissectors.sip.messages import SipMessage

MAX_TURNS = 100_000
"""A script is read by people and held in memory: a day of a busy client has a tenth of this."""
NAMED = 10
"""Rooms that are named where another one was asked for."""
ALL = Choice()
# What is no turn: as it is counted, and what is said of it.
_NAMELESS = ("message", " without Call-ID or CSeq")
_REPEATED = ("repetition", "")
_UNREADABLE = ("unreadable message", "")


class Recording:
    """What was chosen of an open capture."""

    def __init__(
        self, trace: Trace, choice: Choice, step: Callable[[float], object] = lambda _: None
    ) -> None:
        """Choose and parse; raise ValueError, one line, where nothing is left.

        Args:
            trace: of an open capture.
            choice: what of it.
            step: is called for each message, with how much of them is done; it may raise.
        """
        self.trace = trace
        chosen = choose(trace, choice)
        self.name = trace.name.replace("\\", "/").rpartition("/")[2]
        """Of the capture, without its folder."""
        self.words = chosen.words
        self.scene = chosen.scene
        self.analysis = self.scene.analysis
        if not chosen.rows and len(trace.rows):
            raise ValueError(f"what is chosen has no SIP message{_there(trace, choice)}")
        wanted = sorted({one for row in chosen.rows for one in self.scene.seen(row)})
        if len(wanted) > MAX_TURNS:
            raise ValueError(
                f"{len(wanted)} messages are chosen, a script has {MAX_TURNS} at most: "
                "choose a session, a dialog or a time"
            )
        self._left_out: Counter[tuple[str, str]] = Counter()
        self.messages: dict[int, SipMessage] = {}
        self._take(wanted, step)
        if not self.messages:
            raise ValueError(f"there is no SIP message to derive a script from{self._why()}")
        self.rows = tuple(sorted(self.messages, key=self._place))
        """In the order in which they were said: as captured, but no answer before its request."""

    def _place(self, row: int) -> tuple[int, int]:
        """Return where a message stands: frames that changed places are put right."""
        asked = self.request_of.get(row, row)
        return max(row, asked), int(asked > row)

    def _why(self) -> str:
        return f" (left out: {self.left_out})" if self.left_out else ""

    @property
    def left_out(self) -> str:
        """What is no turn, counted: ``1 message without Call-ID or CSeq, 2 repetitions``."""
        counts = sorted(self._left_out.items())
        return ", ".join(f"{numbered(count, noun)}{more}" for (noun, more), count in counts)

    @property
    def started(self) -> int:
        """When the first turn was said; nanoseconds since 1970 UTC."""
        return self.trace.rows.time[self.rows[0]]

    def milliseconds(self, time: int) -> float:
        """Return a time as milliseconds after the first turn."""
        return round((time - self.started) / 1e6, 6)

    def transaction(self, row: int) -> Transaction | None:
        """Return the transaction of a message on its connection."""
        return self.scene.transaction(row)

    def uri(self, number: int) -> str:
        """Return a string of the rows by its number; empty where there is none."""
        return self.trace.rows.strings.values[number] or ""

    @once
    def request_of(self) -> dict[int, int]:
        """Return the request of each response, by row, where both are turns."""
        found: dict[int, int] = {}
        for row in self.messages:
            transaction = self.transaction(row)
            if transaction is None or self.messages[row].kind == "request":
                continue
            if transaction.request in self.messages:
                found[row] = transaction.request
        found.update(self.respelled)
        return found

    @once
    def respelled(self) -> dict[int, int]:
        """Return the request of each answer that spells its addresses otherwise, by row."""
        alone = (
            row
            for row, message in self.messages.items()
            if message.kind != "request"
            and (transaction := self.transaction(row)) is not None
            and transaction.request is None
        )
        return dict(respelled(self, alone))

    @property
    def holes(self) -> int:
        """How many holes the connections have that the turns were on."""
        stream = self.trace.rows.stream
        connections = {stream[row] >> 1 for row in self.messages}
        return sum(hole.stream >> 1 in connections for hole in self.trace.quality.holes)

    @property
    def cut(self) -> int:
        """How many turns the capture has in part."""
        notes = self.trace.rows.notes
        return sum(bool(notes[row] & (HOLE | TRUNCATED)) for row in self.messages)

    def near(self, row: int) -> int:
        """Return the sighting of a message on the connection nearest to its client."""
        return self.scene.nearest(self.scene.origin(row))

    @once
    def posts(self) -> dict[int, tuple[int, ...]]:
        """Return for each copy of posts, by row, the rows of the posts, in order."""
        found: dict[int, list[int]] = {}
        for run in flows_of(self.trace, self.scene.sessions):
            if run.row is None:
                continue
            for copy in run.copies:
                if copy.row is not None:
                    found.setdefault(self.near(copy.row), []).append(self.near(run.row))
        return {copy: tuple(dict.fromkeys(posts)) for copy, posts in found.items()}

    def _take(self, wanted: list[int], step: Callable[[float], object]) -> None:
        for number, row in enumerate(wanted):
            step(number / len(wanted))
            transaction = self.transaction(row)
            if transaction is None or self.trace.rows.notes[row] & QUOTED:
                self._left_out[_NAMELESS] += 1
            elif row in transaction.retransmissions or row in transaction.repeated_finals:
                self._left_out[_REPEATED] += 1
            else:
                message = self.trace.message(row)
                if isinstance(message, Malformed) or not _is_sayable(message):
                    self._left_out[_UNREADABLE] += 1
                else:
                    self.messages[row] = message


def _there(trace: Trace, choice: Choice) -> str:
    """Return what there would have been to choose, after a colon."""
    if choice.rooms:
        return f": {_rooms_there(trace)}"
    frames = trace.rows.frame
    if choice.frames:
        return f": the capture has them in frames {frames[0]}-{frames[len(frames) - 1]}"
    if choice.from_time is not None or choice.to_time is not None:
        times = trace.rows.time
        return f": the capture has them from {_iso(min(times))} to {_iso(max(times))}"
    return ""


def _rooms_there(trace: Trace) -> str:
    rooms = {
        room.name or room.uri for view in choose(trace, ALL).scene.views for room in view.rooms
    }
    named = sorted(rooms)[:NAMED]
    if not named:
        return "the capture has no rooms"
    more = f" and {len(rooms) - NAMED} more" if len(rooms) > NAMED else ""
    return f"the rooms of the capture are {', '.join(named)}{more}"


def _iso(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns // 1_000_000_000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _is_sayable(message: SipMessage) -> bool:
    """Say whether a message is told as what it is by its start line, Call-ID and CSeq alone."""
    start = Template(message.start_line.decode("utf-8", "replace"), ())
    request = message.kind == "request"
    return bool(message.call_id and message.cseq) and (start.status is None) == request
