"""Problems of a session: what failed, one sentence each, with frame numbers, in order.

Challenges that were met, cancelled branches of a forked INVITE, and their 487 are no problems.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.legs import first_row
from analyzer.outcomes import diagnosis
from analyzer.states import OBSOLETE, request_text, status_text
from analyzer.transactions import CHALLENGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.model import CommandPair, Dialog, Transaction
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
    grouped: dict[tuple[int, str, str], list[CommandPair]] = {}
    for pair in view.pairs:
        refused = [reply for reply in pair.replies if _refusal(reply.code)]
        if pair.row is not None and (pair.outcome in {"rejected", "unanswered"} or refused):
            what: str = "refused" if refused else pair.outcome
            grouped.setdefault((pair.row, pair.command, what), []).append(pair)
        if pair.name_mismatch:
            row = pair.row if pair.row is not None else pair.replies[0].row
            names = ", ".join(sorted({reply.id for reply in pair.replies}))
            yield row, f"{pair.command} in frame {view.frame(row)} was answered by {names}"
    for (row, name, what), pairs in grouped.items():
        count = f"{len(pairs)} commands {name}" if len(pairs) > 1 else _called(pairs[0])
        room = f" into {pairs[0].rooms[0]}" if name == "grpchat" and pairs[0].rooms else ""
        text = f"{count}{room} in frame {view.frame(row)}: {what}; {pairs[0].detail}"
        yield row, text


def _called(pair: CommandPair) -> str:
    return "post" if pair.kind == "grpchat" else pair.command


def _refusal(code: str | None) -> bool:
    return code is not None and not code.startswith("2")


def _transactions(view: SessionView) -> Iterator[Problem]:
    told = {pair.transaction for pair in view.pairs if pair.transaction is not None}
    for dialog in view.dialogs:
        if dialog.index in view.branches:
            continue
        met = _later_than_challenges(view.transactions[dialog.index])
        for transaction in view.transactions[dialog.index]:
            if transaction.index not in told:
                yield from _transaction(view, transaction, met)
    met = _later_than_challenges(view.services)
    for transaction in view.services:
        yield from _transaction(view, transaction, met)


def _later_than_challenges(transactions: Iterable[Transaction]) -> dict[str, int]:
    """Return the index of the last transaction of each method: a challenge before it was met."""
    return {transaction.method: transaction.index for transaction in transactions}


def _transaction(
    view: SessionView, transaction: Transaction, last: dict[str, int]
) -> Iterator[Problem]:
    row, status = first_row(transaction), transaction.status
    frame = view.frame(row)
    if status is None:
        if transaction.expects_answer and transaction.request is not None:
            yield from _silence(view, transaction, row, frame)
        return
    if status < FAILED or transaction.final is None:
        return
    if status in CHALLENGES and last[transaction.method] > transaction.index:
        return
    if status == OBSOLETE:  # of INVITE: cancelled; of the client: told with the dialog
        return
    text = status_text(view.trace, transaction.final) + diagnosis(view.trace, transaction.final)
    where = f" (frame {view.frame(transaction.final)})"
    yield row, f"{request_text(view.trace, transaction)} in frame {frame} answered {text}{where}"


def _silence(
    view: SessionView, transaction: Transaction, row: int, frame: int
) -> Iterator[Problem]:
    if view.visibility.why_unknown(row) is None:
        text = request_text(view.trace, transaction)
        yield row, f"{text} in frame {frame} was never answered"


def _rooms(view: SessionView) -> Iterator[Problem]:
    for room in view.rooms:
        if room.refused is not None:
            name = f" ({room.name})" if room.name else ""
            frame = view.frame(room.refused)
            yield room.refused, f"room {room.uri}{name} was refused in frame {frame}"


def _dialogs(view: SessionView) -> Iterator[Problem]:
    for dialog in view.dialogs:
        transactions = view.transactions[dialog.index]
        if dialog.role not in {"lookup", "channel"} or dialog.index in view.branches:
            continue
        yield from _obsolete(view, dialog, transactions)
        if dialog.ended_by == "BYE from service":
            row = next(first_row(one) for one in transactions if one.method == "BYE")
            frame = view.frame(row)
            yield row, f"the service ended the {dialog.role} dialog by BYE in frame {frame}"


def _obsolete(
    view: SessionView, dialog: Dialog, transactions: Iterable[Transaction]
) -> Iterator[Problem]:
    """Yield the dialog that a client has given up and its service still writes into."""
    found = [
        one.final
        for one in transactions
        if one.status == OBSOLETE and one.final is not None and one.method not in CANCELLED
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
