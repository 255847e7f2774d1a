"""What a ladder is made from: the messages of a trace with session, dialog and hop copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from analyzer.lazy import once
from analyzer.meaning import outline
from analyzer.roles import plain_uri
from analyzer.visibility import Visibility

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.commands import Answer, Command
    from analyzer.dialogs import DialogDraft
    from analyzer.model import Analysis, Transaction
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace


class Place(NamedTuple):
    """Where a message belongs."""

    view: SessionView
    dialog: DialogDraft | None
    """None outside dialogs."""


class Replied(NamedTuple):
    """A command with one of its replies."""

    command: Command
    answer: Answer
    view: SessionView

    @property
    def asked(self) -> bool:
        """The command itself is in the capture."""
        return self.command.element >= 0


class Scene:
    """The messages of some sessions, or of a whole capture; the capture must be open."""

    def __init__(self, trace: Trace, sessions: Sequence[int] | None = None) -> None:
        """Look at the sessions of these indexes; None: at all, and at what is in no session."""
        self.trace = trace
        self.rows = trace.rows
        found = cast("Sequence[SessionView]", outline(trace).sessions)
        self.views = found if sessions is None else [found[index] for index in sessions]
        self.whole = sessions is None

    @property
    def sessions(self) -> list[int] | None:
        """The indexes of its sessions; None: of all of the capture."""
        return None if self.whole else [view.index for view in self.views]

    def narrowed(self, rows: Iterable[int]) -> Scene:
        """Return the scene of those sessions alone that these messages are in."""
        shown = {self.places[row].view.index for row in rows if row in self.places}
        return self if len(shown) == len(self.views) else Scene(self.trace, sorted(shown))

    @once
    def visibility(self) -> Visibility:
        """What the capture can tell of answers that are not in it."""
        return Visibility(self.trace)

    @once
    def analysis(self) -> Analysis:
        """Transactions, dialogs, command pairs."""
        return outline(self.trace)

    @once
    def places(self) -> dict[int, Place]:
        """Row to session and dialog, of all rows that are in a session, hop copies too."""
        found: dict[int, Place] = {}
        for view in self.views:
            for dialog in view.dialogs:
                place = Place(view, dialog)
                found.update(dict.fromkeys(dialog.rows, place))
                found.update(dict.fromkeys(dialog.copies, place))
            outside = Place(view, None)
            for index in view.outside:
                found.update(dict.fromkeys(view.found.all_rows(index), outside))
        found.update(list(self._further(found)))
        return found

    def _further(self, found: dict[int, Place]) -> Iterator[tuple[int, Place]]:
        """Yield the hop copies of messages outside dialogs."""
        return (
            (copy, found[origin])
            for copy, origin in self.analysis.copy_of.items()
            if copy not in found and origin in found
        )

    @once
    def sightings(self) -> dict[int, list[int]]:
        """Row seen first to all rows of the same message, of those with hop copies."""
        found: dict[int, list[int]] = {}
        for copy, origin in self.analysis.copy_of.items():
            found.setdefault(origin, [origin]).append(copy)
        for rows in found.values():
            rows.sort()
        return found

    def origin(self, row: int) -> int:
        """Return the row of a message that was seen first."""
        return self.analysis.copy_of.get(row, row)

    def seen(self, origin: int) -> Sequence[int]:
        """Return all rows of a message, ascending."""
        return self.sightings.get(origin, (origin,))

    def nearest(self, origin: int) -> int:
        """Return the sighting of a message on the connection nearest to the client."""
        rows = self.seen(origin)
        place = self.places.get(origin)
        if len(rows) == 1 or place is None or place.dialog is None:
            return origin
        copies = self._copies_of(place.dialog)
        return next((row for row in rows if row not in copies), origin)

    def ways(self, origin: int) -> list[list[int]]:
        """Return the sightings of a message by the way that it took: several where it was forked.

        A branch of a forked INVITE is a dialog of its own; the first way is that of the dialog
        that the client sees.
        """
        rows = self.seen(origin)
        if len(rows) == 1 or origin not in self.places:
            return [list(rows)]
        found: dict[int, list[int]] = {}
        for row in rows:
            dialog = self.places[row].dialog if row in self.places else None
            branch = dialog is not None and dialog.index in self.places[row].view.branches
            found.setdefault(dialog.index if dialog is not None and branch else -1, []).append(row)
        return [found[key] for key in sorted(found)]

    def _copies_of(self, dialog: DialogDraft) -> frozenset[int]:
        known = self._copies.get(dialog.index)
        if known is None:
            known = self._copies[dialog.index] = frozenset(dialog.copies)
        return known

    @once
    def _copies(self) -> dict[int, frozenset[int]]:
        return {}

    def proxied(self, dialog: DialogDraft) -> bool:
        """Say whether the client's own connection was not captured: a proxy is nearest to it.

        A request leaves its client with one Via; each proxy adds one (RFC 3261 section 16.6).
        """
        known = self._proxied.get(dialog.index)
        if known is None:
            status, vias = self.rows.status, self.rows.vias
            mine = [vias[row] for row in dialog.rows if status[row] < 0 and self.from_client(row)]
            known = self._proxied[dialog.index] = bool(mine) and min(mine) > 1
        return known

    @once
    def _proxied(self) -> dict[int, bool]:
        return {}

    def transaction(self, row: int) -> Transaction | None:
        """Return the transaction of a message on its connection."""
        index = self.analysis.transaction_number(row)
        return None if index is None else self.analysis.transactions[index]

    def related(self, rows: Iterable[int]) -> set[int]:
        """Return these messages with their hop copies and all else of their transactions."""
        found: set[int] = set()
        done: set[int | None] = {None}
        numbers = self.analysis.transaction_number
        for row in rows:
            for one in self.seen(self.origin(row)):
                found.add(one)
                number = numbers(one)
                if number not in done:
                    done.add(number)
                    found.update(rows_of(self.analysis.transactions[cast("int", number)]))
        return found

    def exchanges(self, rows: Iterable[int]) -> set[int]:
        """Return these messages, the commands that they answer and the replies to theirs."""
        found: set[int] = set()
        for row in rows:
            origin = self.origin(row)
            found.add(row)
            found.update(one.command.row for one in self.replies.get(origin, ()) if one.asked)
            for command, _ in self.commands.get(origin, ()):
                found.update(answer.row for answer in command.answers)
        return self.related(found)

    def from_client(self, row: int) -> bool:
        """Say whether the client of its session sent a message."""
        place, rows = self.places[row], self.rows
        if place.dialog is None or place.dialog.role == "registration":
            sender = rows.strings.values[rows.from_uri[row]] or ""
            own = place.dialog is not None or plain_uri(sender) == plain_uri(place.view.user or "")
        else:
            side = place.dialog.client_side
            by_tag = bool(side.tag)
            own = rows.from_tag[row] == side.tag if by_tag else rows.from_uri[row] == side.uri
        return own == (rows.status[row] < 0)

    def items(self, row: int) -> list[tuple[str, str, str | None]]:
        """Return the XCCOS items of a message: kind (``cmd``, ``rpl`` ...), name and code."""
        found = []
        for item in self.rows.xccos(row):
            kind, _, name = (item.id or "").rpartition(":")
            found.append((kind or item.element, (name or item.element).lower(), item.code))
        return found

    @once
    def replies(self) -> dict[int, list[Replied]]:
        """Row seen first to the commands that it answers with replies."""
        found: dict[int, list[Replied]] = {}
        for view in self.views:
            for command in view.commands:
                for answer in command.answers:
                    one = Replied(command, answer, view)
                    found.setdefault(self.origin(answer.row), []).append(one)
        return found

    @once
    def commands(self) -> dict[int, list[tuple[Command, SessionView]]]:
        """Row seen first to the commands and posts that it carries."""
        found: dict[int, list[tuple[Command, SessionView]]] = {}
        for view in self.views:
            for command in view.commands:
                if command.element >= 0:
                    found.setdefault(self.origin(command.row), []).append((command, view))
        return found


def rows_of(transaction: Transaction) -> Iterator[int]:
    """Yield the rows of a transaction."""
    for row in (transaction.request, transaction.final):
        if row is not None:
            yield row
    yield from transaction.retransmissions
    yield from transaction.provisional
    yield from transaction.repeated_finals
    yield from transaction.acks
