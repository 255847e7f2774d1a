"""How long commands waited, for their SIP answer and for their reply: one line of numbers each.

The numbers are those of ``xccos commands``: a wait counts from the frame that completes the command
to the frame that completes the final response, and to the first reply. Percentiles are by nearest
rank: so many of them took no longer.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from analyzer.meaning import outline
from analyzer.sessions.rooms import is_good

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from analyzer.commands import Command
    from analyzer.model import Outcome
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace

FENCE = 1.5
"""Beyond the quartiles by so many times their distance lies an outlier (Tukey)."""
FEW = 4
"""Fewer waits have no quartiles worth the name: none of them is an outlier."""


class Wait(NamedTuple):
    """A command or post and its two answers."""

    pair: int
    """Number of the pair, in the order of ``xccos commands``."""
    row: int
    """Of the command; of one not in the capture, of its first reply."""
    time: int
    command: str
    session: int | None
    outcome: Outcome
    refused: bool
    """A reply came, and its code is not that of a success."""
    sip_status: int | None
    sip_ms: float | None
    sip_row: int | None
    """Row of the final response."""
    reply_ms: float | None
    replies: tuple[int, ...]
    """Rows of the replies."""

    @property
    def word(self) -> str:
        """Return the outcome for people: ``refused`` where the reply is not that of a success."""
        return "refused" if self.refused else self.outcome

    @property
    def ms(self) -> float | None:
        """Return the wait for what completes it: the reply, else the SIP answer."""
        return self.sip_ms if self.reply_ms is None else self.reply_ms


class Spread(NamedTuple):
    """How some waits are spread, in milliseconds."""

    waits: int
    """How many."""
    least: float
    lower: float
    """A quarter took no longer."""
    median: float
    upper: float
    p95: float
    most: float

    @property
    def fences(self) -> tuple[float, float]:
        """Return the bounds beyond which a wait is an outlier."""
        reach = FENCE * (self.upper - self.lower)
        if self.waits < FEW:
            return self.least, self.most
        return max(self.least, self.lower - reach), min(self.most, self.upper + reach)


class Summary(NamedTuple):
    """All commands of one name."""

    command: str
    total: int
    sip: Spread | None
    reply: Spread | None
    outcomes: dict[str, int]
    """How many of each ``Wait.word``."""


def waits_of(trace: Trace) -> list[Wait]:
    """Return one for each pair of a trace, in the order of ``xccos commands``."""
    views: Sequence[SessionView] = outline(trace).sessions  # type: ignore[assignment]
    material = views[0].material if views else None
    if material is None:
        return [_of_value(trace, index) for index in range(len(outline(trace).pairs))]
    session = {dialog.index: view.index for view in views for dialog in view.dialogs}
    refused = _refusal(views[0])
    rows, found = trace.rows, material.transactions
    waits = []
    for command in material.commands:
        row = command.first()[0]
        known = command.transaction >= 0
        final = found.final[command.transaction] if known else -1
        waits.append(
            Wait(
                pair=command.index,
                row=row,
                time=rows.time[row],
                command=command.name,
                session=session.get(command.dialog),
                outcome=command.outcome,
                refused=refused(command),
                sip_status=command.status,
                sip_ms=found.latency_ms(command.transaction) if known else None,
                sip_row=None if final < 0 else final,
                reply_ms=_reply_ms(trace, command),
                replies=tuple(answer.row for answer in command.answers),
            )
        )
    return waits


def _refusal(view: SessionView) -> Callable[[Command], bool]:
    code = view.outcomes.code
    return lambda command: any(not is_good(code(answer)) for answer in command.answers)


def _reply_ms(trace: Trace, command: Command) -> float | None:
    if command.element < 0 or not command.answers:
        return None
    time = trace.rows.time
    return (time[command.answers[0].row] - time[command.row]) / 1e6


def _of_value(trace: Trace, index: int) -> Wait:
    """Return the wait of a pair that belongs to no session."""
    pair = outline(trace).pairs[index]
    row = pair.replies[0].row if pair.row is None else pair.row
    number = pair.transaction
    final = None if number is None else outline(trace).transactions[number].final
    return Wait(
        index, row, trace.rows.time[row], pair.command, None, pair.outcome,
        any(not is_good(reply.code) for reply in pair.replies), pair.sip_status,
        pair.sip_latency_ms, final, pair.replies[0].latency_ms if pair.replies else None,
        tuple(reply.row for reply in pair.replies),
    )  # fmt: skip


def spread_of(values: Iterable[float | None]) -> Spread | None:
    """Return how waits are spread; None where there are none."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return None

    def rank(share: float) -> float:
        return known[max(0, ceil(share * len(known)) - 1)]

    return Spread(
        len(known), known[0], rank(0.25), rank(0.5), rank(0.75), rank(0.95), known[-1]
    )  # fmt: skip


def summaries_of(waits: Iterable[Wait]) -> list[Summary]:
    """Return one for each name of a command, the most frequent first."""
    named: dict[str, list[Wait]] = {}
    for wait in waits:
        named.setdefault(wait.command, []).append(wait)
    found = [_summary(name, those) for name, those in named.items()]
    return sorted(found, key=lambda one: (-one.total, one.command))


def _summary(name: str, those: Sequence[Wait]) -> Summary:
    outcomes: dict[str, int] = {}
    for wait in those:
        outcomes[wait.word] = outcomes.get(wait.word, 0) + 1
    return Summary(
        name,
        len(those),
        spread_of(wait.sip_ms for wait in those),
        spread_of(wait.reply_ms for wait in those),
        outcomes,
    )


def sample(values: Sequence[float], limit: int, kept: Iterable[int] = ()) -> list[int]:
    """Return the numbers of at most ``limit`` values that stand for all of them, ascending.

    All of ``kept`` are among them as far as they fit, then the rest evenly by size: the picture of
    the distribution stays what it is, and no chance is in it.
    """
    if len(values) <= limit:
        return [*range(len(values))]
    first = sorted(kept, key=lambda at: -values[at])[:limit]
    taken, room = set(first), limit - len(first)
    if room > 0:
        rest = sorted((at for at in range(len(values)) if at not in taken), key=values.__getitem__)
        taken.update(rest[number * len(rest) // room] for number in range(room))
    return sorted(taken)
