"""Ladders as Mermaid sequence diagrams, which GitHub, GitLab and many wikis draw by themselves.

A document stays below the 50,000 characters that Mermaid accepts by default (``maxTextSize``; its
``maxEdges`` counts no messages). Of a text of the capture nothing is left that Mermaid, HTML or
Markdown could read as its own: it goes as an entity.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.ladder.look import Clock, cut
from analyzer.ladder.text_cells import UNICODE, safe, wrapped
from analyzer.ladder.text_documents import LEFT_OUT, documents, head_lines
from analyzer.ladder.text_words import Words
from analyzer.ladder.values import Arrow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.ladder.look import Look
    from analyzer.ladder.values import Group, Ladder, Lane, Note

LIMIT = 48_000
"""UTF-16 units of a document, as JavaScript counts them; 50,000 are refused."""
HEAD = 32
"""Characters of a line in the head of a lane."""
NOTE = 60
"""Characters of a line of a note."""
TEXT = 240
"""Characters of a note, a step or a title that are kept."""

# What the lexer of sequence diagrams, its directives, KaTeX, sanitising, HTML or a Markdown fence
# around the document could take for its own; U+FB02 and U+00B6 stand for entities inside Mermaid.
# No more than these: Mermaid measures a text before it resolves entities, so boxes get too wide.
_MARKED = re.compile(r"[#;<>&`\\$%{}ﬂ¶]")
# A line with "style" or "classDef", a colon and an entity loses its last semicolon
# (encodeEntities); "wrap:" and "nowrap:" at the beginning are commands. "end" is none here.
_WORD = re.compile(r"s(?=tyle)|c(?=lassDef)|(?<=wrap):")
_TINTS = {
    "failed": "rgba(213, 94, 0, 0.16)",
    "missing": "rgba(213, 94, 0, 0.16)",
    "slow": "rgba(230, 159, 0, 0.16)",
    "retried": "rgba(230, 159, 0, 0.16)",
    "out-of-order": "rgba(230, 159, 0, 0.16)",
}
_TINT = "rgba(128, 128, 128, 0.10)"
"""Of other groups; seen on white and on black."""
_ARROWS = {"request": "->>", "response": "-->>", "connection": "-)"}


def render_mermaid(ladder: Ladder, look: Look) -> Iterator[bytes]:
    """Yield a ladder as Mermaid documents, each of less than 50,000 characters."""
    yield from documents(ladder, look.page, LIMIT, lambda part: _write(part, look))


def escaped(text: str) -> str:
    """Return a text of a capture so that Mermaid shows it as it is."""
    text = safe(text, unicode=True)
    text = _WORD.sub(lambda found: f"\0{ord(found[0])}\1", text)
    text = _MARKED.sub(lambda found: f"#{ord(found[0])};", text)
    return text.replace("\0", "#").replace("\1", ";")


def _write(ladder: Ladder, look: Look) -> tuple[str, int]:
    text = "".join(f"{line}\n" for line in _Mermaid(ladder, look).lines())
    return text, len(text.encode("utf-16-le")) // 2


class _Mermaid:
    def __init__(self, ladder: Ladder, look: Look) -> None:
        self._ladder, self._look = ladder, look
        self._clock = Clock(ladder, look)
        self._words = Words(ladder, self._clock, UNICODE)

    def lines(self) -> Iterator[str]:
        if self._look.theme != "auto":
            theme = "dark" if self._look.theme == "dark" else "default"
            yield f'%%{{init: {{"theme": "{theme}"}}}}%%'
        yield "sequenceDiagram"
        yield from self._heads()
        for number, lane in enumerate(self._ladder.lanes):
            yield f"  {self._lane(number, lane)}"
        groups = {group.first: group for group in self._ladder.groups}
        last = {group.last for group in self._ladder.groups}
        within = False
        before: int | None = None
        for number, event in enumerate(self._ladder.events):
            if group := groups.get(number):
                yield from self._group(group)
                within = True
            indent = "    " if within else "  "
            if isinstance(event, Arrow):
                yield indent + self._arrow(number, event, before)
            else:
                yield indent + self._note(event)
            before = event.time
            if number in last:
                within = False
                yield "  end"
        yield from self._ends()

    def _heads(self) -> Iterator[str]:
        ladder = self._ladder
        title = escaped(cut(ladder.title, TEXT)) or "Ladder"
        subtitle = escaped(cut(ladder.subtitle, TEXT))
        yield f"  title {title}"
        yield f"  accTitle: {title}"
        arrows = len(ladder.arrows)
        counted = f"{arrows} arrow{'s' * (arrows != 1)} between {len(ladder.lanes)} lanes"
        yield f"  accDescr: {subtitle}. {counted}, times as {self._clock.heading}"

    def _lane(self, number: int, lane: Lane) -> str:
        # The name of an actor, a stick figure, has no room for a second line.
        kind = "actor" if lane.kind == "client" and not lane.subtitle else "participant"
        return f"{kind} p{number} as {_lines(head_lines(lane, HEAD))}"

    def _group(self, group: Group) -> Iterator[str]:
        step = self._words.step(group)
        yield f"  rect {_TINTS.get(group.status, _TINT)}"
        lines = [*self._told(f"{step.title}  {step.status}"), *self._told(step.detail)]
        yield f"    Note over {self._over(())}: {_lines(lines)}"

    def _arrow(self, number: int, arrow: Arrow, before: int | None) -> str:
        sign = _ARROWS[arrow.kind]
        if "lost" in arrow.marks:
            sign = "--x" if arrow.kind == "response" else "-x"
        label = cut(self._words.label(arrow), self._look.label)
        place = f"frame {arrow.frame}, {self._clock.text(arrow.time, before)}"
        remarks = ", ".join(remark.text for remark in self._words.remarks(number))
        said = self._told(remarks)
        return f"p{arrow.source}{sign}p{arrow.target}: {_lines([label, place, *said])}"

    def _note(self, note: Note) -> str:
        sign = "≈≈ " if note.kind == "hole" else self._words.sign(note.tone)
        text = f"{sign}{self._words.note(note)}"
        return f"Note over {self._over(note.lanes)}: {_lines(self._told(text))}"

    def _over(self, lanes: Sequence[int]) -> str:
        first, last = (min(lanes), max(lanes)) if lanes else (0, len(self._ladder.lanes) - 1)
        return f"p{first}" if first == last else f"p{first},p{last}"

    def _told(self, text: str) -> list[str]:
        return wrapped(cut(text, TEXT), NOTE)

    def _ends(self) -> Iterator[str]:
        if not self._ladder.lanes:
            return
        if not self._ladder.events:
            yield f"  Note over {self._over(())}: Nothing was said"
        for sentence in self._ladder.left_out[:LEFT_OUT]:
            yield f"  Note over {self._over(())}: {_lines(self._told(sentence))}"


def _lines(lines: Sequence[str]) -> str:
    return "<br/>".join(map(escaped, lines))
