"""The messages of one session as its client saw them: who sent each, and what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.roles import plain_uri
from analyzer.states import status_text

if TYPE_CHECKING:
    from analyzer.dialogs import DialogDraft
    from analyzer.sessions.view import SessionView

FINAL = 200
SILENT = ("ACK", "CANCEL")
"""Requests that nobody waits for before he sends them."""


class Messages:
    """The rows of a session, without branches of forked INVITEs and copies on further hops."""

    def __init__(self, view: SessionView) -> None:
        self._view = view
        self._rows = view.trace.rows
        self._copies = view.material.copies
        self._dialog: dict[int, DialogDraft | None] = {}
        self._near: dict[int, int] = {}
        for dialog in view.dialogs:
            if dialog.index not in view.branches:
                self._dialog.update(dict.fromkeys(dialog.rows, dialog))
                if dialog.copies:
                    self._near.update((self._copies.get(row, row), row) for row in dialog.rows)
        for index in view.outside:
            self._dialog.update(dict.fromkeys(view.found.all_rows(index)))

    def rows(self) -> list[int]:
        """Return all of them, in order."""
        return sorted(self._dialog)

    def captured(self) -> list[int]:
        """Return all of them with their copies on further hops, in order."""
        copies = (row for dialog in self._view.dialogs for row in dialog.copies)
        return sorted({*self._dialog, *copies})

    def frame(self, row: int) -> int:
        """Return the frame that completes a message."""
        return self._rows.frame[row]

    def near(self, row: int) -> int:
        """Return the copy of a message on the connection nearest to the client."""
        origin = self._copies.get(row, row)
        return self._near.get(origin, row)

    def dialog(self, row: int) -> DialogDraft | None:
        """Return the dialog of a message; None outside dialogs."""
        return self._dialog.get(row)

    def from_client(self, row: int) -> bool:
        """Say whether the client sent a message."""
        return self._client_asks(row) == (self._rows.status[row] < 0)

    def _client_asks(self, row: int) -> bool:
        """Say whether the request that a message is, or answers, is the client's."""
        dialog, rows = self._dialog.get(row), self._rows
        if dialog is None:
            sender = rows.strings.values[rows.from_uri[row]] or ""
            return plain_uri(sender) == plain_uri(self._view.user or "")
        if dialog.role == "registration":
            return True
        tag = dialog.client_side.tag
        return rows.from_tag[row] == tag if tag else rows.from_uri[row] == dialog.client_side.uri

    def asks(self, row: int) -> bool:
        """Say whether it is a request of the client that it may have waited with."""
        found, rows = self._view.found, self._rows
        if rows.status[row] >= 0 or not self.from_client(row):
            return False
        again = found.of[row] >= 0 and found.request[found.of[row]] != row
        return not again and rows.strings.values[rows.method[row]] not in SILENT

    def answers(self, row: int) -> bool:
        """Say whether it is what a client waits for: a final answer, or the reply to a command."""
        rows = self._rows
        if self.from_client(row):
            return False
        if rows.status[row] >= 0:
            return rows.status[row] >= FINAL
        return any(name.startswith("rpl:") for name in self.items(row))

    def items(self, row: int) -> list[str]:
        """Return the XCCOS items of a message: ``getpref``, ``rpl:bjoin``, ``grpchat``."""
        what, first = self._view.material.elements.what, self._rows.item[row]
        return [
            name if kind in {"cmd", "grpchat"} else f"{kind}:{name}"
            for kind, name in what[first : first + self._rows.items[row]]
        ]

    def text(self, row: int) -> str:
        """Return what a message is: ``REGISTER``, ``200 OK (REGISTER)``, ``getpref (11)``."""
        rows, value = self._rows, self._rows.strings.values
        method = value[rows.method[row]] or "?"
        if rows.status[row] >= 0:
            return f"{status_text(self._view.trace, row)} ({method})"
        items = self.items(row)
        if items:
            return ", ".join(
                f"{name} ({items.count(name)})" if items.count(name) > 1 else name
                for name in dict.fromkeys(items)
            )
        dialog = self._dialog.get(row)
        if method == "INVITE" and dialog is not None and dialog.role in {"lookup", "channel"}:
            return f"INVITE to {dialog.role.capitalize()}"
        return method

    def attributes(self, row: int) -> dict[str, Any]:
        """Return what the node of a message says of it."""
        rows = self._rows
        return {
            "kind": "response" if rows.status[row] >= 0 else "request",
            "text": self.text(row),
            "time": rows.time[row],
            "frame": rows.frame[row],
            "session": self._view.index,
        }


def channel_sources(view: SessionView) -> dict[str, list[int]]:
    """Return the URIs that ``rpl:requri`` brought, as they compare, with its rows ascending."""
    found: dict[str, list[int]] = {}
    for command in view.named("requri"):
        for answer in command.answers:
            for uri in view.lookups.get(answer.row, ()):
                found.setdefault(plain_uri(uri), []).append(answer.row)
    for rows in found.values():
        rows.sort()
    return found
