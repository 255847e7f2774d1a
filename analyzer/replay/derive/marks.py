"""Which stretches of a text are slots, and the template that this makes.

The rule: what is claimed first stays; whoever comes later takes only what is still free.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from analyzer.replay.template import escape


class Span(NamedTuple):
    """A stretch of a text that is a slot."""

    start: int
    end: int
    name: str


class Marks:
    """The slots of one text."""

    __slots__ = ("_spans", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._spans: list[Span] = []

    def is_free(self, start: int, end: int) -> bool:
        """Say whether nothing of a stretch is claimed."""
        at = bisect_left(self._spans, (start,))
        before = at > 0 and self._spans[at - 1].end > start
        behind = at < len(self._spans) and self._spans[at].start < end
        return start < end and not before and not behind

    def claim(self, start: int, end: int, name: str | None) -> bool:
        """Make a stretch a slot, if it is free; ``None``: do nothing. Say whether it was done."""
        if name is None or not self.is_free(start, end):
            return False
        if self.text[start - 1 : start] == "$":  # "$" and a slot would read as an escaped slot
            return False
        self._spans.insert(bisect_left(self._spans, (start,)), Span(start, end, name))
        return True

    def free(self, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
        """Return the stretches between two places that are not claimed."""
        last = len(self.text) if end is None else end
        found, at = [], start
        for span in self._spans[max(0, bisect_left(self._spans, (start,)) - 1) :]:
            if span.start >= last:
                break
            if span.end <= start:
                continue
            if span.start > at:
                found.append((at, span.start))
            at = max(at, span.end)
        if at < last:
            found.append((at, last))
        return found

    def template(self, start: int = 0, end: int | None = None) -> str:
        """Return the text, or a stretch of it that cuts no slot, with its slots."""
        last = len(self.text) if end is None else end
        parts: list[str] = []
        at = start
        for span in self._spans[bisect_left(self._spans, (start,)) :]:
            if span.start >= last:
                break
            parts += (escape(self.text[at : span.start]), f"${{{span.name}}}")
            at = span.end
        return "".join([*parts, escape(self.text[at:last])])
