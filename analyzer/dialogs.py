"""Dialogs: groups of legs with role, client, state and the rows nearest to the client.

The client is the side that is a person's: it sends commands, invites a service, or is registered.
A message that was seen on several hops stands once in ``rows``, as the client saw it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.model import Dialog
from analyzer.roles import plain_uri
from analyzer.states import Outcome, follow
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from analyzer.contents import Elements
    from analyzer.groups import Group
    from analyzer.model import DialogState, Role
    from analyzer.roles import Judgement
    from analyzer.states import Events
    from analyzer.trace import Trace
    from analyzer.transaction_table import Transactions
    from analyzer.visibility import Visibility


SPOKEN = frozenset({"lookup", "channel", "registration", "subscription"})
"""Roles whose other side is a service."""


class Side(NamedTuple):
    """One side of a dialog, by the numbers of its URI and tag in the rows."""

    uri: int
    tag: int


class DialogDraft:
    """A dialog as far as sessions look at it; all of it is in its ``value``."""

    __slots__ = (
        *("_end", "_ends", "client", "client_side", "connection", "copies", "group", "index"),
        *("judgement", "role", "rows", "service", "sides", "started"),
    )

    def __init__(
        self,
        group: Group,
        judgement: Judgement,
        client: Side,
        ends: Callable[[Group, Side], Outcome],
    ) -> None:
        self.index = group.number
        self.group = group
        self.judgement = judgement
        self.role: Role = judgement.role
        self.client_side = client
        """The side that is a person's."""
        self.sides = (client, client)
        """Caller and callee."""
        self.client: str | None = None
        """URI of the client."""
        self.service: str | None = None
        self.rows: Sequence[int] = ()
        """Its messages on the connection nearest to the client."""
        self.copies: Sequence[int] = ()
        self._ends = ends
        self._end: Outcome | None = None
        self.started = 0
        self.connection = 0

    @property
    def end(self) -> Outcome:
        """Where it stands at the end of the capture, worked out when it is asked for."""
        if self._end is None:
            self._end = self._ends(self.group, self.client_side)
        return self._end

    @property
    def began_in_capture(self) -> bool:
        """The request that began it is in the capture."""
        return any(leg.begun for leg in self.group.legs)


class DialogBuilder:
    """Makes the dialogs of a trace."""

    def __init__(
        self,
        trace: Trace,
        transactions: Transactions,
        copies: Mapping[int, int],
        elements: Elements,
        visibility: Visibility,
        events: Events,
    ) -> None:
        self._trace = trace
        self._transactions = transactions
        self._rows = trace.rows
        self._copies = copies
        self._elements = elements
        self._visibility = visibility
        self._events = events
        self._registered: set[int] | None = None

    def build(self, groups: Sequence[Group], judgements: Sequence[Judgement]) -> list[DialogDraft]:
        """Return one dialog for every group, in their order."""
        return [
            self._dialog(group, judgement)
            for group, judgement in zip(groups, judgements, strict=True)
        ]

    def _dialog(self, group: Group, judgement: Judgement) -> DialogDraft:
        rows, value, lead = self._rows, self._rows.strings.values, group.lead
        caller, callee = Side(lead.caller, lead.caller_tag), Side(lead.callee, lead.callee_tag)
        client = self._client(group, judgement, caller, callee)
        draft = DialogDraft(group, judgement, client, self._end)
        draft.sides = (callee, caller) if not lead.method and client == callee else (caller, callee)
        service = draft.sides[1] if client == draft.sides[0] else draft.sides[0]
        draft.client = value[client.uri]
        if service.uri != client.uri and draft.role in SPOKEN:
            draft.service = value[service.uri]
        if len(group.legs) == 1:
            draft.rows = lead.rows
        else:
            draft.rows, draft.copies = self._nearest(group, client)
        first = draft.rows[0]
        draft.started, draft.connection = rows.time[first], rows.stream[first] >> 1
        return draft

    def value(self, draft: DialogDraft, session: int | None) -> Dialog:
        """Return a dialog as a value, with the session that it belongs to."""
        rows, value, lead = self._rows, self._rows.strings.values, draft.group.lead
        caller, callee = draft.sides
        return Dialog(
            index=draft.index,
            role=draft.role,
            evidence=draft.judgement.evidence,
            call_id=value[lead.call] or "",
            caller=value[caller.uri],
            callee=value[callee.uri],
            caller_tag=value[caller.tag],
            callee_tag=value[callee.tag],
            client=draft.client,
            service=draft.service,
            method=draft.group.method,
            state=draft.end.state,
            ended_by=self._ended_by(draft),
            began_in_capture=draft.began_in_capture,
            connection=draft.connection,
            legs=tuple(dict.fromkeys(leg.connection for leg in draft.group.legs)),
            rows=tuple(draft.rows),
            copies=tuple(draft.copies),
            started=draft.started,
            ended=max(rows.time[draft.rows[-1]], draft.started),
            session=session,
        )

    def _ended_by(self, draft: DialogDraft) -> str:
        if draft.end.ended_by is not None:
            return draft.end.ended_by
        last = self._rows.stream[draft.rows[-1]] >> 1
        return "connection closed" if self._visibility.closed(last) else "not captured"

    def _client(self, group: Group, judgement: Judgement, caller: Side, callee: Side) -> Side:
        """Return the side that is a person's, by what it sent, else by who invited whom."""
        elements = self._elements
        for element in elements.of(group.number):
            kind = elements.what[element][0]
            if kind in {"cmd", "rpl", "ntc"}:
                sender = caller if elements.sender_tag(element) == caller.tag else callee
                other = callee if sender == caller else caller
                return sender if kind == "cmd" else other
        if group.lead.method:
            return caller
        author = self._author(group)
        if author is not None:
            tag, is_author = author
            return caller if (tag == caller.tag) == is_author else callee
        value = self._rows.strings.values
        if judgement.service is not None:
            return callee if value[caller.uri] == judgement.service else caller
        notified = self._notified(group)
        if notified is not None:
            return notified
        registered = self._registered_users()
        known = [side for side in (caller, callee) if side.uri in registered]
        return known[0] if len(known) == 1 else caller

    def _registered_users(self) -> set[int]:
        """Return the numbers of the URIs that a REGISTER came from."""
        if self._registered is None:
            rows, register = self._rows, self._rows.strings.find("REGISTER")
            self._registered = {
                rows.from_uri[row] for row, method in enumerate(rows.method) if method == register
            }
        return self._registered

    def _author(self, group: Group) -> tuple[int, bool] | None:
        """Return the sender's tag of a chat message, and whether the sender wrote it.

        A client sends what its user wrote, a service what somebody wrote.
        """
        rows = self._rows
        elements = self._elements
        for element in elements.of(group.number):
            if elements.what[element][0] != "grpchat":
                continue
            row = elements.row[element]
            document = self._trace.document(row)
            if document is None or isinstance(document, Malformed):
                return None
            chats = [item for item in document.items if item.kind == "chat"]
            author = (chats[0].node.get("author") or "") if chats else ""
            sender = rows.strings.values[rows.from_uri[row]] or ""
            return elements.sender_tag(element), plain_uri(author) == plain_uri(sender)
        return None

    def _notified(self, group: Group) -> Side | None:
        """Return the subscriber of a subscription that began before the capture."""
        rows, found = self._rows, self._transactions
        for index in group.notable:
            if found.method(index) in {"NOTIFY", "BENOTIFY"}:
                row = found.first[index]
                return Side(rows.to_uri[row], rows.to_tag[row])
        return None

    def _nearest(self, group: Group, client: Side) -> tuple[list[int], list[int]]:
        """Divide the rows into those nearest to the client and the copies on further hops.

        Requests of the client gather Via values on their way from it, those of the service on their
        way to it, and answers have as many as their request has on the same hop.
        """
        rows, origin_of = self._rows, self._copies
        families: dict[int, list[int]] = {}
        for row in sorted({row for leg in group.legs for row in leg.rows}):
            families.setdefault(origin_of.get(row, row), []).append(row)
        near: list[int] = []
        copies: list[int] = []
        for family in families.values():
            best = family[0]
            if len(family) > 1:
                choose = min if rows.from_tag[best] == client.tag else max
                best = choose(family, key=rows.vias.__getitem__)
                copies.extend(row for row in family if row != best)
            near.append(best)
        return sorted(near), sorted(copies)

    def _end(self, group: Group, client: Side) -> Outcome:
        creating = {index for leg in group.legs for index in leg.creating}
        early = group.lead.method and not group.lead.confirmed
        start: DialogState = "early" if early else "confirmed"
        return follow(start, self._events.of(group.notable, creating, client.tag))
