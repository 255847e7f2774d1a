"""One session: its parts by kind, and what the capture can tell, worked out when asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.flows.signin import judgements, steps_of
from analyzer.lazy import once
from analyzer.model import Session
from analyzer.problems import doubts_of, problems_of
from analyzer.roles import plain_uri
from analyzer.sessions.registrations import server_of
from analyzer.sessions.room_names import RoomNames
from analyzer.sessions.rooms import JOINING, RoomBook, is_good
from analyzer.verdict import verdict_of
from analyzer.visibility import REPLY_GRACE_NS
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from analyzer.commands import Command
    from analyzer.dialogs import DialogDraft
    from analyzer.flows.engine import Judgement
    from analyzer.model import Join, Post, Room, Step
    from analyzer.sessions.assignment import Draft
    from analyzer.sessions.material import Material

UCC_VERSION = re.compile(r"\bUCCAPI/(\d{1,4})\.")
POOL_VERSION = 15
"""Lync 2013: from it on the pool URI comes from provisioning, and clients have no preferences."""
FIRST_ROUNDS = 4
"""REGISTERs that a sign-in takes at most: NTLM three, one more after a redirect."""
SIGNED_BEFORE = re.compile(rb"[Aa]uthorization:[^\r\n]{1,2048}?\bcnum=\"(?!1\")\d")
"""``cnum`` counts the messages that an association signed, from 1."""


class SessionView(Session):
    """A session as those who judge it see it."""

    def __init__(
        self,
        material: Material,
        index: int,
        draft: Draft,
        commands: Sequence[Command],
        outside: Sequence[int],
    ) -> None:
        self.material = material
        self.trace = material.trace
        self.visibility = material.visibility
        self.found = material.transactions
        """The transactions of the trace."""
        self.outcomes = material.outcomes
        self.lookups = material.lookups
        self.index = index
        self.user = draft.shown
        self.epid = draft.epid
        self.registrations = draft.registrations
        self.commands = commands
        """Commands and posts in order."""
        self.outside = outside
        """Transactions outside dialogs."""
        self.dialogs = draft.dialogs
        """All of them in order, registrations too."""
        self._draft = draft

    @once
    def branches(self) -> Container[int]:
        """Dialogs that are branches of a forked INVITE."""
        fork_of = self.material.groups.fork_of
        return {one.index for one in self.dialogs if one.index in fork_of} if fork_of else ()

    @once
    def _roles(self) -> dict[str, list[DialogDraft]]:
        found: dict[str, list[DialogDraft]] = {}
        branches = self.branches
        for dialog in self.dialogs:
            if dialog.index not in branches:
                found.setdefault(dialog.role, []).append(dialog)
        return found

    @once
    def _named(self) -> dict[str, list[Command]]:
        found: dict[str, list[Command]] = {}
        for command in self.commands:
            found.setdefault(command.name, []).append(command)
        return found

    def of_role(self, role: str) -> Sequence[DialogDraft]:
        """Return the dialogs of a role, without branches of forked INVITEs."""
        return self._roles.get(role, ())

    def named(self, name: str) -> Sequence[Command]:
        """Return the commands of a name; the posts for ``grpchat``."""
        return self._named.get(name, ())

    def frame(self, row: int) -> int:
        """Return the frame that completes a message."""
        return self.trace.rows.frame[row]

    def time(self, row: int) -> int:
        """Return the time of a message in nanoseconds."""
        return self.trace.rows.time[row]

    @once
    def connections(self) -> tuple[int, ...]:
        """Return the connections that it used, in order."""
        stream, branches = self.trace.rows.stream, self.branches
        used: dict[int, None] = {}
        for dialog in self.dialogs:
            if dialog.index in branches:
                continue
            if len(dialog.group.legs) == 1 and not self.found.across:
                used[dialog.connection] = None  # a leg is on one connection
            else:
                used.update(dict.fromkeys(stream[row] >> 1 for row in dialog.rows))
        return tuple(used)

    @once
    def started(self) -> int:
        """Return the time of its first message."""
        return min(dialog.started for dialog in self.dialogs)

    @once
    def ended(self) -> int:
        """Return the time of its last message."""
        times = self.trace.rows.time
        return max(max(times[one.rows[-1]], one.started) for one in self.dialogs)

    @once
    def late(self) -> bool:
        """The session was going on before the capture began."""
        if not self.registrations or self.refreshed:
            return True
        signed_in = self.registrations[0].dialog.started
        return any(
            not dialog.began_in_capture or dialog.started < signed_in for dialog in self.dialogs
        )

    @once
    def refreshed(self) -> bool:
        """Its first REGISTER in the capture goes on with an earlier registration.

        Such a one has a CSeq beyond the rounds of a sign-in (RFC 3261 section 10.2.4), or is signed
        with a security association that was used before ([MS-SIPAE]).
        """
        for index in self.registrations[0].transactions if self.registrations else ():
            row = self.found.request[index]
            if row >= 0:
                cseq = self.trace.rows.cseqs.values[self.trace.rows.cseq[row]]
                beyond = cseq is not None and cseq[0] > FIRST_ROUNDS
                return beyond or SIGNED_BEFORE.search(self.trace.raw(row)) is not None
        return False

    @once
    def gaps(self) -> str | None:
        """Why parts of it may be missing though they were on the wire, or None."""
        for connection in self.connections:
            if self.visibility.one_way(connection):
                return "only one direction of a connection was captured"
            holes = self.visibility.holes(connection)
            if holes:
                return f"frames are missing from the capture before frame {holes[0]}"
        return self.hidden

    @once
    def hidden(self) -> str | None:
        """Why what its messages say may be unknown though they are there, or None."""
        return self.visibility.hidden(row for dialog in self.dialogs for row in dialog.rows)

    @once
    def cut_short(self) -> bool:
        """The capture ends while the session goes on."""
        last = max(dialog.rows[-1] for dialog in self.dialogs)
        open_end = not any(self.visibility.closed(one) for one in self.connections)
        return open_end and self.visibility.time_left(last) < REPLY_GRACE_NS

    @once
    def user_agent(self) -> str | None:
        """Return that of the client: from REGISTER, else from the first request that has one."""
        for registration in self.registrations:
            if registration.user_agent:
                return registration.user_agent
        for dialog in self.dialogs:
            for index in dialog.group.transactions:
                request = self.found.request[index]
                if request < 0:
                    continue
                message = self.trace.message(request)
                if isinstance(message, Malformed) or message.from_ is None:
                    continue
                if message.from_.uri == dialog.client and message.user_agent:
                    return message.user_agent
        return None

    @once
    def sipe(self) -> bool:
        """The client is Pidgin (or another libpurple program) with SIPE."""
        return "sipe" in (self.user_agent or "").lower()

    @once
    def pool_client(self) -> bool:
        """The client is Lync 2013 or later: it needs neither lookup nor preferences."""
        found = UCC_VERSION.search(self.user_agent or "")
        return found is not None and int(found[1]) >= POOL_VERSION

    @once
    def entered(self) -> tuple[int, int]:
        """How many rooms it joined, and how many it asked for: all rooms only where one refused."""
        reader, elements = self.material.reader, self.material.elements
        joined: set[str] = set()
        for command in (command for name in JOINING for command in self.named(name)):
            for reply in command.answers:
                facts = reader.facts(reply.row, elements.position(reply.element))
                if facts.failed or not is_good(self.outcomes.code(reply)):
                    return self._entered_of_all
                joined.update(facts.rooms)
            if command.outcome == "rejected":
                return self._entered_of_all
        return len(joined), len(joined)

    @property
    def _entered_of_all(self) -> tuple[int, int]:
        joined = [room for room in self.rooms if room.joined is not None]
        refused = [room for room in self.rooms if room.joined is None and room.refused is not None]
        return len(joined), len(joined) + len(refused)

    @property
    def refused_rooms(self) -> list[Room]:
        """The rooms that it was not let into."""
        joined, asked = self.entered
        return [room for room in self.rooms if room.refused is not None] if asked > joined else []

    @once
    def _book(self) -> RoomBook:
        elements = self.material.elements
        book = RoomBook(self.material.reader, self.outcomes, elements)
        book.note_commands(self.commands)
        for dialog in self.dialogs:
            tag = dialog.client_side.tag
            chats = (one for one in elements.of(dialog.index) if elements.what[one][0] == "grpchat")
            book.note_deliveries([one for one in chats if elements.sender_tag(one) != tag])
        return book

    @once
    def rooms(self) -> tuple[Room, ...]:
        """Return its rooms, in the order in which they are first spoken of."""
        return self._book.rooms()

    @once
    def room_names(self) -> RoomNames:
        """Return what sentences call its rooms."""
        return RoomNames(self.rooms)

    @once
    def posts(self) -> tuple[Post, ...]:
        """Return the chat messages that it sent."""
        return tuple(self._book.posts)

    @once
    def joins(self) -> tuple[Join, ...]:
        """Return its dialogs, each with the reason."""
        return tuple(self._draft.joins)

    @once
    def services(self) -> tuple[int, ...]:
        """Return its transactions outside dialogs."""
        return tuple(self.outside)

    @once
    def pairs(self) -> tuple[int, ...]:
        """Return its commands and posts by number."""
        return tuple(command.index for command in self.commands)

    @once
    def server(self) -> str | None:
        """Return the server's name, from the first answer to REGISTER."""
        found = (server_of(self.trace, one) for one in self.registrations)
        return next((server for server in found if server), None)

    @once
    def signed_in(self) -> int | None:
        """Return the row of the first 2xx to REGISTER."""
        known = (one.signed_in for one in self.registrations if one.signed_in is not None)
        return next(known, None)

    @once
    def signed_off(self) -> int | None:
        """Return the row of the last 2xx to REGISTER with Expires 0."""
        known = [one.signed_off for one in self.registrations if one.signed_off is not None]
        return known[-1] if known else None

    @once
    def _addresses(self) -> tuple[str, str | None, str]:
        """Address of the client, of its front end, and the transport between them."""
        rows, value = self.trace.rows, self.trace.rows.strings.values
        dialog = self.registrations[-1].dialog if self.registrations else self.dialogs[0]
        row = dialog.rows[0]
        stream = self.trace.streams[rows.stream[row]]
        sent = plain_uri(value[rows.from_uri[row]] or "") == self._draft.user
        if sent == (rows.status[row] < 0):
            return stream.src, stream.dst, stream.transport
        return stream.dst, stream.src, stream.transport

    @once
    def client_address(self) -> str:
        """Return the address of the client."""
        return self._addresses[0]

    @once
    def front_end(self) -> str | None:
        """Return the address of its front end."""
        return self._addresses[1]

    @once
    def transport(self) -> str:
        """Return the transport between them."""
        return self._addresses[2]

    @once
    def sign_ins(self) -> tuple[Judgement, ...]:
        """Return what became of its sign-ins: more than one where it started again (481)."""
        return judgements(self)

    @once
    def steps(self) -> tuple[Step, ...]:
        """Return the ten steps of its first sign-in."""
        return steps_of(self)

    @once
    def verdict(self) -> str:
        """Return the sentence that says how far it got."""
        return verdict_of(self, self.steps)

    @once
    def problems(self) -> tuple[str, ...]:
        """Return what failed."""
        return problems_of(self)

    @once
    def doubts(self) -> tuple[str, ...]:
        """Return why the capture may not show all of it."""
        return doubts_of(self)
