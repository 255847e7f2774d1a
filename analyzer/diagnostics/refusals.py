"""Refused requests of a session, each with the one rule that tells it.

The rule: of everything that could explain a refusal the most special comes first, so that no two
rules speak of one answer.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from analyzer.diagnostics import codes
from analyzer.lazy import once
from analyzer.legs import is_success
from analyzer.roles import plain_uri
from analyzer.states import GONE, OBSOLETE
from analyzer.transaction_table import CHALLENGES
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from analyzer.commands import Command
    from analyzer.diagnostics.rule import Case
    from analyzer.dialogs import DialogDraft
    from analyzer.sessions.view import SessionView

FAILED = 400
FORBIDDEN = 403
UNAVAILABLE = 503
TIMED_OUT = 504
NOT_THERE = frozenset({404, 408, 410, 480, 604})
"""Answers to an INVITE that say: nobody has this URI now."""
SERVICES = ("lookup", "channel")
SEARCHED = 200
"""Later commands of one name that are looked at for a repetition."""
ENDING = ("BYE", "CANCEL", "ACK")
"""What is refused of these ends all the same."""


class Refusal(NamedTuple):
    """A request that was refused, as far as rules look at it."""

    session: int
    transaction: int
    method: str
    role: str
    """Of its dialog; ``outside`` where it is in none."""
    dialog: int
    """-1 outside dialogs."""
    target: str
    """URI in To."""
    by_client: bool
    status: int
    request: int
    """-1 where it is not in the capture."""
    final: int
    code: int | None
    """Id of ms-diagnostics."""
    text: str
    """The answer in words."""
    commands: tuple[Command, ...]
    """That it carried."""
    accepted: int
    """Request of the repetition that was accepted; -1 without."""
    challenged: bool
    """Of a REGISTER: a challenge came before."""

    @property
    def post(self) -> bool:
        """It carried chat messages of the client."""
        return any(one.post for one in self.commands)

    @property
    def rows(self) -> tuple[int, ...]:
        """Request and answer."""
        return (self.final,) if self.request < 0 else (self.request, self.final)

    @property
    def what(self) -> str:
        """What was refused, in words: ``INVITE to sip:ocschat@...``, ``11 getpref``, ``post``."""
        if not self.commands:
            return f"INVITE to {self.target}" if self.method == "INVITE" else self.method
        if self.post:
            return "post"
        names = [one.name for one in self.commands]
        counted = {name: names.count(name) for name in names}
        return ", ".join(
            name if count == 1 else f"{count} {name}" for name, count in counted.items()
        )


def _invites(one: Refusal, role: str) -> bool:
    return one.method == "INVITE" and one.role == role


def _is_wrong_credentials(one: Refusal) -> bool:
    if one.method != "REGISTER":
        return False
    bare = one.status == FORBIDDEN and one.challenged and one.code is None
    return one.code in codes.BAD_CREDENTIALS or bare


def _is_unknown_lookup(one: Refusal) -> bool:
    return _invites(one, "lookup") and (one.status in NOT_THERE or one.code in codes.NO_SUCH_USER)


def _is_overload(one: Refusal) -> bool:
    if one.code in codes.OVERLOAD:
        return True
    known = one.code in codes.ROUTING or _invites(one, "channel")
    return one.status == UNAVAILABLE and not known


def _is_gone(one: Refusal) -> bool:
    return one.status == GONE and one.role in SERVICES and one.method != "INVITE"


CAUSES: tuple[tuple[str, Callable[[Refusal], bool]], ...] = (
    ("GC202", _is_gone),
    ("GC201", lambda one: one.status == UNAVAILABLE and one.accepted >= 0),
    # A post that stays refused is a matter of the rules for posts.
    ("", lambda one: one.post),
    ("GC105", lambda one: one.code == codes.TOO_MANY_ENDPOINTS),
    ("GC104", lambda one: one.code in codes.NOT_ADMITTED),
    ("GC207", lambda one: one.code == codes.CERTIFICATE),
    ("GC108", lambda one: one.code in codes.FEDERATION),
    ("GC107", _is_wrong_credentials),
    ("GC110", lambda one: one.method == "REGISTER"),
    ("GC101", _is_unknown_lookup),
    (
        "GC104",
        lambda one: one.method == "INVITE" and one.role in SERVICES and one.status == FORBIDDEN,
    ),
    ("GC204", _is_overload),
    ("GC103", lambda one: _invites(one, "channel")),
    ("GC208", lambda one: one.code in codes.ROUTING or one.status == TIMED_OUT),
)
"""The rule of a refused request of a client: the first whose condition it meets."""


def cause_of(one: Refusal) -> str:
    """Return the id of the rule that tells a refusal; empty where none of this table does."""
    if one.by_client:
        return next((rule for rule, is_so in CAUSES if is_so(one)), "")
    obsolete = one.status in (OBSOLETE, GONE) and one.role in SERVICES
    return "GC203" if obsolete and one.method != "INVITE" else ""


def refusals_of(case: Case) -> dict[str, list[Refusal]]:
    """Return the refused requests of all sessions by the id of the rule that tells them."""
    found: dict[str, list[Refusal]] = {}
    for view in case.sessions:
        for one in _of_session(view):
            found.setdefault(cause_of(one), []).append(one)
    return found


def grouped(
    refusals: Iterable[Refusal], key: Callable[[Refusal], object]
) -> Iterator[list[Refusal]]:
    """Yield the refusals of each session that have one key, in order."""
    groups: dict[tuple[int, object], list[Refusal]] = {}
    for one in refusals:
        groups.setdefault((one.session, key(one)), []).append(one)
    yield from groups.values()


class _Attempts:
    """The requests of one session, by what they ask for."""

    def __init__(self, view: SessionView) -> None:
        self.view = view

    @once
    def carried(self) -> dict[int, list[Command]]:
        """Transaction to the commands that it carried."""
        found: dict[int, list[Command]] = {}
        for command in self.view.commands:
            found.setdefault(command.transaction, []).append(command)
        return found

    @once
    def _accepted(self) -> dict[tuple[str, str | int], list[int]]:
        """Rows of accepted requests by method and what it was for, ascending."""
        found, rows = self.view.found, self.view.trace.rows
        accepted: dict[tuple[str, str | int], list[int]] = {}
        for index, dialog in self.all():
            row = found.request[index]
            if row >= 0 and is_success(found.status(index)):
                key = _aim(found.method(index), dialog, rows.to_uri[row])
                accepted.setdefault(key, []).append(row)
        for known in accepted.values():
            known.sort()
        return accepted

    def all(self) -> Iterator[tuple[int, DialogDraft | None]]:
        """Yield the transactions that can have gone wrong, each with its dialog."""
        view = self.view
        for dialog in view.dialogs:
            if dialog.index not in view.branches:
                yield from ((index, dialog) for index in dialog.group.notable)
        yield from ((index, None) for index in view.outside)

    def accepted(self, index: int, dialog: DialogDraft | None, commands: Sequence[Command]) -> int:
        """Return the request of a later attempt at the same that was accepted, or -1."""
        if commands:
            return self._accepted_command(commands[0])
        found, rows = self.view.found, self.view.trace.rows
        first = found.first[index]
        known = self._accepted.get(_aim(found.method(index), dialog, rows.to_uri[first]), [])
        at = bisect_right(known, first)
        return known[at] if at < len(known) else -1

    def _accepted_command(self, command: Command) -> int:
        view, known = self.view, self.view.named(command.name)
        rooms = view.outcomes.rooms(command)
        text = self._text(command) if command.post else None
        at = bisect_right(known, command.row, key=lambda one: one.first()[0])
        for later in known[at : at + SEARCHED]:
            if later.element < 0 or not is_success(later.status):
                continue
            if later.key == command.key:
                return later.row
            if view.outcomes.rooms(later) != rooms:
                continue
            if not command.post or (text and self._text(later) == text):
                return later.row
        return -1

    def _text(self, post: Command) -> str | None:
        document = self.view.trace.document(post.row)
        position = self.view.material.elements.position(post.element)
        if document is None or isinstance(document, Malformed) or position >= len(document.items):
            return None
        return document.items[position].chat


def _aim(method: str, dialog: DialogDraft | None, target: int) -> tuple[str, str | int]:
    """Return what a request is for: the service of a role, else whom it is sent to."""
    role = None if dialog is None else dialog.role
    return (method, target if role is None or role not in (*SERVICES, "registration") else role)


def _of_session(view: SessionView) -> Iterator[Refusal]:
    attempts, found = _Attempts(view), view.found
    for index, dialog in attempts.all():
        status, method = found.status(index), found.method(index)
        if status is None or status < FAILED or status in CHALLENGES or method in ENDING:
            continue
        if status != OBSOLETE or method != "INVITE":  # else it was cancelled
            yield _refusal(attempts, index, dialog)


def _refusal(attempts: _Attempts, index: int, dialog: DialogDraft | None) -> Refusal:
    view, found = attempts.view, attempts.view.found
    trace, rows = view.trace, view.trace.rows
    first, final, method = found.first[index], found.final[index], found.method(index)
    commands = tuple(attempts.carried.get(index, ()))
    code = codes.diagnostics_of(trace, final)
    return Refusal(
        session=view.index,
        transaction=index,
        method=method,
        role="outside" if dialog is None else dialog.role,
        dialog=-1 if dialog is None else dialog.index,
        target=rows.strings.values[rows.to_uri[first]] or "nobody",
        by_client=sent_by_client(view, first, dialog),
        status=rows.status[final],
        request=found.request[index],
        final=final,
        code=None if code is None else code.id,
        text=codes.answer_text(trace, final),
        commands=commands,
        accepted=attempts.accepted(index, dialog, commands),
        challenged=method == "REGISTER" and _challenged(view, index),
    )


def sent_by_client(view: SessionView, row: int, dialog: DialogDraft | None) -> bool:
    """Say whether a request came from the client of a session."""
    rows = view.trace.rows
    if dialog is None:
        sender = plain_uri(rows.strings.values[rows.from_uri[row]] or "")
        return sender == plain_uri(view.user or "")
    return dialog.role == "registration" or rows.from_tag[row] == dialog.client_side.tag


def _challenged(view: SessionView, index: int) -> bool:
    return any(
        view.found.status(one) in CHALLENGES
        for registration in view.registrations
        for one in registration.transactions
        if one < index
    )
