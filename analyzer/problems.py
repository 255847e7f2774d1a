"""Problems of a session: what failed, one sentence each, with frame numbers, in order.

Challenges that were met, cancelled branches of a forked INVITE, and their 487 are no problems.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.outcomes import diagnosis
from analyzer.sessions.rooms import is_good
from analyzer.states import OBSOLETE, request_text, status_text
from analyzer.transaction_table import CHALLENGES, NO_ANSWER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.commands import Command
    from analyzer.dialogs import DialogDraft
    from analyzer.sessions.view import SessionView

Problem = tuple[int, str]
"""Row that it is sorted by, and the sentence."""
MAX_PROBLEMS = 100
"""Sentences of one session; who reads more looks at the commands themselves."""
FAILED = 400
CANCELLED = ("INVITE", "CANCEL")
"""Methods whose 487 means that the caller gave up."""


def problems_of(view: SessionView) -> tuple[str, ...]:
    """Return the problems of a session."""
    found = [*_commands(view), *_transactions(view), *_rooms(view), *_dialogs(view)]
    found.sort(key=lambda problem: problem[0])
    texts = list(dict.fromkeys(text for _, text in found))
    if len(texts) > MAX_PROBLEMS:
        texts[MAX_PROBLEMS:] = [f"{len(texts) - MAX_PROBLEMS} more problems of these kinds"]
    return tuple(texts)


def _commands(view: SessionView) -> Iterator[Problem]:
    """Yield rejected and unanswered commands, those of one INFO in one sentence."""
    grouped: dict[tuple[int, str, str], list[Command]] = {}
    outcomes = view.outcomes
    for one in view.commands:
        refused = not all(is_good(outcomes.code(reply)) for reply in one.answers)
        if one.element >= 0 and (refused or one.outcome in {"rejected", "unanswered"}):
            what: str = "refused" if refused else one.outcome
            grouped.setdefault((one.row, one.name, what), []).append(one)
        if one.name_mismatch:
            row = one.first()[0]
            names = ", ".join(sorted({outcomes.answer_id(reply) for reply in one.answers}))
            yield row, f"{one.name} in frame {view.frame(row)} was answered by {names}"
    for (row, name, what), commands in grouped.items():
        count = f"{len(commands)} commands {name}" if len(commands) > 1 else _called(commands[0])
        rooms = outcomes.rooms(commands[0]) if name == "grpchat" else ()
        room = f" into {view.room_names.of(rooms[0])}" if rooms else ""
        detail = outcomes.detail(commands[0])
        yield row, f"{count}{room} in frame {view.frame(row)}: {what}; {detail}"


def _called(command: Command) -> str:
    return "post" if command.post else command.name


def _transactions(view: SessionView) -> Iterator[Problem]:
    told = {one.transaction for one in view.commands}
    for dialog in view.dialogs:
        if dialog.index in view.branches:
            continue
        for index in dialog.group.notable:
            if index not in told:
                yield from _transaction(view, index, dialog.group.transactions)
    for index in view.outside:
        yield from _transaction(view, index, view.outside)


def _transaction(view: SessionView, index: int, others: Sequence[int]) -> Iterator[Problem]:
    """Yield what was wrong with a transaction; ``others`` are those of its dialog, in order."""
    found = view.found
    row, final, status = found.first[index], found.final[index], found.status(index)
    if status is None:
        if found.request[index] >= 0 and found.method(index) not in NO_ANSWER:
            yield from _silence(view, index, row)
        return
    if status < FAILED or (status in CHALLENGES and _was_met(view, index, others)):
        return
    if status == OBSOLETE:  # of INVITE: cancelled; of the client: told with the dialog
        return
    text = status_text(view.trace, final) + diagnosis(view.trace, final)
    asked = f"{request_text(found, index)} in frame {view.frame(row)}"
    yield row, f"{asked} answered {text} (frame {view.frame(final)})"


def _was_met(view: SessionView, index: int, others: Sequence[int]) -> bool:
    """Say whether a challenge was met: a later transaction of its method shows it."""
    method_of = view.found.method
    method = method_of(index)
    return next(one for one in reversed(others) if method_of(one) == method) > index


def _silence(view: SessionView, index: int, row: int) -> Iterator[Problem]:
    if view.visibility.why_unknown(row) is None:
        text = request_text(view.found, index)
        yield row, f"{text} in frame {view.frame(row)} was never answered"


def _rooms(view: SessionView) -> Iterator[Problem]:
    for room in view.refused_rooms:
        if room.refused is not None:
            name = f" ({room.name})" if room.name else ""
            frame = view.frame(room.refused)
            yield room.refused, f"room {room.uri}{name} was refused in frame {frame}"


def _dialogs(view: SessionView) -> Iterator[Problem]:
    for role in ("lookup", "channel"):
        for dialog in view.of_role(role):
            yield from _obsolete(view, dialog)
            if dialog.end.ended_by == "BYE from service":
                found = view.found
                byes = (one for one in dialog.group.notable if found.method(one) == "BYE")
                row = found.first[next(byes)]
                frame = view.frame(row)
                yield row, f"the service ended the {dialog.role} dialog by BYE in frame {frame}"


def _obsolete(view: SessionView, dialog: DialogDraft) -> Iterator[Problem]:
    """Yield the dialog that a client has given up and its service still writes into."""
    table = view.found
    found = [
        table.final[one]
        for one in dialog.group.notable
        if table.status(one) == OBSOLETE and table.method(one) not in CANCELLED
    ]
    if found:
        frames = ", ".join(str(view.frame(row)) for row in found[:5])
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        yield (
            found[0],
            (
                f"obsolete dialog: the service still writes into the {dialog.role} dialog of frame "
                f"{view.frame(dialog.rows[0])}, the client answers 487 (frames {frames}{more})"
            ),
        )


def doubts_of(view: SessionView) -> tuple[str, ...]:
    """Return why the capture may not show all of a session: no failures, but a reason for care."""
    return tuple(_holes(view))


def _holes(view: SessionView) -> Iterator[str]:
    for connection in view.connections:
        holes = view.visibility.holes(connection)
        if holes:
            frames = ", ".join(str(frame) for frame in holes[:5])
            yield (
                f"the capture has {len(holes)} hole{'s' if len(holes) > 1 else ''} in a connection "
                f"of this session (before frame {frames})"
            )
