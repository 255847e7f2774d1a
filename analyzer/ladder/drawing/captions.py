"""What is written at an arrow: its label, how long it took, tags, and the answer folded into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.export.printable import printable
from analyzer.ladder.drawing.chunks import GAP, Chunk, chunk, flowed, framed, narrowed, wrapped
from analyzer.ladder.look import cut
from analyzer.times import latency_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.ladder.drawing.fonts import Metrics
    from analyzer.ladder.look import Look
    from analyzer.ladder.values import Answer, Arrow, Heat, Lane

LABEL_LINES = 3
"""A label of ``Look.label`` characters fits so many lines between two lanes."""
MAX_TAGS = 6
"""An arrow has a handful of marks; what a hostile capture adds is in the tooltip."""
_TAG = 40
"""Characters of a tag."""
_LOST = frozenset({"lost", "never answered", "cut"})
HEAT_WORDS: dict[Heat, str] = {"quick": "", "slow": "slow", "very-slow": "very slow"}
HEAT_INKS: dict[Heat, str] = {"quick": "muted", "slow": "doubtful", "very-slow": "bad"}
_SYMBOLS = {"good": ("check", "good"), "bad": ("cross", "bad"), "doubtful": ("warning", "doubtful")}
FAILURE = 400
"""SIP status codes from here on refuse a request (RFC 3261 section 7.2)."""
REDIRECTION = 300
_CHALLENGES = (401, 407)
"""They ask for credentials and are no errors (RFC 3261 section 22.2)."""


class Caption(NamedTuple):
    """The chunks of an arrow before they have their places."""

    label: Chunk
    latency: Chunk | None
    tags: tuple[Chunk, ...]
    answer: Chunk | None

    @property
    def natural(self) -> float:
        """The width that it takes to write everything without a break in the label."""
        first = self.label.width + (GAP + self.latency.width if self.latency else 0)
        tags = sum(one.width + GAP for one in self.tags[:2])
        answer = self.answer.width if self.answer else 0
        return max(first, answer, tags - GAP)


class Placed(NamedTuple):
    """The lines of a caption: over its arrow and under it."""

    above: list[list[Chunk]]
    below: list[list[Chunk]]


def latency_chunk(metrics: Metrics, text: str, heat: Heat) -> Chunk:
    """Return a latency: the slower, the more it stands out, by symbol, word and weight."""
    if heat == "quick":
        return chunk(metrics, "latency", text)
    return chunk(metrics, f"latency-{heat}", f"{text} {HEAT_WORDS[heat]}", "clock", HEAT_INKS[heat])


def _answer(metrics: Metrics, answer: Answer) -> Chunk:
    if answer.status in _CHALLENGES:
        role, symbol, ink = "answer-plain", "dash", "muted"
    elif answer.status >= FAILURE:
        role, symbol, ink = "answer-bad", "cross", "bad"
    elif answer.status >= REDIRECTION:
        role, symbol, ink = "answer-plain", "dash", "muted"
    else:
        role, symbol, ink = "answer", "check", "good"
    after = latency_text(answer.latency_ms)
    # A success is told by its number alone: its text says no more.
    said = str(answer.status) if role == "answer" else printable(cut(answer.text, _TAG))
    return chunk(metrics, role, f"{said} in {after}" if after else said, symbol, ink)


def _label(arrow: Arrow, look: Look) -> str:
    label = printable(cut(arrow.label, look.label))
    times = f"×{arrow.count}"
    return label if arrow.count == 1 or times in label else f"{label} {times}"


def caption(metrics: Metrics, arrow: Arrow, look: Look, aside: Sequence[Lane]) -> Caption:
    """Return what is written at an arrow; ``aside`` are lanes it passed that it does not cross."""
    role = "label" if arrow.tone == "plain" else f"label-{arrow.tone}"
    tags = [
        framed(metrics, "tag-bad" if mark in _LOST else "tag", printable(cut(mark, _TAG)))
        for mark in arrow.marks[:MAX_TAGS]
    ]
    tags += [
        framed(metrics, "tag-plain", f"through {printable(cut(lane.title, _TAG))}")
        for lane in aside[:MAX_TAGS]
    ]
    took = latency_text(arrow.latency_ms)
    return Caption(
        chunk(metrics, role, _label(arrow, look), *_SYMBOLS.get(arrow.tone, ())),
        latency_chunk(metrics, took, arrow.heat) if took else None,
        tuple(tags),
        None if arrow.answer is None else _answer(metrics, arrow.answer),
    )


def _broken(metrics: Metrics, label: Chunk, room: float) -> list[list[Chunk]]:
    around = label.width - chunk(metrics, label.role, label.text).width
    texts = wrapped(metrics, label.text, label.role, max(room - around, 1), LABEL_LINES)
    first = chunk(metrics, label.role, texts[0], label.symbol, label.ink)
    return [[first], *([chunk(metrics, label.role, text)] for text in texts[1:])]


def placed(metrics: Metrics, caption: Caption, room: float) -> Placed:
    """Return the lines of a caption where there is so much room between two lanes."""
    label, latency, tags, answer = caption
    after: list[Chunk] = []
    if latency is not None and label.width + GAP + latency.width <= room:
        above = [[label, latency]]
    else:
        above = [[label]] if label.width <= room else _broken(metrics, label, room)
        after = [latency] if latency is not None else []
    if not after and not tags and answer is None:
        return Placed(above, [])
    after += [*tags, answer] if answer is not None else tags
    return Placed(above, flowed([narrowed(metrics, one, room) for one in after], room))
