"""Ladders as PlantUML sequence diagrams, for PlantUML 1.2020.2 and newer.

A picture of PlantUML ends at 4096 pixels (``PLANTUML_LIMIT_SIZE``), so a long ladder becomes
several documents, not one with ``newpage``, of which wikis show the first page alone. Of a text of
the capture only letters, digits and plain marks are left; all else goes as ``<U+0000>``, which
PlantUML reads after Creole and the preprocessor: no text can include, fetch or format anything.
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
    from analyzer.ladder.values import Group, Ladder, Lane, Note, Tone

LIMIT = 3600
"""Pixels of a document's height as they are estimated; 4096 is where the picture ends."""
MOST_WIDTH = 4000
"""Pixels: a ladder of many lanes is made smaller, as its right side would be cut off at 4096."""
LINE = 15
"""Pixels of a line of text."""
SMALL = 12
"""Pixels of a line of small text."""
HEAD = 32
"""Characters of a line in the head of a lane."""
NOTE = 90
"""Characters of a line of a note."""
TEXT = 240
"""Characters of a note, a step or a title that are kept."""

# Letters, digits, spaces and marks that mean nothing to Creole, the preprocessor or a command,
# alone; what is doubled may be markup (--, __, //, ..), and after @ stand commands.
_MARKED = re.compile(
    r"[^\w .,:()+@?\-/=×…✓✗·≈→]"
    r"|@(?=start|end|append|pause|unpause)"
    r"|(?P<one>[_.:()+\-/=])(?=(?P=one))|(?<=([_.:()+\-/=]))(?P<two>[_.:()+\-/=])(?<=\2\2)"
    r"|^[\-=.+_/:]"
)
# Are spelt out: of numbers of six digits PlantUML writes no valid SVG.
_UNSHOWN = re.compile("[\U00100000-\U0010ffff]")
_COLOURS: dict[Tone, str] = {"plain": "", "good": "", "bad": "[#C0392B]", "doubtful": "[#A86400]"}
_LIGHT = """\
skinparam backgroundColor #FFFFFF
skinparam shadowing false
skinparam defaultFontName SansSerif
skinparam defaultFontSize 12
skinparam titleFontSize 14
skinparam sequenceMessageAlign center
skinparam responseMessageBelowArrow false
skinparam sequence {
  ArrowColor #222222
  LifeLineBorderColor #777777
  ParticipantBackgroundColor #EEF2F7
  ParticipantBorderColor #5B6B7F
  ActorBackgroundColor #EEF2F7
  ActorBorderColor #5B6B7F
  GroupBorderColor #8A97A6
  GroupBackgroundColor #E3E9F0
}
skinparam note {
  BackgroundColor #FFF8DC
  BorderColor #A08A3C
}"""
_DARK = """\
skinparam backgroundColor #16191D
skinparam shadowing false
skinparam defaultFontName SansSerif
skinparam defaultFontSize 12
skinparam defaultFontColor #E8EAED
skinparam titleFontSize 14
skinparam titleFontColor #E8EAED
skinparam sequenceMessageAlign center
skinparam sequence {
  ArrowColor #D0D4DA
  ArrowFontColor #E8EAED
  LifeLineBorderColor #8A97A6
  ParticipantBackgroundColor #2A3038
  ParticipantBorderColor #8A97A6
  ParticipantFontColor #E8EAED
  ActorBackgroundColor #2A3038
  ActorBorderColor #8A97A6
  ActorFontColor #E8EAED
  GroupBorderColor #8A97A6
  GroupBackgroundColor #2A3038
  GroupFontColor #E8EAED
  GroupHeaderFontColor #E8EAED
  DelayFontColor #E8EAED
}
skinparam note {
  BackgroundColor #3A3420
  BorderColor #A08A3C
  FontColor #E8EAED
}"""
_DARK_COLOURS: dict[Tone, str] = {**_COLOURS, "bad": "[#FF8A7A]", "doubtful": "[#F0B050]"}
_ARROWS = {"request": "-{}>", "response": "-{}->", "connection": "-{}>>"}


def render_plantuml(ladder: Ladder, look: Look) -> Iterator[bytes]:
    """Yield a ladder as PlantUML documents, each below 4096 pixels high."""
    yield from documents(ladder, look.page, LIMIT, lambda part: _PlantUml(part, look).write())


def escaped(text: str) -> str:
    """Return a text of a capture so that PlantUML shows it as it is, and does nothing else."""
    text = _UNSHOWN.sub(lambda found: f"\\U{ord(found[0]):08x}", safe(text, unicode=True))
    return _MARKED.sub(lambda found: f"<U+{ord(found[0]):04X}>", text)


class _PlantUml:
    def __init__(self, ladder: Ladder, look: Look) -> None:
        self._ladder, self._look = ladder, look
        self._clock = Clock(ladder, look)
        self._words = Words(ladder, self._clock, UNICODE)
        self._dark = look.theme == "dark"
        self._colours = _DARK_COLOURS if self._dark else _COLOURS
        self._height = 220
        """Estimated: title, heads and feet."""

    def write(self) -> tuple[str, int]:
        """Return the document, and its height in pixels."""
        return "".join(f"{line}\n" for line in self._lines()), self._height

    def _lines(self) -> Iterator[str]:
        yield "@startuml"
        yield f"scale max {MOST_WIDTH} width"
        yield _DARK if self._dark else _LIGHT
        subtitle = wrapped(cut(self._ladder.subtitle, TEXT), NOTE)
        yield f"title {_lines([cut(self._ladder.title, TEXT) or 'Ladder', *subtitle], small=True)}"
        for number, lane in enumerate(self._ladder.lanes):
            yield self._lane(number, lane)
        yield from self._events()
        yield from self._ends()
        yield "@enduml"

    def _events(self) -> Iterator[str]:
        groups = {group.first: group for group in self._ladder.groups}
        last = {group.last for group in self._ladder.groups}
        before: int | None = None
        for number, event in enumerate(self._ladder.events):
            if group := groups.get(number):
                yield from self._group(group)
            if isinstance(event, Arrow):
                yield self._arrow(number, event, before)
            else:
                yield from self._note(event)
            before = event.time
            if number in last:
                self._height += LINE
                yield "end"

    def _lane(self, number: int, lane: Lane) -> str:
        kind = "actor" if lane.kind == "client" else "participant"
        return f'{kind} "{_lines(head_lines(lane, HEAD), small=True)}" as p{number}'

    def _group(self, group: Group) -> Iterator[str]:
        step = self._words.step(group)
        self._height += 3 * LINE
        yield f"group {escaped(cut(f'{step.title}  {step.status}', NOTE))}"
        if step.detail:
            yield from self._over((), step.detail, "#22272E" if self._dark else "#F4F7FA")

    def _arrow(self, number: int, arrow: Arrow, before: int | None) -> str:
        sign = _ARROWS[arrow.kind].format(self._colours[arrow.tone])
        if "lost" in arrow.marks:
            sign += "x"
        label = cut(self._words.label(arrow), self._look.label)
        place = f"frame {arrow.frame}, {self._clock.text(arrow.time, before)}"
        remarks = ", ".join(remark.text for remark in self._words.remarks(number))
        lines = [label, place, *wrapped(cut(remarks, TEXT), NOTE)]
        self._height += 2 * LINE + SMALL * (len(lines) - 1)
        return f"p{arrow.source} {sign} p{arrow.target} : {_lines(lines, small=True)}"

    def _note(self, note: Note) -> Iterator[str]:
        text = self._words.note(note)
        if note.kind == "hole" and not note.lanes:
            lines = wrapped(cut(text, TEXT), NOTE)
            self._height += LINE * (len(lines) + 2)
            yield f"...{_lines(lines)}..."
            return
        sign = "≈≈ " if note.kind == "hole" else self._words.sign(note.tone)
        yield from self._over(note.lanes, sign + text)

    def _over(self, lanes: Sequence[int], text: str, colour: str = "") -> Iterator[str]:
        if not self._ladder.lanes:
            return
        first, last = (min(lanes), max(lanes)) if lanes else (0, len(self._ladder.lanes) - 1)
        lines = wrapped(cut(text, TEXT), NOTE)
        self._height += LINE * (len(lines) + 1)
        place = f"p{first}" if first == last else f"p{first}, p{last}"
        yield f"note over {place} {colour}: {_lines(lines)}"

    def _ends(self) -> Iterator[str]:
        if not self._ladder.events:
            yield from self._over((), "Nothing was said")
        for sentence in self._ladder.left_out[:LEFT_OUT]:
            yield from self._over((), sentence)


def _lines(lines: Sequence[str], *, small: bool = False) -> str:
    """Return lines as one text, all after the first in small letters where that is wanted."""
    first, *more = map(escaped, lines)
    return "\\n".join([first, *(f"<size:10>{line}</size>" if small else line for line in more)])
