"""Outcomes: what became of every command and post, with one sentence that says how that is known.

``unanswered`` is said only where the capture would have shown the answer; everything else without
an answer is ``unknown``, with the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.commands import accepted
from analyzer.model import CommandPair, Reply
from analyzer.states import status_text
from analyzer.times import SECOND
from dissectors.model import Malformed
from dissectors.sip.ms_headers import ms_diagnostics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.commands import Answer, Command
    from analyzer.contents import Elements
    from analyzer.dialogs import DialogDraft
    from analyzer.room_reader import RoomReader
    from analyzer.trace import Trace
    from analyzer.transaction_table import Transactions
    from analyzer.visibility import Visibility

SHOWN_REPLIES = 3
"""Replies of a command whose frames its sentence names."""
ROOMLESS = frozenset(
    {"requri", "getserverinfo", "getpref", "setpref", "chansrch", "getinv", "nodespermcreatechild"}
)
"""Commands that name no room: they are not read back for one."""
ROOM_REPLIES = frozenset({"join", "bjoin", "part", "bccontext"})
"""Replies whose rooms are those of their command; the rooms of others are search results."""


class OutcomeJudge:
    """Says of the commands of a trace what became of them, and makes pairs of them."""

    def __init__(
        self,
        trace: Trace,
        transactions: Transactions,
        elements: Elements,
        visibility: Visibility,
        reader: RoomReader,
    ) -> None:
        self._trace = trace
        self._rows = trace.rows
        self._transactions = transactions
        self._elements = elements
        self._visibility = visibility
        self._reader = reader
        self._rooms: dict[int, tuple[str, ...]] = {}
        self.dialogs: Sequence[DialogDraft] = ()

    def judge(self, commands: Sequence[Command], dialogs: Sequence[DialogDraft]) -> None:
        """Give all commands of the trace their outcome and number."""
        self.dialogs = dialogs
        for index, command in enumerate(commands):
            command.index = index
            if command.element < 0:
                continue
            if command.answers:
                command.outcome = "answered"
            elif command.status is not None and not accepted(command.status):
                command.outcome = "rejected"
            elif command.status is not None and command.post:
                command.outcome = "accepted"
            elif self._visibility.why_unknown(command.row, self._ended(command)) is None:
                command.outcome = "unanswered"

    def _ended(self, command: Command) -> int | None:
        """Return the row of the BYE that ended the dialog of a command."""
        return self.dialogs[command.dialog].end.row if command.dialog >= 0 else None

    def pair(self, command: Command) -> CommandPair:
        """Return a command as a value."""
        rows, value = self._rows, self._rows.strings.values
        row, element = command.first()
        sent = None if command.element < 0 else row
        known = command.transaction >= 0
        return CommandPair(
            index=command.index,
            kind="grpchat" if command.post else "cmd",
            command=command.name,
            row=sent,
            item=element - rows.item[row],
            envid=value[command.key[0]],
            seqid=value[command.key[1]],
            call_id=value[rows.call_id[row]] or "",
            dialog=None if command.dialog < 0 else command.dialog,
            user=self.user(command),
            rooms=self.rooms(command),
            transaction=command.transaction if known else None,
            sip_status=command.status,
            sip_latency_ms=self._transactions.latency_ms(command.transaction) if known else None,
            replies=tuple(self._reply(reply, sent) for reply in command.answers),
            outcome=command.outcome,
            paired_by=command.paired_by,
            detail=self.detail(command),
            name_mismatch=command.name_mismatch,
        )

    def user(self, command: Command) -> str | None:
        """Return the URI of who sent a command."""
        user = None if command.dialog < 0 else self.dialogs[command.dialog].client
        if user is None and command.element >= 0:
            user = self._rows.strings.values[self._rows.from_uri[command.row]]
        return user

    def rooms(self, command: Command) -> tuple[str, ...]:
        """Return the rooms that a command names; of one not captured those of its first reply."""
        if command.name not in ROOM_REPLIES if command.element < 0 else command.name in ROOMLESS:
            return ()
        known = self._rooms.get(command.index)
        if known is None:
            row, element = command.first()
            known = self._reader.facts(row, element - self._rows.item[row]).rooms
            self._rooms[command.index] = known
        return known

    def answer_id(self, reply: Answer) -> str:
        """Return the id of a reply as on the wire."""
        return self._elements.text("id", reply.element) or f"rpl:{reply.name}"

    def code(self, reply: Answer) -> str | None:
        """Return the code of a reply."""
        return self._elements.text("code", reply.element)

    def _reply(self, reply: Answer, sent: int | None) -> Reply:
        rows, text = self._rows, self._elements.text
        return Reply(
            reply.row,
            reply.element - rows.item[reply.row],
            self.answer_id(reply),
            text("code", reply.element),
            text("text", reply.element),
            None if sent is None else (rows.time[reply.row] - rows.time[sent]) / 1e6,
        )

    def detail(self, command: Command) -> str:
        """Return the sentence that says what became of a command."""
        if command.element < 0:
            return f"{self._replies(command)}; its command is not in the capture"
        history = self._history(command)
        if command.answers:
            return self._replies(command) + history
        if command.status is None:
            return self._silence(command, "SIP did not answer it") + history
        answer = self._answer(command)
        if command.outcome in {"rejected", "accepted"}:
            return answer + history
        return self._silence(command, f"{answer}, but no reply came") + history

    def _silence(self, command: Command, what: str) -> str:
        why = self._visibility.why_unknown(command.row, self._ended(command))
        if why is not None:
            return f"{what}; {why}"
        left = self._visibility.time_left(command.row) / SECOND
        return f"{what} in the {left:.1f} s that the capture goes on"

    def _answer(self, command: Command) -> str:
        """Return what SIP answered: ``503 Service Unavailable in frame 78 (20000 ...)``."""
        final = self._transactions.final[command.transaction]
        text = f"SIP answered {status_text(self._trace, final)} in frame {self._rows.frame[final]}"
        return text if accepted(command.status) else text + diagnosis(self._trace, final)

    def _replies(self, command: Command) -> str:
        text, frame = self._elements.text, self._rows.frame
        parts = []
        for reply in command.answers[:SHOWN_REPLIES]:
            told = (text("code", reply.element), text("text", reply.element))
            result = " ".join(part for part in told if part) or "no result"
            parts.append(f"rpl:{reply.name} {result} in frame {frame[reply.row]}")
        more = len(command.answers) - len(parts)
        if more > 0:
            parts.append(f"{more} more")
        return ", ".join(parts)

    def _history(self, command: Command) -> str:
        frame = self._rows.frame
        text = ""
        if command.challenged:
            text += f"; sent again, newly signed (first in frame {frame[command.challenged[0]]})"
        if command.repeats is not None:
            text += f"; repeats the command of frame {frame[command.repeats]} with the same envid"
        if command.repeated is not None:
            text += f"; repeated with the same envid in frame {frame[command.repeated]}"
        return text


def diagnosis(trace: Trace, row: int) -> str:
    """Return the ms-diagnostics of an answer in brackets, with a blank before; empty without."""
    message = trace.message(row)
    if isinstance(message, Malformed):
        return ""
    for _, found in ms_diagnostics(message.headers):
        return f" ({found.id} {found.reason or ''}".rstrip() + ")"
    return ""
