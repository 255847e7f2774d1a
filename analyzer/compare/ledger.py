"""Collects divergences and doubts: like ones become one with a count, in the order of the rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.compare.values import WEIGHTS, Divergence, Doubt, Told
from analyzer.flows.signin import SIGN_IN

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from analyzer.compare.exchange_pairs import Found
    from analyzer.compare.values import Exchange, Kind, SideName, StepKey, Weight

MAX_FRAMES = 12
"""Frames of a folded divergence: the first ones."""
SHOWN = 3
"""Names that a doubt lists."""


class Ledger:
    """Divergences and doubts of one comparison."""

    def __init__(self) -> None:
        self._divergences: list[Divergence] = []
        self._of_rows: list[tuple[int, Kind, Weight]] = []
        self._places: dict[tuple[object, ...], int] = {}
        self._doubts: dict[tuple[SideName, str], list[Doubt]] = {}
        self._steps: dict[tuple[SideName, str], list[StepKey | None]] = {}

    def add(self, found: Found, row: int, like: Exchange, *, follows: bool = False) -> None:
        """Take a divergence in; ``like`` is an exchange of its row."""
        one = Divergence(
            found.kind, found.weight, like.step, like.subject, found.a, found.b, row, found.field,
            follows=follows,
        )  # fmt: skip
        if found.kind != "header":
            self._of_rows.append((row, found.kind, found.weight))
        self.put(one, self._key(found, like), like.family)

    @staticmethod
    def _key(found: Found, like: Exchange) -> tuple[object, ...]:
        if found.kind == "header":
            return ("header", found.field, found.a.text, found.b.text)
        sides: tuple[str, ...] = (found.a.text, found.b.text)
        if found.kind == "one-sided":
            # What was answered, and how soon, need not be the same.
            sides = tuple("" if text.startswith("answered") else text for text in sides)
        return (found.kind, found.weight, like.step, like.family, found.field, sides)

    def put(self, one: Divergence, key: tuple[object, ...], family: str) -> None:
        """Take a divergence in, or count it with one that has the same key."""
        at = self._places.get(key)
        if at is None:
            self._places[key] = len(self._divergences)
            self._divergences.append(one)
            return
        known = self._divergences[at]
        self._divergences[at] = replace(
            known,
            subject=known.subject
            if one.kind == "header" or known.subject == one.subject
            else family,
            a=_together(known.a, one.a),
            b=_together(known.b, one.b),
            count=known.count + 1,
        )

    def doubt(self, doubt: Doubt, step: StepKey | None) -> None:
        """Take in something that one capture cannot tell."""
        key = (doubt.side, doubt.reason)
        self._doubts.setdefault(key, []).append(doubt)
        self._steps.setdefault(key, []).append(step)

    def of_step(self, step: StepKey) -> list[Divergence]:
        """Return the divergences so far of a step."""
        return [one for one in self._divergences if one.step == step]

    def doubtful(self, step: StepKey) -> bool:
        """Say whether something of a step could not be told."""
        return any(step in steps for steps in self._steps.values())

    def upgrade(self, found: Divergence) -> None:
        """Make a divergence a major one."""
        at = self._divergences.index(found)
        self._divergences[at] = replace(found, weight="major")

    def divergences(self) -> tuple[Divergence, ...]:
        """Return all divergences in the order of the flow, within a row the heaviest first."""
        return tuple(
            sorted(self._divergences, key=lambda one: (one.row, WEIGHTS.index(one.weight)))
        )

    def weights(self, ignored: Container[Kind]) -> dict[int, Weight]:
        """Return the heaviest divergence of each row, of folded ones too."""
        found: dict[int, Weight] = {}
        kept = [(one.row, one.kind, one.weight) for one in self._divergences]
        for row, kind, weight in (*self._of_rows, *kept):
            if kind not in ignored:
                found[row] = heavier(found.get(row), weight)
        return found

    def doubts(self) -> tuple[Doubt, ...]:
        """Return the doubts, those of one side and reason as one."""
        found = [
            Doubt(
                side, _what(doubts, self._steps[side, reason]), reason,
                tuple(sorted({frame for one in doubts for frame in one.frames}))[:MAX_FRAMES],
                doubts[0].row,
            )
            for (side, reason), doubts in self._doubts.items()
        ]  # fmt: skip
        return tuple(sorted(found, key=lambda one: (one.row, one.reason, one.what)))


def heavier(one: Weight | None, other: Weight) -> Weight:
    """Return the heavier of two weights."""
    return other if one is None or WEIGHTS.index(other) < WEIGHTS.index(one) else one


def _together(known: Told, more: Told) -> Told:
    frames = tuple(dict.fromkeys((*known.frames, *more.frames)))[:MAX_FRAMES]
    return Told(known.text, frames)


def _what(doubts: Sequence[Doubt], steps: Sequence[StepKey | None]) -> str:
    """Return ``steps 1 to 6, BYE to Lookup and 3 more``."""
    numbers = sorted({int(one.id) for one in steps if one and one.flow == SIGN_IN.name})
    others = list(
        dict.fromkeys(
            doubt.what
            for doubt, step in zip(doubts, steps, strict=True)
            if step is None or step.flow != SIGN_IN.name
        )
    )
    parts = [_span_text(numbers)] if numbers else []
    parts += others[:SHOWN]
    more = len(others) - SHOWN
    return ", ".join(parts) + (f" and {more} more" if more > 0 else "")


def _span_text(numbers: Sequence[int]) -> str:
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1].append(number)
        else:
            spans.append([number])
    parts = [f"{one[0]} to {one[-1]}" if len(one) > 1 else str(one[0]) for one in spans]
    return f"step{'' if len(numbers) == 1 else 's'} {', '.join(parts)}"
