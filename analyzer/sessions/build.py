"""The last stage: sessions as values, from the dialogs that were assigned to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.legs import first_row
from analyzer.model import Session
from analyzer.problems import doubts_of, problems_of
from analyzer.roles import plain_uri
from analyzer.sessions.assignment import Assigner
from analyzer.sessions.registrations import is_service, read_registration
from analyzer.sessions.rooms import RoomBook
from analyzer.sessions.view import SessionView
from analyzer.signin import steps_of
from analyzer.verdict import verdict_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.contents import Element
    from analyzer.groups import Groups
    from analyzer.model import CommandPair, Dialog, Transaction
    from analyzer.room_reader import RoomReader
    from analyzer.sessions.assignment import Draft
    from analyzer.trace import Trace
    from analyzer.visibility import Visibility


class SessionBuilder:
    """Makes the sessions of a trace."""

    def __init__(
        self, trace: Trace, visibility: Visibility, groups: Groups, dialogs: Sequence[Dialog]
    ) -> None:
        self._trace = trace
        self._visibility = visibility
        self._groups = groups
        self._dialogs = dialogs
        services = {
            plain_uri(dialog.service)
            for dialog in dialogs
            if dialog.service is not None and dialog.role in {"lookup", "channel"}
        }
        self._assigner = Assigner(trace, services, groups.fork_of)
        registrations = [
            read_registration(trace, dialog, groups.groups[dialog.index].transactions)
            for dialog in dialogs
            if dialog.role == "registration"
        ]
        self._assigner.register([one for one in registrations if not is_service(one, services)])
        self._assigner.assign(dialogs)
        for draft in self._assigner.drafts:
            draft.dialogs.sort(key=lambda dialog: dialog.index)
            draft.joins.sort(key=lambda join: join.dialog)
        self.drafts = sorted(self._assigner.drafts, key=lambda one: one.dialogs[0].index)
        self.session_of = {
            dialog.index: number
            for number, draft in enumerate(self.drafts)
            for dialog in draft.dialogs
        }

    def build(
        self,
        transactions: Sequence[Transaction],
        pairs: Sequence[CommandPair],
        elements: Mapping[int, Sequence[Element]],
        client_tags: Sequence[int],
        lookups: dict[int, tuple[str, ...]],
        reader: RoomReader,
    ) -> tuple[Session, ...]:
        """Return the sessions in order of their first row."""
        outside = self._outside(transactions)
        by_session: dict[int, list[CommandPair]] = {}
        for pair in pairs:
            number = self.session_of.get(-1 if pair.dialog is None else pair.dialog)
            if number is not None:
                by_session.setdefault(number, []).append(pair)
        made = []
        for number, draft in enumerate(self.drafts):
            mine = tuple(by_session.get(number, ()))
            book = RoomBook(reader)
            book.note_pairs(mine)
            for dialog in draft.dialogs:
                received = [
                    element
                    for element in elements.get(dialog.index, ())
                    if element.kind == "grpchat" and element.sender_tag != client_tags[dialog.index]
                ]
                book.note_deliveries(received, self._trace.rows.item)
            view = self._view(draft, mine, book, tuple(outside.get(number, ())), lookups)
            made.append(self._session(number, draft, view))
        return tuple(made)

    def _outside(self, transactions: Sequence[Transaction]) -> dict[int, list[Transaction]]:
        """Return the transactions outside dialogs by session: same user, same connection."""
        rows, value = self._trace.rows, self._trace.rows.strings.values
        of: dict[tuple[int, str], list[tuple[int, int]]] = {}
        for number, draft in enumerate(self.drafts):
            for connection in draft.connections:
                of.setdefault((connection, draft.user), []).append(
                    (draft.dialogs[0].rows[0], number)
                )
        found: dict[int, list[Transaction]] = {}
        grouped = self._groups.group_of
        for transaction in transactions:
            row = first_row(transaction)
            if row in grouped or transaction.copy_of is not None:
                continue
            for end in (rows.from_uri[row], rows.to_uri[row]):
                known = of.get((transaction.connection, plain_uri(value[end] or "")))
                if known:
                    begun = [number for first, number in known if first <= row]
                    found.setdefault(begun[-1] if begun else known[0][1], []).append(transaction)
                    break
        return found

    def _view(
        self,
        draft: Draft,
        pairs: tuple[CommandPair, ...],
        book: RoomBook,
        services: tuple[Transaction, ...],
        lookups: dict[int, tuple[str, ...]],
    ) -> SessionView:
        rows = self._trace.rows
        groups, fork_of = self._groups.groups, self._groups.fork_of
        used = dict.fromkeys(
            rows.stream[row] >> 1
            for dialog in draft.dialogs
            if dialog.index not in fork_of
            for row in dialog.rows
        )
        return SessionView(
            trace=self._trace,
            visibility=self._visibility,
            user=draft.shown,
            registrations=tuple(draft.registrations),
            dialogs=tuple(draft.dialogs),
            branches=frozenset(dialog.index for dialog in draft.dialogs if dialog.index in fork_of),
            transactions={one.index: groups[one.index].transactions for one in draft.dialogs},
            services=services,
            pairs=pairs,
            lookups=lookups,
            rooms=book.rooms(),
            posts=tuple(book.posts),
            connections=tuple(used),
            started=min(dialog.started for dialog in draft.dialogs),
            ended=max(dialog.ended for dialog in draft.dialogs),
        )

    def _session(self, number: int, draft: Draft, view: SessionView) -> Session:
        steps = steps_of(view)
        client, front_end, transport = self._addresses(draft)
        registrations = view.registrations
        signed_in = [one.signed_in for one in registrations if one.signed_in is not None]
        signed_off = [one.signed_off for one in registrations if one.signed_off is not None]
        return Session(
            index=number,
            user=draft.shown,
            epid=draft.epid,
            user_agent=view.user_agent,
            server=next((one.server for one in registrations if one.server), None),
            client_address=client,
            front_end=front_end,
            transport=transport,
            connections=view.connections,
            joins=tuple(draft.joins),
            services=tuple(one.index for one in view.services),
            pairs=tuple(pair.index for pair in view.pairs),
            rooms=view.rooms,
            posts=view.posts,
            signed_in=signed_in[0] if signed_in else None,
            signed_off=signed_off[-1] if signed_off else None,
            started=view.started,
            ended=view.ended,
            steps=steps,
            verdict=verdict_of(view, steps),
            problems=problems_of(view),
            doubts=doubts_of(view),
        )

    def _addresses(self, draft: Draft) -> tuple[str, str | None, str]:
        """Return address of the client, of its front end, and the transport between them."""
        rows, value = self._trace.rows, self._trace.rows.strings.values
        dialog = draft.registrations[-1].dialog if draft.registrations else draft.dialogs[0]
        row = dialog.rows[0]
        stream = self._trace.streams[rows.stream[row]]
        sent = plain_uri(value[rows.from_uri[row]] or "") == draft.user
        if sent == (rows.status[row] < 0):
            return stream.src, stream.dst, stream.transport
        return stream.dst, stream.src, stream.transport
