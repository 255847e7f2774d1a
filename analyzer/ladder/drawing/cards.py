"""Cards of steps, left of the times: number, title, how the step went, and over which rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.export.printable import printable
from analyzer.ladder.drawing.chunks import (
    GAP,
    chunk,
    drawn_line,
    fitted,
    narrowed,
    text_width,
    wrapped,
)
from analyzer.ladder.drawing.columns import STEP_WIDTH
from analyzer.ladder.drawing.primitives import Item, Part, Rect, Text
from analyzer.ladder.drawing.symbols import WIDTH as SYMBOL_WIDTH
from analyzer.ladder.drawing.tips import group_tip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.flows.values import StepStatus
    from analyzer.ladder.drawing.fonts import Metrics
    from analyzer.ladder.values import Group


class Shown(NamedTuple):
    """How a status of a step is shown."""

    words: str
    symbol: str
    tone: str
    ink: str


STATUSES: dict[StepStatus, Shown] = {
    "ok": Shown("ok", "check", "good", "good"),
    "slow": Shown("slow", "clock", "doubtful", "doubtful"),
    "retried": Shown("retried", "retry", "doubtful", "doubtful"),
    "out-of-order": Shown("out of order", "swap", "doubtful", "doubtful"),
    "failed": Shown("failed", "cross", "bad", "bad"),
    "missing": Shown("missing", "missing", "bad", "bad"),
    "not-applicable": Shown("not applicable", "dash", "plain", "muted"),
    "not-captured": Shown("not captured", "question", "plain", "muted"),
}
_PAD = 6.0
_INSET = 2.0
"""Above a card and below it, so that two cards do not touch."""
_TITLE, _SMALL = 15.0, 14.0
"""Heights of lines."""
_LEFT = 14.0
_ROOM = STEP_WIDTH - _LEFT - 8
_DETAIL_LINES = 8
"""As many are drawn as the card has room for."""


class _Lines(NamedTuple):
    heading: str
    title: list[str]
    detail: list[str]


def _lines(metrics: Metrics, group: Group, *, heading: bool) -> _Lines:
    title = f"{group.step}  {group.title}"
    # What is said of a step stands where it begins.
    detail = "" if group.continued else printable(group.detail)
    return _Lines(
        fitted(metrics, printable(group.flow).upper(), "flow", _ROOM) if heading else "",
        wrapped(metrics, printable(title), "step", _ROOM, 1 if group.continued else 2),
        wrapped(metrics, detail, "detail", _ROOM - SYMBOL_WIDTH, _DETAIL_LINES) if detail else [],
    )


def card_height(metrics: Metrics, group: Group, *, heading: bool) -> float:
    """Return what a card needs: its title, its status and the first line of what is said of it."""
    lines = _lines(metrics, group, heading=heading)
    said = bool(lines.detail) and not _beside(metrics, group, lines)
    small = _SMALL * ((1 if lines.heading else 0) + 1 + said)
    return 2 * _INSET + 2 * _PAD + _TITLE * len(lines.title) + small - 3


def _beside(metrics: Metrics, group: Group, lines: _Lines) -> bool:
    """Tell whether what is said of a step fits the line of its status."""
    words = text_width(metrics, STATUSES[group.status].words, "status-good")
    said = text_width(metrics, lines.detail[0], "detail")
    return len(lines.detail) == 1 and SYMBOL_WIDTH + words + 9 + said <= _ROOM


def card(metrics: Metrics, group: Group, box: tuple[float, float, float], *, heading: bool) -> Item:
    """Return the card of a step; ``box`` is its left edge, its top and its height."""
    x, top, height = box
    status = STATUSES[group.status]
    top, height = top + _INSET, height - 2 * _INSET
    parts: list[Part] = [
        Rect(x, top, STEP_WIDTH, height, f"card-{status.tone}", 3),
        Rect(x, top, 4, height, f"solid-{status.ink}"),
    ]
    parts += _text(metrics, group, (x + _LEFT, top + _PAD, top + height - 4), heading=heading)
    return Item("step", tuple(parts), group_tip(group, status.words))


def _text(
    metrics: Metrics, group: Group, box: tuple[float, float, float], *, heading: bool
) -> Iterator[Part]:
    x, y, bottom = box
    status = STATUSES[group.status]
    words = f"{status.words} (continued)" if group.continued else status.words
    state = chunk(metrics, f"status-{status.tone}", words, status.symbol, status.ink)
    if y + _TITLE + _SMALL - 2 > bottom:  # a row that was cut off from the others of its step
        title = chunk(metrics, "step", printable(f"{group.step}  {group.title}"))
        short = state._replace(text=status.words)
        room = _ROOM - short.width - GAP
        yield from drawn_line([short, narrowed(metrics, title, room)], x, y + 10)
        return
    lines = _lines(metrics, group, heading=heading)
    if lines.heading:
        yield Text(x, y + 9, "start", "flow", lines.heading)
        y += _SMALL
    for line in lines.title:
        if y + _TITLE <= bottom:
            yield Text(x, y + 12, "start", "step", line)
        y += _TITLE
    beside = bool(lines.detail) and _beside(metrics, group, lines)
    said = [chunk(metrics, "detail", lines.detail[0])] if beside else []
    if y + _SMALL - 2 <= bottom:
        yield from drawn_line([state, *said], x, y + 11)
    if not beside:
        yield from _detail(lines.detail, x + SYMBOL_WIDTH, y + _SMALL, bottom)


def _detail(lines: list[str], x: float, y: float, bottom: float) -> Iterator[Part]:
    """Yield as many lines as the card has room for; the tooltip has all of them."""
    room = max(int((bottom - y + 2) // _SMALL), 0)
    kept = lines[:room]
    if kept and room < len(lines):
        kept[-1] = f"{kept[-1].rstrip('. ')}…" if not kept[-1].endswith("…") else kept[-1]
    for line in kept:
        yield Text(x, y + 11, "start", "detail", line)
        y += _SMALL
