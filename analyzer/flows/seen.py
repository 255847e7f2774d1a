"""What the capture shows of a step: its status as far as the step alone decides, and its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.flows.values import StepStatus
    from analyzer.sessions.view import SessionView

SHOWN_ROWS = 12
"""Messages that one step names as its evidence: the first ones."""


class Seen(NamedTuple):
    """What was seen of a step."""

    status: StepStatus
    """``ok``, ``retried``, ``failed``, ``missing`` or ``not-captured``."""
    rows: tuple[int, ...]
    """Evidence, ascending."""
    latency_ms: float | None
    """From its first request to what completed it."""
    detail: str
    begin: int = -1
    """Row of its first message."""
    end: int = -1
    """Row that completed it."""
    first_done: int = -1
    """Row from which on what builds on it can begin."""
    wait_ms: float = 0.0
    """The longest that one of its requests waited: what the client took itself is not slow."""
    partial: bool = False
    """A part of it was done."""

    @classmethod
    def of(
        cls,
        view: SessionView,
        status: StepStatus,
        rows: Iterable[int],
        detail: str,
        *,
        end: int = -1,
        latency: bool = True,
    ) -> Self:
        """Make one that began with its first row; ``end`` is the row that completed it."""
        shown = evidence(rows)
        begin = shown[0] if shown else -1
        taken = None
        if latency and end >= 0 and begin >= 0:
            taken = (view.time(end) - view.time(begin)) / 1e6
        return cls(status, shown, taken, detail, begin, end, end, taken or 0.0)


def evidence(rows: Iterable[int], more: Sequence[int] = ()) -> tuple[int, ...]:
    """Return rows as a step names them: each once, ascending, the first ones of very many."""
    kept = sorted(set(rows))[:SHOWN_ROWS]
    return tuple(sorted({*kept, *sorted(more)[: SHOWN_ROWS - len(kept)]}))
