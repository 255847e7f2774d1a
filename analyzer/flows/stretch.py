"""A stretch: the part of a session that one run of a flow lies in, and what is in it.

A session that starts again from the lookup (481, a session timer that ran out) has one stretch for
each sign-in. What the capture cannot show of a stretch is said here, and nowhere else.
"""

from __future__ import annotations

from bisect import bisect_left
from copy import copy
from typing import TYPE_CHECKING

from analyzer.lazy import once
from analyzer.legs import is_success
from analyzer.roles import plain_uri
from analyzer.times import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.commands import Command
    from analyzer.dialogs import DialogDraft
    from analyzer.model import Role
    from analyzer.sessions.view import SessionView

SIGN_IN_NS = 60 * SECOND
"""What a client asks so long after the first of its kind belongs to the sign-in: more of a set."""
RETRY_NS = 320 * SECOND
"""What was not done is asked for again so much later at most: clients wait up to 300 s (SIPE)."""
FOREVER = 1 << 62
MAX_SIGN_INS = 500
"""Sign-ins of one session that are told apart; a client that starts again every minute makes as
many in a working day."""
MAX_POOLS = 16
"""Channel services that one sign-in is looked at for."""
NOTABLE = frozenset({"INVITE", "SUBSCRIBE", "REGISTER", "BYE"})
"""Methods that ``Group.notable`` has all of: the others are looked for among all transactions."""
CHAT: tuple[Role, ...] = ("lookup", "channel")


class Stretch:
    """A session, or a part of it."""

    def __init__(
        self,
        view: SessionView,
        dialogs: Sequence[DialogDraft] | None = None,
        *,
        resumed: bool = False,
    ) -> None:
        """Take a part of a session.

        Args:
            view: the session.
            dialogs: those with lookup and Channel service that belong to it; None: all.
            resumed: it goes on with a registration that an earlier stretch began.
        """
        self.view = view
        self.resumed = resumed
        self.rows: range | None = None
        """The rows in which its requests and commands lie; None: all."""
        self._own = None if dialogs is None else {dialog.index for dialog in dialogs}
        self._known: dict[tuple[str, Role | None], list[int]] = {}
        self._whole = self

    def within(self, rows: range) -> Stretch:
        """Return the part of it that lies in some rows; what was worked out is shared."""
        part = copy(self)
        part.rows = rows
        return part

    def named(self, name: str) -> Sequence[Command]:
        """Return the commands of a name; the posts for ``grpchat``."""
        return self._here(self.view.named(name))

    def commands(self) -> Sequence[Command]:
        """Return all of its commands and posts."""
        return self._here(self.view.commands)

    def _here(self, known: Sequence[Command]) -> Sequence[Command]:
        own, rows = self._own, self.rows
        if rows is not None:  # they are in order of their first rows
            first = bisect_left(known, rows.start, key=_first_row)
            known = known[first : bisect_left(known, rows.stop, key=_first_row)]
        return known if own is None else [one for one in known if one.dialog in own]

    def of_role(self, role: Role) -> Sequence[DialogDraft]:
        """Return the dialogs of a role, without branches of forked INVITEs."""
        known, own = self.view.of_role(role), self._own
        if own is None or role not in CHAT:
            return known
        return [dialog for dialog in known if dialog.index in own]

    def requests(self, method: str, role: Role | None) -> Sequence[int]:
        """Return the transactions of a method in dialogs of a role; None: outside dialogs too."""
        known = self._known.get((method, role))
        if known is None:
            known = self._known[method, role] = sorted(
                self._requests(method, role), key=self.view.found.first.__getitem__
            )
        if self.rows is None:
            return known
        first = self.view.found.first.__getitem__
        at = bisect_left(known, self.rows.start, key=first)
        return known[at : bisect_left(known, self.rows.stop, key=first)]

    def _requests(self, method: str, role: Role | None) -> set[int]:
        view, method_of = self.view, self.view.found.method
        if role is None:
            branches = view.branches
            dialogs = [dialog for dialog in view.dialogs if dialog.index not in branches]
        else:
            dialogs = list(self.of_role(role))
        found = {
            one
            for dialog in dialogs
            for one in (dialog.group.notable if method in NOTABLE else dialog.group.transactions)
            if method_of(one) == method
        }
        if role is None:
            found.update(one for one in view.outside if method_of(one) == method)
        return found

    def asked(self, method: str, role: Role | None) -> list[int]:
        """Return those of ``requests`` that the client sent."""
        view = self.view
        rows, value, user = view.trace.rows, view.trace.rows.strings.values, view.user
        wanted = plain_uri(user or "")
        return [
            one
            for one in self.requests(method, role)
            if plain_uri(value[rows.from_uri[view.found.first[one]]] or "") == wanted
        ]

    @once
    def late(self) -> bool:
        """It was going on before the capture began."""
        return not self.resumed and self.view.late

    @once
    def gaps(self) -> str | None:
        """Why anything of the session may be missing though it was on the wire, or None."""
        for connection in self.view.connections:
            if self.view.visibility.one_way(connection):
                return "only one direction of a connection was captured"
        return self._compressed() or self.view.hidden

    def _compressed(self) -> str | None:
        """Say from where on a connection is compressed ([MS-SIPCOMP]): its messages are unread."""
        view = self.view
        rows, found = view.trace.rows, view.found
        negotiate = rows.strings.find("NEGOTIATE")
        if negotiate is None:
            return None
        for index in view.outside:
            row = found.first[index]
            unread = view.visibility.hole_after(row) is not None
            if unread and rows.method[row] == negotiate and is_success(found.status(index)):
                return f"the connection is compressed from frame {rows.frame[row]} on"
        return None

    def hole(self, after: int, before: int) -> str | None:
        """Return what may be lost between two times (nanoseconds), or None."""
        if self._whole.gaps is not None:
            return self._whole.gaps
        for frame, start, end in self._whole.holes:
            if start <= before and end >= after:
                return f"frames are missing from the capture before frame {frame}"
        return None

    @once
    def holes(self) -> list[tuple[int, int, int]]:
        """The holes: the frame after each, and the times of the messages around it."""
        view = self.view
        frames = sorted(frame for one in view.connections for frame in view.visibility.holes(one))
        if not frames:
            return []
        rows, found = view.trace.rows, view.found
        own = {row for dialog in view.dialogs for row in dialog.rows}
        own.update(row for index in view.outside for row in found.all_rows(index))
        messages = sorted((rows.frame[row], rows.time[row]) for row in own)
        around = []
        for frame in frames:
            at = bisect_left(messages, (frame, 0))
            start = messages[at - 1][1] if at else 0
            end = messages[at][1] if at < len(messages) else view.ended + FOREVER
            around.append((frame, start, end))
        return around


def sign_ins(view: SessionView) -> tuple[Stretch, ...]:
    """Return a stretch for each sign-in of a session: mostly the whole of it."""
    chat = sorted(
        (dialog for role in CHAT for dialog in view.of_role(role)), key=lambda one: one.index
    )
    channels = [dialog for dialog in chat if dialog.role == "channel"]
    if not channels or channels[0] is chat[-1]:
        return (Stretch(view),)
    used = _first_uses(view)
    parts: list[list[DialogDraft]] = [[]]
    open_: list[DialogDraft] = []
    for dialog in chat:
        again = any(_starts_again(one, used[one.index], dialog) for one in open_)
        if again and len(parts) < MAX_SIGN_INS:
            parts.append([])
            open_ = []
        parts[-1].append(dialog)
        if dialog.role == "channel" and dialog.index in used and len(open_) < MAX_POOLS:
            open_.append(dialog)
    if len(parts) == 1:
        return (Stretch(view),)
    return tuple(Stretch(view, part, resumed=at > 0) for at, part in enumerate(parts))


def _starts_again(before: DialogDraft, used: int, dialog: DialogDraft) -> bool:
    """Say whether a dialog begins a sign-in anew, and not one more attempt of the one before.

    ``used`` is the row from which on the dialog before brought the client anything: one that never
    got an answer out of its Channel service still signs in. One with a dialog in good order that
    opens another to another service adds a pool.
    """
    begins = dialog.rows[0]
    if not dialog.began_in_capture or used >= begins:
        return False
    if dialog.role == "lookup" or (before.end.row is not None and before.end.row < begins):
        return True
    return plain_uri(dialog.service or "") == plain_uri(before.service or "")


def _first_uses(view: SessionView) -> dict[int, int]:
    """Return dialogs with the first row that brought the client something in it."""
    used = {one.index: -1 for one in view.of_role("channel") if not one.began_in_capture}
    for command in view.commands:
        if command.answers:
            used.setdefault(command.dialog, command.answers[0].row)
        elif command.post and command.outcome == "accepted":
            used.setdefault(command.dialog, command.row)
    return used


def _first_row(command: Command) -> int:
    return command.first()[0]
