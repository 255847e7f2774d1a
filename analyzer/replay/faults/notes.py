"""What rules did, as sentences for the outcome of a play.

The rule: a rule that never hit anything says so; of one that hit often the first hits are told and
the rest counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.replay.faults.matching import Counter

MAX_TOLD = 20
"""Hits of one rule that are told one by one."""
MAX_OTHER = 100


class Notes:
    """Collects sentences."""

    def __init__(self) -> None:
        self._hits: dict[int, list[str]] = {}
        self._other: dict[str, None] = {}

    def hit(self, rule: int, did: str, message: str, seconds: float) -> None:
        """Take note of a hit."""
        told = self._hits.setdefault(rule, [])
        if len(told) < MAX_TOLD:
            told.append(f"{did}: {message} at {seconds:.3f} s")

    def add(self, sentence: str) -> None:
        """Take note of something else, once."""
        if len(self._other) < MAX_OTHER:
            self._other[sentence] = None

    def sentences(self, counters: Sequence[Counter]) -> tuple[str, ...]:
        """Return all sentences, those of the rules first."""
        out: list[str] = []
        for number, counter in enumerate(counters):
            told = self._hits.get(number, [])
            head = f"fault {counter.rule.text!r}"
            out += [f"{head}: {one}" for one in told] or [f"{head} hit nothing{_why(counter)}"]
            if counter.hits > len(told):
                out.append(f"{head}: {counter.hits - len(told)} more times")
        return (*out, *self._other)


def _why(counter: Counter) -> str:
    """Return what there was that the rule could have meant, in brackets."""
    if counter.counted:
        count = sum(counter.counted.values())
        return (
            f" ({amount(count, 'such message')} passed, but none that its number or chance meant)"
        )
    if counter.other_way:
        way = "heard" if counter.rule.select.direction == "said" else "said"
        passed = amount(counter.other_way, "such message")
        return f" ({passed} passed the other way, which the word {way!r} means)"
    return ""
