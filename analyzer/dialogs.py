"""Dialogs: groups of legs with role, client, state and the rows nearest to the client.

The client is the side that is a person's: it sends commands, invites a service, or is registered.
A message that was seen on several hops stands once in ``rows``, as the client saw it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.legs import first_row
from analyzer.model import Dialog
from analyzer.roles import plain_uri
from analyzer.states import Outcome, events_of, follow
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.contents import Element
    from analyzer.groups import Group
    from analyzer.model import DialogState
    from analyzer.roles import Judgement
    from analyzer.trace import Trace
    from analyzer.visibility import Visibility


class Side(NamedTuple):
    """One side of a dialog, by the numbers of its URI and tag in the rows."""

    uri: int
    tag: int


class DialogBuilder:
    """Makes the dialogs of a trace."""

    def __init__(
        self,
        trace: Trace,
        copies: Mapping[int, int],
        elements: Mapping[int, Sequence[Element]],
        visibility: Visibility,
    ) -> None:
        self._trace = trace
        self._rows = trace.rows
        self._copies = copies
        self._elements = elements
        self._visibility = visibility
        register = trace.rows.strings.find("REGISTER")
        self._registered = {
            self._rows.from_uri[row]
            for row, method in enumerate(self._rows.method)
            if method == register
        }
        self.client_tags: list[int] = []
        """Tag of the client by dialog."""
        self.end_rows: list[int | None] = []
        """Row of the BYE, the 481 ... that ended it, by dialog."""

    def build(self, groups: Sequence[Group], judgements: Sequence[Judgement]) -> list[Dialog]:
        """Return one dialog for every group, in their order, not yet in a session."""
        return [
            self._dialog(group, judgement)
            for group, judgement in zip(groups, judgements, strict=True)
        ]

    def _dialog(self, group: Group, judgement: Judgement) -> Dialog:
        rows, value = self._rows, self._rows.strings.values
        lead = group.lead
        caller, callee = Side(lead.caller, lead.caller_tag), Side(lead.callee, lead.callee_tag)
        client = self._client(group, judgement, caller, callee)
        self.client_tags.append(client.tag)
        if not lead.method and client == callee:
            caller, callee = callee, caller
        service = callee if client == caller else caller
        near, copies = self._nearest(group, client)
        end = self._end(group, client, near)
        self.end_rows.append(end.row)
        spoken = judgement.role in {"lookup", "channel", "registration", "subscription"}
        return Dialog(
            index=group.number,
            role=judgement.role,
            evidence=judgement.evidence,
            call_id=value[lead.call] or "",
            caller=value[caller.uri],
            callee=value[callee.uri],
            caller_tag=value[caller.tag],
            callee_tag=value[callee.tag],
            client=value[client.uri],
            service=value[service.uri] if spoken and service.uri != client.uri else None,
            method=group.method,
            state=end.state,
            ended_by=end.ended_by,
            began_in_capture=any(leg.begun for leg in group.legs),
            connection=rows.stream[near[0]] >> 1,
            legs=tuple(dict.fromkeys(leg.connection for leg in group.legs)),
            rows=tuple(near),
            copies=tuple(copies),
            started=rows.time[near[0]],
            ended=max(rows.time[near[-1]], rows.time[near[0]]),
            session=None,
        )

    def _client(self, group: Group, judgement: Judgement, caller: Side, callee: Side) -> Side:
        """Return the side that is a person's, by what it sent, else by who invited whom."""
        for element in self._elements.get(group.number, ()):
            if element.kind in {"cmd", "rpl", "ntc"}:
                sender = caller if element.sender_tag == caller.tag else callee
                other = callee if sender == caller else caller
                return sender if element.kind == "cmd" else other
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
        known = [side for side in (caller, callee) if side.uri in self._registered]
        return known[0] if len(known) == 1 else caller

    def _author(self, group: Group) -> tuple[int, bool] | None:
        """Return the sender's tag of a chat message, and whether the sender wrote it.

        A client sends what its user wrote, a service what somebody wrote.
        """
        rows = self._rows
        for element in self._elements.get(group.number, ()):
            if element.kind != "grpchat":
                continue
            document = self._trace.document(element.row)
            if document is None or isinstance(document, Malformed):
                return None
            chats = [item for item in document.items if item.kind == "chat"]
            author = (chats[0].node.get("author") or "") if chats else ""
            sender = rows.strings.values[rows.from_uri[element.row]] or ""
            return element.sender_tag, plain_uri(author) == plain_uri(sender)
        return None

    def _notified(self, group: Group) -> Side | None:
        """Return the subscriber of a subscription that began before the capture."""
        rows = self._rows
        for transaction in group.transactions:
            row = first_row(transaction)
            if transaction.method in {"NOTIFY", "BENOTIFY"}:
                return Side(rows.to_uri[row], rows.to_tag[row])
        return None

    def _nearest(self, group: Group, client: Side) -> tuple[list[int], list[int]]:
        """Divide the rows into those nearest to the client and the copies on further hops.

        Requests of the client gather Via values on their way from it, those of the service on their
        way to it, and answers have as many as their request has on the same hop.
        """
        rows, origin_of = self._rows, self._copies
        if len(group.legs) == 1:
            return group.legs[0].rows, []
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

    def _end(self, group: Group, client: Side, near: Sequence[int]) -> Outcome:
        creating = {index for leg in group.legs for index in leg.creating}
        early = group.lead.method and not group.lead.confirmed
        start: DialogState = "early" if early else "confirmed"
        events = events_of(self._trace, group.transactions, creating, client.tag)
        end = follow(start, events)
        if end.ended_by is not None:
            return end
        last = self._rows.stream[near[-1]] >> 1
        if self._visibility.closed(last):
            return end._replace(ended_by="connection closed")
        return end._replace(ended_by="not captured")
