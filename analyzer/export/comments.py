"""What a packet says to whoever opens it in Wireshark: findings, and the command that it carries.

Comments stand on the frame that completes a message. Frame numbers in them are those of the file
that they are written to.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING

from analyzer.export.printable import printable
from analyzer.lazy import once
from analyzer.meaning import outline
from analyzer.narrative.names import names_of, short_room
from analyzer.times import latency_text
from dissectors.xccos.messages import base_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from analyzer.diagnostics.rule import Finding
    from analyzer.model import CommandPair, Reply
    from analyzer.narrative.names import Names
    from analyzer.trace import Trace

MAX_LINES = 16
"""Comments of ours on one frame; a message may carry hundreds of items."""
MAX_TEXT = 500
"""Characters of one: Wireshark shows it on one line."""
_OUTCOMES = {
    "accepted": "accepted",
    "unanswered": "never answered",
    "unknown": "the capture cannot tell what came of it",
}


class Comments:
    """Texts about the frames of one capture, or of a part of it."""

    def __init__(
        self,
        trace: Trace,
        findings: Sequence[Finding],
        number: Callable[[int], int],
        rows: Sequence[int] | None = None,
    ) -> None:
        """Prepare.

        Args:
            trace: the capture, open.
            findings: those that are told.
            number: frame of the capture to its number in the file that is written; 0: not in it.
            rows: the messages that are written, ascending; None: all.
        """
        self._trace, self._findings, self._number, self._chosen = trace, findings, number, rows
        self._analysis = outline(trace)

    def of(self, frame: int) -> list[str]:
        """Return the comments on a frame of the capture."""
        found = [f"{one.rule} {one.severity}: {one.title}" for one in self._cited.get(frame, ())]
        for row in self._rows_at(frame):
            found += self._message(row)
        if len(found) > MAX_LINES:
            found[MAX_LINES - 1 :] = [f"and {len(found) - MAX_LINES + 1} more"]
        return [_short(printable(text)) for text in found]

    @once
    def _cited(self) -> dict[int, list[Finding]]:
        found: dict[int, list[Finding]] = {}
        for one in self._findings:
            for frame in one.frames:
                found.setdefault(frame, []).append(one)
        return found

    @once
    def _commands(self) -> dict[int, list[CommandPair]]:
        """The commands and posts of each message."""
        found: dict[int, list[CommandPair]] = {}
        for pair in self._analysis.pairs:
            if pair.row is not None:
                found.setdefault(pair.row, []).append(pair)
        return found

    @once
    def _replies(self) -> dict[int, list[tuple[CommandPair, Reply]]]:
        """The replies in each message, with the commands that they answer."""
        found: dict[int, list[tuple[CommandPair, Reply]]] = {}
        for pair in self._analysis.pairs:
            for reply in pair.replies:
                found.setdefault(reply.row, []).append((pair, reply))
        return found

    @once
    def _rooms(self) -> dict[str, str]:
        rooms = (room for session in self._analysis.sessions for room in session.rooms)
        return {room.uri: room.name for room in rooms if room.name}

    def _rows_at(self, frame: int) -> Iterator[int]:
        """Yield the messages that a frame completes, of those that are written."""
        known, chosen = self._trace.rows.frame, self._chosen
        row = bisect_left(known, frame)
        while row < len(known) and known[row] == frame:
            if chosen is None or _has(chosen, row):
                yield row
            row += 1

    def _message(self, row: int) -> Iterator[str]:
        """Yield what a message carries: commands, replies, and the rest by name."""
        if not self._trace.rows.items[row]:
            return
        origin = self._analysis.copy_of.get(row, row)
        again = " (again, on a further hop)" if origin != row else ""
        commands, replies = self._commands.get(origin, []), self._replies.get(origin, [])
        told = Counter(map(self._command, commands))
        told.update(self._reply(*one) for one in replies)
        spoken: set[tuple[str, str]] = {(pair.kind, pair.command) for pair in commands}
        spoken |= {("rpl", base_name(reply.id)) for _, reply in replies}
        for item in self._trace.rows.xccos(row):
            name = base_name(item.id or item.element)
            if (item.element, name) not in spoken:
                told[item.id or item.element] += 1
        for text, count in told.items():
            yield (text.replace("\0", f" ×{count}" if count > 1 else "", 1)) + again

    def _command(self, pair: CommandPair) -> str:
        """Return ``cmd:join Sales (user1) → 200 after 1.05 ms in frame 49``; NUL where ×2 goes."""
        name = pair.command if pair.kind == "grpchat" else f"cmd:{pair.command}"
        room = f" {self._room(pair)}" if pair.rooms else ""
        who = f" ({self._names.person(pair.user)})" if pair.user else ""
        return f"{name}\0{room}{who} → {self._outcome(pair)}"

    @once
    def _names(self) -> Names:
        return names_of(self._analysis.sessions)

    def _room(self, pair: CommandPair) -> str:
        if len(pair.rooms) > 1:
            return f"{len(pair.rooms)} rooms"
        return self._rooms.get(pair.rooms[0]) or short_room(pair.rooms[0])

    def _outcome(self, pair: CommandPair) -> str:
        if pair.replies:
            reply = pair.replies[0]
            after = f" after {latency_text(reply.latency_ms)}" if reply.latency_ms else ""
            more = f" and {len(pair.replies) - 1} more" if len(pair.replies) > 1 else ""
            return f"{reply.code or 'replied'}{after} in {self._frame(reply.row)}{more}"
        if pair.sip_status is None:
            return _OUTCOMES.get(pair.outcome, pair.outcome)
        after = f" after {latency_text(pair.sip_latency_ms)}" if pair.sip_latency_ms else ""
        word = "refused" if pair.outcome == "rejected" else _OUTCOMES.get(pair.outcome, "")
        return f"SIP {pair.sip_status}{after}" + (f", {word}" if word else "")

    def _reply(self, pair: CommandPair, reply: Reply) -> str:
        code = f" {reply.code}" if reply.code else ""
        to = f" to cmd:{pair.command} in {self._frame(pair.row)}" if pair.row is not None else ""
        return f"rpl:{base_name(reply.id)}{code}\0{to}"

    def _frame(self, row: int) -> str:
        frame = self._trace.rows.frame[row]
        number = self._number(frame)
        return f"frame {number}" if number else f"frame {frame} of the whole capture"


def _has(rows: Sequence[int], row: int) -> bool:
    at = bisect_left(rows, row)
    return at < len(rows) and rows[at] == row


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
