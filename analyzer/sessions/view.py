"""One session as those who judge it see it: its parts by kind, and what the capture can tell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from analyzer.visibility import REPLY_GRACE_NS
from dissectors.model import Malformed

if TYPE_CHECKING:
    from analyzer.model import CommandPair, Dialog, Post, Room, Transaction
    from analyzer.sessions.registrations import Registration
    from analyzer.trace import Trace
    from analyzer.visibility import Visibility

UCC_VERSION = re.compile(r"\bUCCAPI/(\d{1,4})\.")
POOL_VERSION = 15
"""Lync 2013: from it on the pool URI comes from provisioning, and clients have no preferences."""


@dataclass(frozen=True)
class SessionView:
    """A session without its verdict."""

    trace: Trace
    visibility: Visibility
    user: str | None
    registrations: tuple[Registration, ...]
    dialogs: tuple[Dialog, ...]
    """All of them in order, registrations too."""
    branches: frozenset[int]
    """Dialogs that are branches of a forked INVITE."""
    transactions: dict[int, tuple[Transaction, ...]]
    """Of each dialog, without hop copies."""
    services: tuple[Transaction, ...]
    """Requests outside dialogs."""
    pairs: tuple[CommandPair, ...]
    lookups: dict[int, tuple[str, ...]]
    """Rows of ``rpl:requri`` in the trace with the URIs that each brought."""
    rooms: tuple[Room, ...]
    posts: tuple[Post, ...]
    connections: tuple[int, ...]
    started: int
    ended: int

    def of_role(self, role: str) -> list[Dialog]:
        """Return the dialogs of a role, without branches of forked INVITEs."""
        return [
            dialog
            for dialog in self.dialogs
            if dialog.role == role and dialog.index not in self.branches
        ]

    def frame(self, row: int) -> int:
        """Return the frame that completes a message."""
        return self.trace.rows.frame[row]

    def time(self, row: int) -> int:
        """Return the time of a message in nanoseconds."""
        return self.trace.rows.time[row]

    @cached_property
    def late(self) -> bool:
        """The session was going on before the capture began."""
        if not self.registrations:
            return True
        signed_in = self.registrations[0].dialog.started
        return any(
            not dialog.began_in_capture or dialog.started < signed_in for dialog in self.dialogs
        )

    @cached_property
    def gaps(self) -> str | None:
        """Why parts of it may be missing though they were on the wire, or None."""
        for connection in self.connections:
            if self.visibility.one_way(connection):
                return "only one direction of a connection was captured"
            holes = self.visibility.holes(connection)
            if holes:
                return f"frames are missing from the capture before frame {holes[0]}"
        return None

    @cached_property
    def cut_short(self) -> bool:
        """The capture ends while the session goes on."""
        last = max(dialog.rows[-1] for dialog in self.dialogs)
        open_end = not any(self.visibility.closed(one) for one in self.connections)
        return open_end and self.visibility.time_left(last) < REPLY_GRACE_NS

    @cached_property
    def user_agent(self) -> str | None:
        """Of the client: from its REGISTER, else from the first request that has one."""
        for registration in self.registrations:
            if registration.user_agent:
                return registration.user_agent
        for dialog in self.dialogs:
            for transaction in self.transactions[dialog.index]:
                if transaction.request is None:
                    continue
                message = self.trace.message(transaction.request)
                if isinstance(message, Malformed) or message.from_ is None:
                    continue
                if message.from_.uri == dialog.client and message.user_agent:
                    return message.user_agent
        return None

    @property
    def sipe(self) -> bool:
        """The client is Pidgin (or another libpurple program) with SIPE."""
        return "sipe" in (self.user_agent or "").lower()

    @property
    def pool_client(self) -> bool:
        """The client is Lync 2013 or later: it needs neither lookup nor preferences."""
        found = UCC_VERSION.search(self.user_agent or "")
        return found is not None and int(found[1]) >= POOL_VERSION
