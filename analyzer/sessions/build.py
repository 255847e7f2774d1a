"""The last stage: sessions, from the dialogs that were assigned to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.roles import plain_uri
from analyzer.sessions.assignment import Assigner
from analyzer.sessions.registrations import Registration, is_service
from analyzer.sessions.view import SessionView

if TYPE_CHECKING:
    from analyzer.commands import Command
    from analyzer.sessions.material import Material


class SessionBuilder:
    """Makes the sessions of a trace."""

    def __init__(self, material: Material) -> None:
        self._material = material
        dialogs = material.dialogs
        services = {
            plain_uri(dialog.service)
            for dialog in dialogs
            if dialog.service is not None and dialog.role in {"lookup", "channel"}
        }
        trace, found, events = material.trace, material.transactions, material.events
        assigner = Assigner(trace, services, material.groups.fork_of)
        registrations = [
            Registration(trace, found, events, dialog)
            for dialog in dialogs
            if dialog.role == "registration"
        ]
        assigner.register([one for one in registrations if not is_service(one, services)])
        assigner.assign(dialogs)
        for draft in assigner.drafts:
            draft.dialogs.sort(key=lambda dialog: dialog.index)
            draft.joins.sort(key=lambda join: join.dialog)
        self.drafts = sorted(assigner.drafts, key=lambda one: one.dialogs[0].index)
        self.of = {
            dialog.index: number
            for number, draft in enumerate(self.drafts)
            for dialog in draft.dialogs
        }
        """The session of each dialog that is in one."""

    def build(self) -> tuple[SessionView, ...]:
        """Return the sessions in order of their first row."""
        outside = self._outside()
        commands: list[list[Command]] = [[] for _ in self.drafts]
        for command in self._material.commands:
            number = self.of.get(command.dialog)
            if number is not None:
                commands[number].append(command)
        return tuple(
            SessionView(self._material, number, draft, commands[number], outside.get(number, ()))
            for number, draft in enumerate(self.drafts)
        )

    def _outside(self) -> dict[int, list[int]]:
        """Return the transactions outside dialogs by session: same user, same connection."""
        material = self._material
        rows, found, copies = material.trace.rows, material.transactions, material.copies
        value, group_of = rows.strings.values, material.groups.group_of
        left = [index for index, row in enumerate(found.first) if group_of[row] < 0]
        if not left:
            return {}
        of: dict[tuple[int, str], list[tuple[int, int]]] = {}
        for number, draft in enumerate(self.drafts):
            for connection in draft.connections:
                of.setdefault((connection, draft.user), []).append(
                    (draft.dialogs[0].rows[0], number)
                )
        outside: dict[int, list[int]] = {}
        for index in left:
            row = found.first[index]
            if found.copy_of(index, copies) is not None:
                continue
            for end in (rows.from_uri[row], rows.to_uri[row]):
                known = of.get((rows.stream[row] >> 1, plain_uri(value[end] or "")))
                if known:
                    begun = [number for first, number in known if first <= row]
                    outside.setdefault(begun[-1] if begun else known[0][1], []).append(index)
                    break
        return outside
