"""What a ladder says beside its arrows: latency, marks, steps. One wording for all formats.

Colour never says anything alone: whatever is coloured has its sign or word here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.ladder.values import Arrow
from analyzer.times import latency_text

if TYPE_CHECKING:
    from analyzer.flows.values import StepStatus
    from analyzer.ladder.look import Clock
    from analyzer.ladder.text_cells import Signs
    from analyzer.ladder.values import Bracket, Group, Heat, Ladder, Note, Tone

SHOWN_FRAMES = 3
"""Frame numbers of hop copies that are named; the rest is counted."""
SHOWN_BRACKETS = 3
"""Commands that an arrow answers, which are named; the rest is counted."""
_HEAT: dict[Heat, str] = {"quick": "", "slow": "slow!", "very-slow": "very slow!!"}
HEAT_STYLE: dict[Heat, str] = {"quick": "plain", "slow": "doubtful", "very-slow": "bad"}
_STATUS: dict[StepStatus, tuple[str, str]] = {
    "ok": ("ok", "good"),
    "slow": ("doubtful", "doubtful"),
    "retried": ("doubtful", "doubtful"),
    "out-of-order": ("doubtful", "doubtful"),
    "failed": ("failed", "bad"),
    "missing": ("missing", "bad"),
    "not-applicable": ("none", "dim"),
    "not-captured": ("unknown", "doubtful"),
}


class Remark(NamedTuple):
    """A few words beside an arrow, and the style that goes with them."""

    text: str
    style: str = "plain"


class Step(NamedTuple):
    """The heading of a group."""

    title: str
    """``sign-in 1: REGISTER``"""
    status: str
    """``✓ ok``"""
    detail: str
    style: str


class Words:
    """Words for the events of one ladder."""

    def __init__(self, ladder: Ladder, clock: Clock, signs: Signs) -> None:
        self._ladder, self._clock, self._signs = ladder, clock, signs
        self._ending: dict[int, list[Bracket]] = {}
        for bracket in ladder.brackets:
            self._ending.setdefault(bracket.last, []).append(bracket)

    def sign(self, tone: Tone) -> str:
        """Return the sign that a label of a tone begins with, and a space; or nothing."""
        return {"bad": f"{self._signs.failed} ", "doubtful": "! "}.get(tone, "")

    def label(self, arrow: Arrow) -> str:
        """Return the label of an arrow with its sign and its count."""
        counted = arrow.count > 1 and "×" not in arrow.label
        count = f" ×{arrow.count}" if counted else ""
        return f"{self.sign(arrow.tone)}{arrow.label}{count}"

    def remarks(self, number: int) -> list[Remark]:
        """Return what is said beside the arrow of that number, the most important first."""
        arrow = self._ladder.events[number]
        if not isinstance(arrow, Arrow):
            return []
        said = self._brackets(self._ending.get(number, []))
        if not said and arrow.latency_ms is not None:
            said.append(self._latency(arrow))
        said += [Remark(mark, "doubtful") for mark in arrow.marks]
        if arrow.answer:
            said.append(self._answer(arrow))
        if arrow.code and arrow.code not in arrow.label:
            said.append(Remark(f"code {arrow.code}"))
        if arrow.until is not None and arrow.count > 1:
            last = self._clock.text(arrow.until, arrow.time)
            said.append(Remark(f"last at {last}" if last[:1] not in "+-" else f"last {last} s"))
        said += self._elsewhere(arrow)
        return said

    def outside(self, arrow: Arrow) -> list[int]:
        """Return the lanes on its way that do not lie between its ends."""
        left, right = sorted((arrow.source, arrow.target))
        return [lane for lane in arrow.via if not left < lane < right]

    def note(self, note: Note) -> str:
        """Return the whole of a note: its label, and its text where that says more."""
        if not note.text or note.text == note.label:
            return note.label
        return note.text if note.text.startswith(note.label) else f"{note.label}: {note.text}"

    def step(self, group: Group) -> Step:
        """Return the heading of a group."""
        symbol, style = _STATUS[group.status]
        shown = {"doubtful": "!", "unknown": "?"}.get(symbol) or getattr(self._signs, symbol)
        more = " (continued)" if group.continued else ""
        title = f"{group.flow} {group.step}: {group.title}{more}"
        status = f"{shown} {group.status.replace('-', ' ')}"
        return Step(title, status, "" if group.continued else group.detail, style)

    def _brackets(self, brackets: list[Bracket]) -> list[Remark]:
        """Return what an arrow answers; of many the slowest, as a batch has hundreds."""
        shown = brackets
        if len(brackets) > SHOWN_BRACKETS:
            slowest = sorted(brackets, key=lambda one: -(one.latency_ms or 0))[:SHOWN_BRACKETS]
            shown = [one for one in brackets if one in slowest]
        said = [self._bracket(one) for one in shown]
        more = len(brackets) - len(shown)
        return [*said, Remark(f"and {more} more answered sooner")] if more else said

    def _bracket(self, bracket: Bracket) -> Remark:
        latency = latency_text(bracket.latency_ms)
        name = bracket.label.removesuffix(latency).rstrip() or bracket.kind
        first = self._ladder.events[bracket.first]
        frame = f" (frame {first.frame})" if isinstance(first, Arrow) else ""
        if bracket.kind == "reply":
            name = f"{name} answered"
        after = f" after {latency}" if latency else ""
        return _heated(f"{name}{after}{frame}", bracket.heat)

    def _latency(self, arrow: Arrow) -> Remark:
        latency = latency_text(arrow.latency_ms)
        if arrow.heat == "quick" or not arrow.latency_of:
            return _heated(f"after {latency}", arrow.heat)
        return _heated(f"{latency} after {arrow.latency_of}", arrow.heat)

    def _answer(self, arrow: Arrow) -> Remark:
        answer = arrow.answer
        assert answer is not None
        latency = latency_text(answer.latency_ms)
        after = f" after {latency}" if latency else ""
        style = "bad" if answer.status >= 400 else "plain"
        sign = self.sign("bad") if answer.status >= 400 else ""
        return Remark(f"{sign}{answer.text}{after} (frame {answer.frame})", style)

    def _elsewhere(self, arrow: Arrow) -> list[Remark]:
        said = []
        if outside := self.outside(arrow):
            names = ", ".join(self._ladder.lanes[lane].title for lane in outside)
            said.append(Remark(f"via {names}"))
        if arrow.hops:
            frames = [str(hop.frame) for hop in arrow.hops[:SHOWN_FRAMES]]
            more = len(arrow.hops) - SHOWN_FRAMES
            listed = ", ".join(frames) + (f" and {more} more" if more > 0 else "")
            said.append(Remark(f"also frame{'s' * (len(arrow.hops) > 1)} {listed}", "dim"))
        return said


def _heated(text: str, heat: Heat) -> Remark:
    word = _HEAT[heat]
    return Remark(f"{text}, {word}" if word else text, HEAT_STYLE[heat])
