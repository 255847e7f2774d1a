"""The foot of a drawing: what was left out of it, and what its lines and symbols mean.

The legend explains what is in this ladder and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.export.printable import printable
from analyzer.ladder.drawing import symbols
from analyzer.ladder.drawing.captions import HEAT_WORDS
from analyzer.ladder.drawing.cards import STATUSES
from analyzer.ladder.drawing.chunks import text_width, wrapped
from analyzer.ladder.drawing.columns import MARGIN
from analyzer.ladder.drawing.primitives import Circle, Item, Line, Part, Path, Rect, Text
from analyzer.ladder.values import SLOW_MS, VERY_SLOW_MS, Arrow
from analyzer.times import latency_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.ladder.drawing.plan import Plan

_LINE = 20.0
_SAMPLE = 40.0
"""Width of a sample of a line."""
_SPACE = 22.0
MAX_LEFT = 12
"""Sentences about what is left out that are written in full."""
_LEFT_LINES = 3


class _Entry(NamedTuple):
    width: float
    sample: Callable[[float, float], Iterator[Part]]
    text: str


def _arrow(kind: str) -> Callable[[float, float], Iterator[Part]]:
    def sample(x: float, y: float) -> Iterator[Part]:
        end = x + _SAMPLE - 8
        yield Line(x, y, end - (0 if kind == "response" else 8), y, kind)
        head = (("M", end - 9, y - 4), ("L", end, y), ("L", end - 9, y + 4))
        yield Path(head if kind == "response" else (*head, ("Z",)), f"{kind}-head")

    return sample


def _hop(x: float, y: float) -> Iterator[Part]:
    yield Line(x, y, x + _SAMPLE - 8, y, "request")
    yield Circle(x + _SAMPLE / 2 - 4, y, 3.5, "hop")


def _tag(x: float, y: float) -> Iterator[Part]:
    yield Rect(x, y - 6, 24, 12, "tag", 3)


def _symbol(name: str, ink: str) -> Callable[[float, float], Iterator[Part]]:
    return lambda x, y: symbols.drawn(name, x + 5, y, ink)


def _of_arrows(arrows: tuple[Arrow, ...]) -> Iterator[_Entry]:
    for kind in ("request", "response", "connection"):
        if any(arrow.kind == kind for arrow in arrows):
            words = "not SIP" if kind == "connection" else f"SIP {kind}"
            yield _Entry(_SAMPLE, _arrow(kind), words)
    if any(arrow.via for arrow in arrows):
        yield _Entry(_SAMPLE, _hop, "passed on by a proxy")
    if any(arrow.marks for arrow in arrows):
        yield _Entry(30, _tag, "remark on a message")
    if any(arrow.count > 1 for arrow in arrows):
        yield _Entry(0, lambda _x, _y: iter(()), "×N: N like it, one after the other")


def _entries(plan: Plan) -> Iterator[_Entry]:
    ladder = plan.ladder
    arrows = ladder.arrows
    yield from _of_arrows(arrows)
    tones = {event.tone for event in ladder.events}
    tones |= {"good" for arrow in arrows if arrow.answer is not None and arrow.answer.status < 300}
    for tone, symbol, words in (
        ("good", "check", "success"),
        ("doubtful", "warning", "doubtful"),
        ("bad", "cross", "error"),
    ):
        if tone in tones:
            yield _Entry(symbols.WIDTH, _symbol(symbol, tone), words)
    heats = {arrow.heat for arrow in arrows} | {one.heat for one in ladder.brackets}
    if heats - {"quick"}:
        words = (
            f"{HEAT_WORDS['slow']} from {latency_text(SLOW_MS)}, "
            f"{HEAT_WORDS['very-slow']} from {latency_text(VERY_SLOW_MS)}"
        )
        yield _Entry(symbols.WIDTH, _symbol("clock", "doubtful"), words)
    if any(getattr(event, "kind", "") == "hole" for event in ladder.events):
        yield _Entry(symbols.WIDTH, _symbol("hole", "doubtful"), "missing from the capture")
    for status in sorted({group.status for group in ladder.groups}):
        if status not in {"ok", "slow", "failed"}:  # told above, or by their words
            one = STATUSES[status]
            yield _Entry(symbols.WIDTH, _symbol(one.symbol, one.ink), f"step {one.words}")


def foot(plan: Plan, top: float) -> tuple[list[Item], float]:
    """Return the foot that begins at ``top``, and its height."""
    y = top + 14
    parts: list[Part] = []
    room = plan.columns.width - 2 * MARGIN
    for sentence in left_out(plan):
        for line in wrapped(plan.metrics, sentence, "left", room, _LEFT_LINES):
            parts.append(Text(MARGIN, y + 10, "start", "left", line))
            y += 16
    found = [Item("legend", tuple(parts))] if parts else []
    legend, end = _legend(plan, y + 6)
    return [*found, *legend], end - top + MARGIN - 8


def left_out(plan: Plan) -> list[str]:
    """Return the sentences about what is left out; of very many the rest only counted."""
    said = [printable(one) for one in plan.ladder.left_out]
    if len(said) > MAX_LEFT:
        return [*said[: MAX_LEFT - 1], f"{len(said) - MAX_LEFT + 1} more things are not shown."]
    return said


def _legend(plan: Plan, y: float) -> tuple[list[Item], float]:
    parts: list[Part] = [Line(MARGIN, y, plan.columns.width - MARGIN, y, "rule")]
    x, y = MARGIN, y + 16
    for entry in _entries(plan):
        width = entry.width + text_width(plan.metrics, entry.text, "legend")
        if x > MARGIN and x + width > plan.columns.width - MARGIN:
            x, y = MARGIN, y + _LINE
        parts += entry.sample(x, y)
        parts.append(Text(x + entry.width, y + 4, "start", "legend", entry.text))
        x += width + _SPACE
    if len(parts) == 1:
        return [], y - 16
    return [Item("legend", tuple(parts))], y + 12
