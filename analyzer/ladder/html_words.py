"""What a screen reader says of a row, and the signs that stand beside what colours say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.export.printable import printable
from analyzer.ladder.look import cut
from analyzer.ladder.values import Arrow
from analyzer.times import latency_text

if TYPE_CHECKING:
    from analyzer.ladder.html_links import Link
    from analyzer.ladder.values import Event, Heat, Lane, Note, Tone

TONE_SIGNS: dict[Tone, str] = {"bad": "✕", "doubtful": "!", "good": "", "plain": ""}
TONE_WORDS: dict[Tone, str] = {"bad": "problem", "doubtful": "doubtful", "good": "", "plain": ""}
HEAT_SIGNS: dict[Heat, str] = {"quick": "", "slow": "▲", "very-slow": "▲▲"}
HEAT_WORDS: dict[Heat, str] = {"quick": "", "slow": "slow", "very-slow": "very slow"}
NOTE_SIGNS = {"hole": "⌇", "finding": "⚑", "remark": "i"}
STATUS_SIGNS = {
    "ok": "✓",
    "slow": "▲",
    "failed": "✕",
    "retried": "↻",
    "out-of-order": "⇅",
    "missing": "∅",
    "not-applicable": "-",
    "not-captured": "⋯",
}
SPOKEN = 120
"""Characters of a label that are read out."""


def ends(arrow: Arrow, lanes: tuple[Lane, ...]) -> str:
    """Return ``user1 to Channel``."""
    source, target = lanes[arrow.source], lanes[arrow.target]
    return printable(f"{source.title} to {target.title}")


def spoken(event: Event, lanes: tuple[Lane, ...], links: tuple[Link, ...], time: str) -> str:
    """Return ``09:14:02.120 user1 to Channel, INFO join, answered after 480 ms``."""
    if not isinstance(event, Arrow):
        return f"{time} {note_words(event)}"
    parts = [f"{time} {ends(event, lanes)}", cut(printable(event.label), SPOKEN)]
    parts += [TONE_WORDS[event.tone], *map(printable, event.marks)]
    if event.answer is not None:
        parts.append(f"answered {printable(event.answer.text)}{_after(event.answer.latency_ms)}")
    parts += [
        f"{'copied' if link.kind == 'copy' else 'answered'} {link.text}"
        for link in links
        if link.kind in ("reply", "answer", "copy") and link.text
    ][:1]
    if event.latency_ms is not None:
        of = f" since {printable(event.latency_of)}" if event.latency_of else ""
        parts.append(f"{latency_text(event.latency_ms)}{of}")
    parts += [HEAT_WORDS[event.heat], f"frame {event.frame}"]
    return ", ".join(part for part in parts if part)


def _after(latency_ms: float | None) -> str:
    return "" if latency_ms is None else f" after {latency_text(latency_ms)}"


def note_words(note: Note) -> str:
    """Return the kind of a note and what it says, without saying a word twice."""
    label = cut(printable(note.label), SPOKEN)
    return label if label.lower().startswith(note.kind) else f"{note.kind}: {label}"


def caption(arrows: int, notes: int, lanes: tuple[Lane, ...]) -> str:
    """Return what the table is, in one sentence."""
    names = ", ".join(printable(lane.title) for lane in lanes)
    also = f" and {_count(notes, 'note')}" if notes else ""
    return f"{_count(arrows, 'arrow')}{also}, in order of time, between {names or 'nobody'}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
