"""Flows as tables: the steps of sign-ins and posts, who got copies, and the critical path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from lxml import etree

from analyzer.markup import Column, add, badge, badged, say, section, table
from analyzer.narrative.names import short_room
from analyzer.times import latency_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.markup import Cell, Element, Page
    from analyzer.moments import Moments

Record = dict[str, Any]
MAX_POSTS = 100
"""Posts of a session whose steps and copies are told."""
MAX_WAITS = 200
"""Waits of one path."""
BAR = 1_000
"""Units of the width of a bar."""
THIN = 4
"""Of the shortest bar: it is still seen."""


class Ladders(Protocol):
    """Knows where steps are in the ladders of the same page."""

    def of_step(self, run: Record, step: Record) -> str | None:
        """Return the id of the first group of a step."""
        ...


class Steps:
    """Writes what became of flows."""

    def __init__(self, page: Page, moments: Moments, ladders: Ladders | None = None) -> None:
        self._page, self._moments, self._ladders = page, moments, ladders

    def sign_in(self, parent: Element, run: Record, number: int) -> None:
        """Add the steps of one sign-in; ``number``: which of its session, from 1."""
        nth = "" if number == 1 else f" {number}"
        identifier = f"session-{run['session'] + 1}-sign-in{nth.replace(' ', '-')}"
        made = section(parent, identifier, f"Sign-in{nth}", 3)
        lead = add(made, "p", "lead")
        badge(lead, run["outcome"])
        say(lead, f" in {latency_text(run['duration_ms'])}, client: {run['variant']}")
        self._table(made, f"Steps of sign-in{nth}", run)

    def _table(self, parent: Element, caption: str, run: Record) -> None:
        columns = (
            *(Column("step", "wide"), Column("status"), Column("latency", "num")),
            *(Column("frames", "frames"), Column("in words", "wide")),
        )
        rows = (self._row(run, step) for step in run["steps"])
        table(parent, caption, columns, rows, "steps")

    def _row(self, run: Record, step: Record) -> Sequence[Cell]:
        def name(cell: Element) -> None:
            target = None if self._ladders is None else self._ladders.of_step(run, step)
            text = f"{step['id']} {step['title']}"
            if target is None:
                say(cell, text)
            else:
                add(cell, "a", "to-ladder", text, href=f"#{target}", title="in the ladder")

        return (
            name,
            badged(step["status"]),
            latency_text(step["latency_ms"]),
            self._page.in_frames(step["frames"]),
            self._page.words(step["detail"]),
        )

    def posts(self, parent: Element, runs: Sequence[Record], rooms: dict[str, str]) -> None:
        """Add the posts with their steps, and the copies that members got."""
        for run in runs[:MAX_POSTS]:
            room = rooms.get(run["room"]) or short_room(run["room"] or "")
            made = add(parent, "details", "post", **({"open": "open"} if len(runs) <= 5 else {}))
            head = add(made, "summary")
            badge(head, run["outcome"])
            say(head, " Post ")
            if run["frame"] is not None:
                say(head, "in frame ")
                self._page.frame(head, run["frame"])
            say(head, f" into {room or 'a room'}, ")
            self._fill(head, posted(run))
            self._table(made, f"Steps of the post in frame {run['frame'] or 'not captured'}", run)
            if run["copies"]:
                columns = (
                    *(Column("member", "wide"), Column("copy"), Column("frame", "num")),
                    *(Column("after", "num"), Column("SIP answer", "num")),
                )
                table(made, "Copies", columns, self._copies(run["copies"]))
        if len(runs) > MAX_POSTS:
            add(
                parent, "p", "cut", f"{len(runs) - MAX_POSTS:,} more posts: xccos flows lists them."
            )

    def _fill(self, cell: Element, time: str | None) -> None:
        fill = self._moments.clock(time)
        if callable(fill):
            fill(cell)

    def _copies(self, copies: Iterable[Record]) -> Iterator[Sequence[Cell]]:
        for one in copies:
            yield (
                one["user"] or "unknown",
                copy_cell(one),
                self._page.in_frame(one["frame"]),
                latency_text(one["latency_ms"]),
                one["status"],
            )

    def path(self, parent: Element, path: Record, number: int) -> None:
        """Add the critical path of a sign-in: what was waited for, as bars with words."""
        nth = "" if number == 1 else f" {number}"
        identifier = f"session-{path['session'] + 1}-path{nth.replace(' ', '-')}"
        made = section(parent, identifier, f"What the sign-in{nth} waited for", 3)
        if not path["waits"]:
            add(made, "p", text="Too little of this sign-in is in the capture to tell.")
            return
        begun = "" if path["whole"] else " What was waited for before that is not captured."
        self._page.paragraph(
            made,
            f"{latency_text(path['duration_ms'])} in all. Waited for {by_party(path)}.{begun}",
        )
        self.waits(made, path, f"sign-in{nth}")

    def waits(self, parent: Element, path: Record, name: str) -> None:
        """Add the waits of a critical path as a table."""
        columns = (
            *(Column("frames", "frames"), Column("waited for"), Column("what", "wide")),
            *(Column("took", "num"), Column("share", "num"), Column("when", "bar")),
        )
        caption = f"Critical path of {name}: the chain of waits that decided how long it took"
        table(parent, caption, columns, self._waits(path["waits"][:MAX_WAITS]), "path")

    def _waits(self, waits: Iterable[Record]) -> Iterator[Sequence[Cell]]:
        before = 0.0
        for wait in waits:
            yield (
                self._page.in_frames((wait["from_frame"], wait["to_frame"])),
                wait["party"],
                wait["what"],
                latency_text(wait["ms"]),
                f"{wait['share']:.0%}",
                _bar(before, wait),
            )
            before += wait["share"]


def posted(run: Record) -> str | None:
    """Return when a post was written: the run began with what came before it."""
    times = (step["time"] for step in run["steps"] if run["frame"] in step["frames"])
    time: str | None = next(times, run["started"])
    return time


def by_party(path: Record) -> str:
    """Return how much of a path was spent waiting for whom: ``front end 5.29 ms (47%), ...``."""
    spent: dict[str, float] = {}
    for wait in path["waits"]:
        spent[wait["party"]] = spent.get(wait["party"], 0.0) + wait["ms"]
    total = sum(spent.values()) or 1.0
    shares = sorted(spent.items(), key=lambda one: -one[1])
    return ", ".join(f"{who} {latency_text(ms)} ({ms / total:.0%})" for who, ms in shares)


def _bar(before: float, wait: Record) -> Cell:
    """Return a cell with a bar from where on the path a wait began, as long as it took."""

    def fill(cell: Element) -> None:
        made = etree.SubElement(cell, "svg", viewBox=f"0 0 {BAR} 12", preserveAspectRatio="none")
        made.set("class", f"bar {wait['party'].replace(' ', '-')}")
        made.set("aria-hidden", "true")
        start = min(round(before * BAR), BAR - THIN)
        width = max(THIN, min(round(wait["share"] * BAR), BAR - start))
        etree.SubElement(made, "rect", {"class": "track", "width": str(BAR), "height": "12"})
        etree.SubElement(made, "rect", x=str(start), width=str(width), height="12")
        if wait["largest"]:
            add(cell, "span", "largest", "largest")

    return fill


def copy_cell(one: Record) -> Cell:
    """Return a cell with what became of the copy that one member was to get."""
    if one["frame"] is None:
        return badged("missing" if one["captured"] else "not-captured")
    return badged("ok", "echo to the author" if one["echo"] else "came")
