"""The steps of a run as a table with bars: when each began, how long it took, what was waited for.

The rule: what a bar shows stands beside it in words and numbers; bars are drawn for whoever sees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lxml import etree

from analyzer.dashboard.verdict.places import way
from analyzer.flows.values import BAD
from analyzer.markup import TONES, Column, add, badged, table
from analyzer.report.steps import copy_cell
from analyzer.times import latency_text
from analyzer.views.dialogs import span_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.causes.path import Path, Wait
    from analyzer.dashboard.desk import Desk
    from analyzer.flows.values import Copy, FlowRun, FlowStep
    from analyzer.markup import Cell, Element

WIDE = 1_000
"""Units of the width of a bar."""
THIN = 5
"""Of the shortest bar: it is still seen."""
HIGH = 14
MS = 1_000_000
"""Nanoseconds."""
MAX_COPIES = 200
"""Copies of one post that are listed; the page of rooms has all."""
FRAMES = 6
"""Frames of one step that are listed; the messages of the session have all."""


class Scale(NamedTuple):
    """What the width of bars stands for."""

    start: int
    """Nanoseconds since 1970 UTC."""
    span: int
    """Nanoseconds, 1 at least."""

    def at(self, time: int) -> int:
        """Return where a time is on the scale."""
        return min(max(round((time - self.start) * WIDE / self.span), 0), WIDE)


def scale_of(run: FlowRun, path: Path | None = None) -> Scale:
    """Return the scale on which a run and its critical path are drawn."""
    ends = [
        step.time + round((step.latency_ms or 0) * MS)
        for step in run.steps
        if step.time is not None
    ]
    if path is not None and path.started is not None:
        ends.append(path.started + round(path.ms * MS))
    end = max([run.started + round(run.duration_ms * MS), *ends])
    return Scale(run.started, max(1, end - run.started))


class Timeline:
    """Draws one run."""

    def __init__(self, desk: Desk, run: FlowRun, path: Path | None = None) -> None:
        self._desk, self._run = desk, run
        self._scale = scale_of(run, path)
        self._waits: Sequence[Wait] = () if path is None else path.waits

    def steps(self, parent: Element, caption: str, selected: str | None) -> None:
        """Add the steps; ``selected``: the id of the one that the address names."""
        whole = latency_text(self._scale.span / MS)
        columns = [
            *(Column("step", "step"), Column("status"), Column("began", "num")),
            *(Column("took", "num"), Column(f"0 to {whole}", "bar")),
            *(Column("of the path", "num"),) * bool(self._waits),
            Column("frames", "frames"),
        ]
        steps = self._run.steps
        made = table(parent, caption, columns, map(self._row, steps), "timeline")
        made.set("data-keys", "")
        body = made.find("tbody")
        for row, step in zip(body if body is not None else (), steps, strict=True):
            if step.status in BAD:
                row.set("class", "failed")
            if step.id == selected:
                row.set("data-selected", "still")

    def _row(self, step: FlowStep) -> Sequence[Cell]:
        href = self._href(step.frames)
        mine = [wait for wait in self._waits if wait.to_frame in step.frames]
        share = sum(wait.share for wait in mine)
        path: tuple[Cell, ...] = (f"{share:.0%}" if mine else "",) if self._waits else ()
        page = self._desk.page
        return (
            self._named(step, href),
            badged(step.status),
            self._began(step.time),
            latency_text(step.latency_ms),
            lambda cell: self._bar(cell, step, href, mine),
            *path,
            lambda cell: page.frames(cell, step.frames, FRAMES),
        )

    def _named(self, step: FlowStep, href: str | None) -> Cell:
        """Return the cell of a step: its name, a link to its messages, and what became of it."""

        def fill(cell: Element) -> None:
            name = way(f"{step.id} {step.title}", href)
            if callable(name):
                name(cell)
            else:
                add(cell, "span", text=str(name))
            self._desk.page.paragraph(cell, step.detail, "soft below")

        return fill

    def _href(self, frames: Iterable[int]) -> str | None:
        return next(filter(None, map(self._desk.href_of, frames)), None)

    def _began(self, time: int | None) -> Cell:
        """Return when something began, counted from the beginning of the run."""
        if time is None:
            return ""
        desk, trace = self._desk, self._desk.case.trace
        after = f"+{latency_text(max(0, time - self._run.started) / MS)}"

        moment = span_time(trace, time) or ""
        title = f"{desk.moments.text(moment)} {desk.moments.name(moment)}" if moment else ""

        def fill(cell: Element) -> None:
            add(cell, "span", "", after, title=title)

        return fill

    def _bar(
        self, cell: Element, step: FlowStep, href: str | None, waits: Sequence[Wait]
    ) -> None:  # fmt: skip
        """Draw when a step was, and below it what of that was on the critical path."""
        if step.time is None:
            return
        end = step.time + round((step.latency_ms or 0) * MS)
        drawn = self._track(cell, href)
        _rect(
            drawn, self._scale, step.time, end, f"done {TONES.get(step.status, 'plain')}", HIGH - 5
        )
        for wait in waits:
            until = wait.started + round(wait.ms * MS)
            made = _rect(drawn, self._scale, wait.started, until, "waited", 4)
            made.set("y", str(HIGH - 4))

    def _track(self, cell: Element, href: str | None) -> Element:
        """Add an empty bar; the step's own link says the same to keyboards and readers."""
        place = cell
        if href is not None:
            place = add(cell, "a", "bar", href=href, tabindex="-1", aria_hidden="true")
        return _svg(place)

    def path(self, parent: Element) -> None:
        """Draw the critical path: one bar, whose parts are links to what was waited for."""
        if not self._waits:
            return
        drawn = _svg(parent)
        drawn.set("class", "track path-bar")
        for wait in self._waits:
            until = wait.started + round(wait.ms * MS)
            href = self._href((wait.to_frame,))
            place = drawn
            if href is not None:
                place = etree.SubElement(drawn, "a", href=href, tabindex="-1")
            made = _rect(
                place, self._scale, wait.started, until, wait.party.replace(" ", "-"), HIGH
            )
            title = etree.SubElement(made, "title")
            title.text = f"{wait.party}, {latency_text(wait.ms)} ({wait.share:.0%})"

    def copies(self, parent: Element) -> None:
        """Add who got a copy of a post, and when."""
        copies = self._run.copies
        if not copies:
            add(parent, "p", "soft", "No member of the room whose connection was captured.")
            return
        columns = (
            *(Column("member", "wide"), Column("copy"), Column("at"), Column("after", "num")),
            *(Column("frame", "num"), Column("SIP answer", "num")),
        )
        table(parent, "Who got a copy", columns, self._copies(copies[:MAX_COPIES]), "copies")
        if len(copies) > MAX_COPIES:
            left = f"{len(copies) - MAX_COPIES:,} more members: the page of rooms has them"
            add(parent, "p", "cut", left)

    def _copies(self, copies: Iterable[Copy]) -> Iterator[Sequence[Cell]]:
        desk = self._desk
        rows = desk.case.trace.rows
        for one in copies:
            frame = None if one.row is None else rows.frame[one.row]
            time = None if one.row is None else span_time(desk.case.trace, rows.time[one.row])
            record: dict[str, Any] = {"frame": frame, "captured": one.captured, "echo": one.echo}
            yield (
                way(one.user or "unknown", desk.href(session=one.session, message=one.row)),
                copy_cell(record),
                desk.moments.clock(time),
                latency_text(one.latency_ms),
                desk.page.in_frame(frame),
                one.status,
            )


def _svg(parent: Element) -> Element:
    made = etree.SubElement(parent, "svg", viewBox=f"0 0 {WIDE} {HIGH}", preserveAspectRatio="none")
    made.set("class", "track")
    made.set("aria-hidden", "true")
    etree.SubElement(made, "rect", {"class": "ground", "width": str(WIDE), "height": str(HIGH)})
    for quarter in (1, 2, 3):
        x = str(WIDE * quarter // 4)
        etree.SubElement(made, "rect", {"class": "tick", "x": x, "width": "1", "height": str(HIGH)})
    return made


def _rect(
    parent: Element, scale: Scale, start: int, end: int, classes: str, high: int
) -> Element:  # fmt: skip
    first = min(scale.at(start), WIDE - THIN)
    width = max(THIN, scale.at(end) - first)
    size = {"x": str(first), "width": str(width), "height": str(high)}
    return etree.SubElement(parent, "rect", {"class": classes, **size})
