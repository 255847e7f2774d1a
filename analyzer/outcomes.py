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
    from collections.abc import Callable, Sequence

    from analyzer.commands import Command
    from analyzer.contents import Element
    from analyzer.model import Dialog, Outcome, Transaction
    from analyzer.trace import Trace
    from analyzer.visibility import Visibility

SHOWN_REPLIES = 3
"""Replies of a command whose frames its sentence names."""


class OutcomeJudge:
    """Makes command pairs of the commands of a trace."""

    def __init__(
        self,
        trace: Trace,
        transactions: Sequence[Transaction],
        visibility: Visibility,
        rooms: Callable[[Command], tuple[str, ...]],
    ) -> None:
        self._trace = trace
        self._rows = trace.rows
        self._transactions = transactions
        self._visibility = visibility
        self._rooms = rooms

    def pair(
        self, index: int, command: Command, dialog: Dialog | None, ended: int | None
    ) -> CommandPair:
        """Return a command with its outcome; ``ended`` is the row of its dialog's BYE."""
        rows, value = self._rows, self._rows.strings.values
        first = command.element or command.answers[0]
        sent = None if command.element is None else command.element.row
        transaction = None
        if command.transaction is not None:
            transaction = self._transactions[command.transaction]
        outcome, detail = self._outcome(command, transaction, ended)
        user = None if dialog is None else dialog.client
        if user is None and sent is not None:
            user = value[rows.from_uri[sent]]
        return CommandPair(
            index=index,
            kind="grpchat" if command.post else "cmd",
            command=command.name,
            row=sent,
            item=first.item - rows.item[first.row],
            envid=value[command.key[0]],
            seqid=value[command.key[1]],
            call_id=value[rows.call_id[first.row]] or "",
            dialog=None if dialog is None else dialog.index,
            user=user,
            rooms=self._rooms(command),
            transaction=command.transaction,
            sip_status=command.status,
            sip_latency_ms=None if transaction is None else transaction.latency_ms,
            replies=tuple(self._reply(reply, sent) for reply in command.answers),
            outcome=outcome,
            paired_by=command.paired_by,
            detail=detail,
            name_mismatch=command.name_mismatch,
        )

    def _reply(self, reply: Element, sent: int | None) -> Reply:
        rows, value = self._rows, self._rows.strings.values
        columns = rows.item_columns
        latency = None if sent is None else (rows.time[reply.row] - rows.time[sent]) / 1e6
        return Reply(
            reply.row,
            reply.item - rows.item[reply.row],
            value[columns["id"][reply.item]] or f"rpl:{reply.name}",
            value[columns["code"][reply.item]],
            value[columns["text"][reply.item]],
            latency,
        )

    def _outcome(
        self, command: Command, transaction: Transaction | None, ended: int | None
    ) -> tuple[Outcome, str]:
        if command.element is None:
            return "unknown", f"{self._replies(command)}; its command is not in the capture"
        history = self._history(command)
        if command.answers:
            return "answered", self._replies(command) + history
        if command.status is None:
            return self._silence(command.element.row, "SIP did not answer it", ended, history)
        answer = self._answer(command, transaction)
        if not accepted(command.status):
            return "rejected", answer + history
        if command.post:
            return "accepted", answer + history
        return self._silence(command.element.row, f"{answer}, but no reply came", ended, history)

    def _silence(self, row: int, what: str, ended: int | None, history: str) -> tuple[Outcome, str]:
        why = self._visibility.why_unknown(row, ended)
        if why is not None:
            return "unknown", f"{what}; {why}{history}"
        left = self._visibility.time_left(row) / SECOND
        return "unanswered", f"{what} in the {left:.1f} s that the capture goes on{history}"

    def _answer(self, command: Command, transaction: Transaction | None) -> str:
        """Return what SIP answered: ``503 Service Unavailable in frame 78 (20000 ...)``."""
        final = None if transaction is None else transaction.final
        if final is None:
            return f"SIP answered {command.status}"
        text = f"SIP answered {status_text(self._trace, final)} in frame {self._rows.frame[final]}"
        return text if accepted(command.status) else text + diagnosis(self._trace, final)

    def _replies(self, command: Command) -> str:
        rows, columns = self._rows, self._rows.item_columns
        value = rows.strings.values
        parts = []
        for reply in command.answers[:SHOWN_REPLIES]:
            code = value[columns["code"][reply.item]]
            text = value[columns["text"][reply.item]]
            result = " ".join(part for part in (code, text) if part) or "no result"
            parts.append(f"rpl:{reply.name} {result} in frame {rows.frame[reply.row]}")
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
