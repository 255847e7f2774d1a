"""Assignment: which dialog belongs to which session, and why.

A session begins with a registration: each REGISTER dialog of a person is one, unless it goes on
with a sign-in that was redirected or had not succeeded on the same connection. Dialogs join by user
and connection, then by user and epid. What is left had its REGISTER before the capture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyzer.model import Join
from analyzer.roles import plain_uri
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.dialogs import DialogDraft
    from analyzer.sessions.registrations import Registration
    from analyzer.trace import Trace

ATTEMPTS = 8
"""Earlier sign-ins of a user that are looked at for one that a REGISTER goes on with."""
NO_REGISTER = "its REGISTER is not in the capture"


@dataclass(slots=True)
class Draft:
    """A session while its parts are collected."""

    user: str
    """As it compares."""
    shown: str | None
    """The URI as on the wire."""
    epid: str | None
    registrations: list[Registration] = field(default_factory=list)
    connections: set[int] = field(default_factory=set)
    """Those it signed in on, or is first seen on."""
    started: int = 0
    joins: list[Join] = field(default_factory=list)
    dialogs: list[DialogDraft] = field(default_factory=list)

    def is_of_a_chat_client(self) -> bool:
        """Say whether it signed in or spoke with a chat service: callers of others do neither."""
        return bool(self.registrations) or any(
            dialog.role in {"lookup", "channel"} for dialog in self.dialogs
        )

    def add(self, dialog: DialogDraft, reason: str) -> None:
        """Take a dialog in."""
        self.joins.append(Join(dialog.index, reason))
        self.dialogs.append(dialog)


class Assigner:
    """Collects the sessions of a trace."""

    def __init__(self, trace: Trace, services: set[str], fork_of: Mapping[int, int]) -> None:
        self._trace = trace
        self._services = services
        self._fork_of = fork_of
        self.drafts: list[Draft] = []
        self.of_dialog: dict[int, Draft] = {}
        self._by_user: dict[str, list[Draft]] = {}
        self._by_connection: dict[tuple[str, int], list[Draft]] = {}
        self._by_epid: dict[tuple[str, str | None], list[Draft]] = {}

    def register(self, registrations: Sequence[Registration]) -> None:
        """Begin the sessions that the capture saw signing in."""
        for registration in registrations:
            dialog = registration.dialog
            draft = self._continued(registration)
            frame = self._trace.rows.frame[dialog.rows[0]]
            if draft is None:
                draft = self._new(dialog, registration.epid)
                reason = f"it begins the session (REGISTER in frame {frame})"
            else:
                last = draft.registrations[-1]
                why = "redirected" if last.redirected else "not successful"
                reason = f"it goes on with a sign-in that was {why} (REGISTER in frame {frame})"
            draft.registrations.append(registration)
            self._connect(draft, dialog.connection)
            self._take(draft, dialog, reason)

    def _continued(self, registration: Registration) -> Draft | None:
        for draft in reversed(self._by_user.get(registration.user, [])[-ATTEMPTS:]):
            last = draft.registrations[-1]
            if draft.epid != registration.epid or last.signed_in is not None:
                continue
            if last.redirected or registration.dialog.connection in draft.connections:
                return draft
        return None

    def _new(self, dialog: DialogDraft, epid: str | None) -> Draft:
        user = plain_uri(dialog.client or "")
        draft = Draft(user, dialog.client, epid, started=dialog.started)
        self.drafts.append(draft)
        self._by_user.setdefault(user, []).append(draft)
        self._by_epid.setdefault((user, epid), []).append(draft)
        return draft

    def _connect(self, draft: Draft, connection: int) -> None:
        if connection not in draft.connections:
            draft.connections.add(connection)
            self._by_connection.setdefault((draft.user, connection), []).append(draft)

    def _take(self, draft: Draft, dialog: DialogDraft, reason: str) -> None:
        draft.add(dialog, reason)
        self.of_dialog[dialog.index] = draft

    def assign(self, dialogs: Sequence[DialogDraft]) -> None:
        """Give every other dialog of a person to a session."""
        late, branches = [], []
        for dialog in dialogs:
            user = plain_uri(dialog.client or "")
            if dialog.role == "registration" or not user or user in self._services:
                continue
            if dialog.index in self._fork_of:
                branches.append(dialog)
            elif not self._join_known(dialog, user):
                late.append(dialog)
        for dialog in late:
            self._join_late(dialog)
        for dialog in branches:
            trunk = self.of_dialog.get(self._fork_of[dialog.index])
            if trunk is not None:
                self._take(trunk, dialog, "a branch of an INVITE of this session, which was forked")
        self.drafts = [draft for draft in self.drafts if draft.is_of_a_chat_client()]

    def _join_known(self, dialog: DialogDraft, user: str) -> bool:
        """Join a session whose REGISTER was seen, by connection, else by epid."""
        here = self._by_connection.get((user, dialog.connection), [])
        if here:
            # A connection in use before its first REGISTER: that one was a refresh.
            draft = _latest(here, dialog.started) or here[0]
            by = f", epid {draft.epid}" if draft.epid else ""
            self._take(draft, dialog, f"REGISTER from {draft.shown}{by}, on this connection")
            return True
        if user not in self._by_user:
            return False
        epid = self._epid(dialog)
        same = _latest(self._by_epid.get((user, epid), []), dialog.started)
        if epid is not None and same is not None:
            reason = f"same user and epid {epid} as the REGISTER on another connection"
            self._take(same, dialog, reason)
            return True
        only = self._by_user[user]
        if len(only) == 1 and None in (epid, only[0].epid) and only[0].started <= dialog.started:
            self._take(only[0], dialog, f"the only session of {only[0].shown}")
            return True
        return False

    def _join_late(self, dialog: DialogDraft) -> None:
        """Join or begin a session whose REGISTER is not in the capture."""
        user, epid = plain_uri(dialog.client or ""), self._epid(dialog)
        for draft in self._by_connection.get((user, dialog.connection), [])[:1]:
            self._take(draft, dialog, f"same user on the same connection, {NO_REGISTER}")
            return
        for draft in self._by_epid.get((user, epid), [])[-1:] if epid is not None else ():
            if not draft.registrations:
                self._connect(draft, dialog.connection)
                self._take(draft, dialog, f"same user and epid {epid}, {NO_REGISTER}")
                return
        draft = self._new(dialog, epid)
        self._connect(draft, dialog.connection)
        known_by = f"epid {epid}" if epid else "this connection"
        reason = f"it begins the session of {dialog.client}, {known_by}; {NO_REGISTER}"
        self._take(draft, dialog, reason)

    def _epid(self, dialog: DialogDraft) -> str | None:
        """Return the epid of the client, from the first message of a dialog."""
        message = self._trace.message(dialog.rows[0])
        if isinstance(message, Malformed):
            return None
        wanted = plain_uri(dialog.client or "")
        for address in (message.from_, message.to):
            if address is not None and plain_uri(address.uri) == wanted and address.epid:
                return address.epid
        return None


def _latest(drafts: Sequence[Draft], time: int) -> Draft | None:
    """Return the latest session that had begun by a time."""
    return next((draft for draft in reversed(drafts) if draft.started <= time), None)
