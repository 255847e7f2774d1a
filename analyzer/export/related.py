"""What belongs to a message: its transaction, its copies on other hops, its dialog and session."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from analyzer.lazy import once
from analyzer.meaning import outline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.trace import Trace

FRAMING = frozenset({"INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE", "SUBSCRIBE"})
"""Methods that say when a dialog begins, goes on and ends (RFC 3261, RFC 3311, RFC 6665)."""


class Related:
    """Answers about one trace; messages are rows."""

    def __init__(self, trace: Trace) -> None:
        self._trace, self._rows = trace, trace.rows
        self._analysis = outline(trace)

    @once
    def _exchange(self) -> dict[int, int]:
        """The transaction of each row, of a hop copy the one that it is a copy of."""
        of, copy = self._analysis.transaction_of, self._analysis.copy_of
        return {row: of.get(copy.get(row, row), index) for row, index in of.items()}

    @once
    def _of_exchange(self) -> dict[int, list[int]]:
        return _grouped(self._exchange)

    @once
    def _of_dialog(self) -> dict[int, list[int]]:
        return _grouped(self._analysis.dialog_of)

    @once
    def _answers(self) -> dict[int, set[int]]:
        """Of each row of a command the rows of its replies, and the other way."""
        found: dict[int, set[int]] = {}
        for pair in self._analysis.pairs:
            rows = {reply.row for reply in pair.replies}
            if pair.row is not None:
                rows.add(pair.row)
            if len(rows) > 1:
                for row in rows:
                    found.setdefault(row, set()).update(rows)
        return found

    def rows_in(self, frames: Iterable[int]) -> list[int]:
        """Return all messages that these frames complete."""
        known, found = self._rows.frame, []
        for frame in set(frames):
            row = bisect_left(known, frame)
            while row < len(known) and known[row] == frame:
                found.append(row)
                row += 1
        return found

    def exchanges(self, rows: Iterable[int]) -> set[int]:
        """Return the whole transactions of messages, on every hop."""
        found: set[int] = set()
        for row in rows:
            found.add(row)
            index = self._exchange.get(row)
            if index is not None:
                found.update(self._of_exchange[index])
        return found

    def dialog(self, index: int) -> set[int]:
        """Return the messages of a dialog, on every hop."""
        return self.exchanges(self._of_dialog.get(index, ()))

    def whole_dialogs(self, rows: Iterable[int]) -> set[int]:
        """Return the dialogs of messages; of one that is in none, its transaction."""
        of = self._analysis.dialog_of
        rows = list(rows)
        indexes = {of[row] for row in rows if row in of}
        found = self.exchanges(rows)
        for index in indexes:
            found |= self.dialog(index)
        return found

    def registrations(self, session: int) -> set[int]:
        """Return the registrations of a session."""
        found: set[int] = set()
        for join in self._analysis.sessions[session].joins:
            if self._analysis.dialogs[join.dialog].role == "registration":
                found |= self.dialog(join.dialog)
        return found

    def signing_in(self, session: int) -> set[int]:
        """Return what a session had beside its channel dialogs: what its sign-in is judged by."""
        found = self._services(session)
        for join in self._analysis.sessions[session].joins:
            if self._analysis.dialogs[join.dialog].role != "channel":
                found |= self.dialog(join.dialog)
        return found

    def session(self, index: int) -> set[int]:
        """Return everything that a session had."""
        found = self._services(index)
        for join in self._analysis.sessions[index].joins:
            found |= self.dialog(join.dialog)
        return found

    def _services(self, session: int) -> set[int]:
        """Return the transactions of a session outside dialogs."""
        found: set[int] = set()
        for service in self._analysis.sessions[session].services:
            request = self._analysis.transactions[service].request
            if request is not None:
                found |= self.exchanges((request,))
        return found

    def with_context(self, rows: Iterable[int]) -> set[int]:
        """Return messages with their answers and replies, and with what frames their dialogs."""
        found = self.exchanges(rows)
        found = self.exchanges({one for row in found for one in self._answers.get(row, ())} | found)
        of = self._analysis.dialog_of
        dialogs = {of[row] for row in found if row in of}
        methods, value = self._rows.method, self._rows.strings.values
        for index in dialogs:
            found |= self.exchanges(
                row for row in self._of_dialog[index] if value[methods[row]] in FRAMING
            )
        for session in self.sessions_of(found):
            found |= self.registrations(session)
        return found

    def sessions_of(self, rows: Iterable[int]) -> set[int]:
        """Return the sessions that the dialogs of messages belong to."""
        of = self._analysis.dialog_of
        dialogs = {of[row] for row in rows if row in of}
        found = (self._analysis.dialogs[index].session for index in dialogs)
        return {session for session in found if session is not None}


def _grouped(of: dict[int, int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for row, index in of.items():
        found.setdefault(index, []).append(row)
    return found
