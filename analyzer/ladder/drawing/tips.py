"""The whole of an arrow or a note in words: what a tooltip shows and a screen reader reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.export.printable import printable
from analyzer.ladder.drawing.captions import HEAT_WORDS
from analyzer.times import latency_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.ladder.look import Clock
    from analyzer.ladder.values import Arrow, Group, Hop, Ladder, Note

MAX_FRAMES = 20
"""Frames named one by one; nobody reads more in a tooltip."""
MAX_HOPS = 10


def frames_text(frames: Sequence[int]) -> str:
    """Return ``frame 4``, ``frames 4, 6 and 8``, the rest of many only counted."""
    if len(frames) < 2:
        return f"frame {frames[0]}" if frames else ""
    named = ", ".join(map(str, frames[:MAX_FRAMES]))
    if len(frames) > MAX_FRAMES:
        return f"frames {named} and {len(frames) - MAX_FRAMES} more"
    return f"frames {named}"


def _time(clock: Clock, time: int) -> str:
    local, utc = clock.local(time), clock.utc(time)
    return utc if local == utc else f"{local} ({utc})"


def _hop(hop: Hop) -> str:
    return f"also seen in frame {hop.frame}: {hop.source} to {hop.target}"


def _further(arrow: Arrow, ladder: Ladder, clock: Clock) -> Iterator[str]:
    if arrow.latency_ms is not None:
        since = f" since {arrow.latency_of}" if arrow.latency_of else ""
        word = f" ({HEAT_WORDS[arrow.heat]})" if HEAT_WORDS[arrow.heat] else ""
        yield f"latency {latency_text(arrow.latency_ms)}{since}{word}"
    if arrow.answer is not None:
        after = latency_text(arrow.answer.latency_ms)
        yield (
            f"answered {arrow.answer.text} in frame {arrow.answer.frame}"
            + (f" after {after}" if after else "")
        )
    if arrow.count > 1:
        until = f", the last at {_time(clock, arrow.until)}" if arrow.until is not None else ""
        yield f"{arrow.count} messages{until}"
    if arrow.marks:
        yield ", ".join(arrow.marks)
    if arrow.via:
        yield "through " + ", ".join(ladder.lanes[lane].title for lane in arrow.via)
    yield from map(_hop, arrow.hops[:MAX_HOPS])
    if len(arrow.hops) > MAX_HOPS:
        yield f"and on {len(arrow.hops) - MAX_HOPS} more connections"


def arrow_tip(arrow: Arrow, ladder: Ladder, clock: Clock) -> str:
    """Return all there is to say of an arrow, line by line."""
    at = f"{_time(clock, arrow.time)}, {frames_text(arrow.frames or (arrow.frame,))}"
    return "\n".join(map(printable, (arrow.text, at, *_further(arrow, ladder, clock))))


def note_tip(note: Note, clock: Clock) -> str:
    """Return all there is to say of a note, line by line."""
    frames = frames_text(note.frames)
    at = _time(clock, note.time) + (f", {frames}" if frames else "")
    return "\n".join(map(printable, (note.text, at)))


def group_tip(group: Group, words: str) -> str:
    """Return what a step is and how it went, with the words for its status."""
    lines = [f"{group.flow}, step {group.step}: {group.title}", words]
    if group.continued:
        lines[0] += " (continued)"
    return "\n".join(map(printable, [*lines, group.detail] if group.detail else lines))


def description(ladder: Ladder, clock: Clock) -> str:
    """Return a ladder in some sentences: who, how much, from when to when, what went wrong."""
    arrows = ladder.arrows
    notes = len(ladder.events) - len(arrows)
    bad = sum(one.tone == "bad" for one in ladder.events)
    lanes = ", ".join(lane.title for lane in ladder.lanes)
    said = [f"Ladder diagram with {_counted(len(ladder.lanes), 'lane')}: {lanes}."]
    if ladder.events:
        first, last = ladder.events[0].time, ladder.events[-1].time
        said.append(
            f"{_counted(len(arrows), 'arrow')} and {_counted(notes, 'note')} "
            f"from {_time(clock, first)} to {_time(clock, last)}; {bad or 'none'} of them "
            f"{'shows' if bad == 1 else 'show'} an error."
        )
    else:
        said.append("It has no messages.")
    about = f"{ladder.subtitle.rstrip('.')}." if ladder.subtitle else ""
    return printable(" ".join([about, *said, *ladder.left_out]).strip())


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
