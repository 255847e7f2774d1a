"""Lines of the list of messages: who to whom by name, what it is, what became of it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from analyzer.filters.facts import Facts
from analyzer.ladder.aliases import Aliases
from analyzer.ladder.lane_names import TITLES
from analyzer.ladder.lanes import Lanes
from analyzer.lazy import once
from analyzer.markup import add, badge, say
from analyzer.sessions.rooms import is_good
from analyzer.times import duration_text, latency_text
from analyzer.transaction_table import CHALLENGES
from analyzer.views.messages import moment
from dissectors.notes import note_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.dashboard.desk import Desk
    from analyzer.ladder.lanes import Key
    from analyzer.markup import Cell, Element

LATENCY_MS = 10_000
"""A wait of less is told in milliseconds or seconds."""
SHOWN_IDS = 6
"""XCCOS ids of one message, those that follow one another as one; the docked message has all."""
MAX_REFUSAL = 60
"""Characters of what a refusal says."""


class Lines:
    """Writes lines; kept for a case."""

    def __init__(self, desk: Desk) -> None:
        self._case = desk.case
        self._trace = desk.case.trace
        self._rows = desk.case.trace.rows
        self._facts = Facts.of(desk.case)
        self._lanes = Lanes(desk.case.scene, Aliases({}))

    @staticmethod
    def of(desk: Desk) -> Lines:
        """Return those of the case of a desk."""
        return desk.case.once("message lines", lambda: Lines(desk))

    def cells(
        self, desk: Desk, row: int, before: int | None, phrases: Sequence[str]
    ) -> Sequence[Cell]:
        """Return the cells of a message; ``before`` is the one above it in the list."""
        frame = self._rows.frame[row]
        return (
            lambda cell: self._frame(cell, desk, row, frame),
            desk.moments.clock(moment(self._trace, row)),
            self._delta(row, before),
            self._ends(row),
            lambda cell: self._what(cell, row),
            lambda cell: self._carried(cell, row, phrases),
            lambda cell: self._session(cell, desk, row),
            lambda cell: self._marks(cell, row),
        )

    @staticmethod
    def _frame(cell: Element, desk: Desk, row: int, frame: int) -> None:
        link = add(cell, "a", "frame", str(frame), href=desk.href(message=row, page=None, at=None))
        link.set("aria-label", f"frame {frame}, message {row}")

    def _delta(self, row: int, before: int | None) -> str:
        times = self._rows.time
        if before is None or not times[row] or not times[before]:
            return ""
        ns = times[row] - times[before]
        sign, size = "-" if ns < 0 else "+", abs(ns)
        if size / 1e6 < LATENCY_MS:
            return sign + latency_text(size / 1e6)
        return sign + duration_text(size)

    def _ends(self, row: int) -> Cell:
        stream = self._trace.streams[self._rows.stream[row]]
        path = self._path(row)

        def fill(cell: Element) -> None:
            made = add(cell, "span", title=f"{stream.src} to {stream.dst}, {stream.transport}")
            self._end(made, path[0], stream.src)
            say(made, " → ")
            self._end(made, path[1], stream.dst)

        return fill

    def _path(self, row: int) -> tuple[Key, Key]:
        """Return where a message goes: a copy over its own hop, others as in the ladder."""
        scene = self._case.scene
        way = next(way for way in scene.ways(scene.origin(row)) if row in way)
        ends = (
            self._lanes.leg(row, way) if row in self._facts.states.copy else self._lanes.path(way)
        )
        return ends.source, ends.target

    def _end(self, parent: Element, key: Key, address: str) -> None:
        """Add a name: a person's, a role with its host, else the address."""
        kind, name = key[0], key[1]
        if kind == "client":
            is_user = "@" in name or name.startswith("sip")
            add(parent, "b", text=self._lanes.person(name) if is_user else name or "Client")
            return
        title = TITLES.get(kind)  # type: ignore[call-overload]
        if title is None or kind == "unknown":
            say(parent, address)
            return
        say(parent, title)
        if kind in {"front-end", "director", "server"}:
            add(parent, "span", "soft host", f" {name}")

    def _what(self, cell: Element, row: int) -> None:
        """Add ``INFO`` of a request; of an answer its status with a sign, and what it answers."""
        rows, value = self._rows, self._rows.strings.values
        status, method = rows.status[row], value[rows.method[row]] or "?"
        if status < 0:
            add(cell, "b", "messages-request", method)
            return
        text = f"{status} {value[rows.reason[row]] or ''}".rstrip()
        badge(cell, self._tone(row, status), text)
        add(cell, "span", "soft", f" {method}")

    def _tone(self, row: int, status: int) -> str:
        if row in self._facts.states.error:
            return "error"
        if status in CHALLENGES:
            return "note"
        return "answered" if status >= 200 else "provisional"

    def _carried(self, cell: Element, row: int, phrases: Sequence[str]) -> None:
        """Add the ids of the XCCOS elements, as ``xccos messages``, and what was looked for."""
        items = self._rows.xccos(row)
        same = [
            (name, code, [*those])
            for (name, code), those in groupby(items, lambda one: (one.id or one.element, one.code))
        ]
        for number, (name, code, those) in enumerate(same[:SHOWN_IDS]):
            say(cell, " " if number else "")
            say(cell, name if len(those) == 1 else f"{name} ×{len(those)}")
            if not is_good(code):
                say(cell, " ")
                badge(cell, "rejected", f"{code} {those[0].text or ''}".rstrip()[:MAX_REFUSAL])
        if len(same) > SHOWN_IDS:
            say(cell, f" and {len(same) - SHOWN_IDS} more")
        found = self._facts.texts.snippet(row, phrases) if phrases else None
        if found is None:
            return
        said = add(cell, "span", "messages-snippet")
        say(said, f"…{found.before}")
        add(said, "mark", text=found.found)
        say(said, f"{found.behind}…")

    def _session(self, cell: Element, desk: Desk, row: int) -> None:
        index = self._facts.session[row]
        if index < 0:
            return
        href = desk.href(session=index, page=None, at=None)
        link = add(cell, "a", "", str(index + 1), href=href)
        link.set("aria-label", f"session {index + 1} alone")

    def _marks(self, cell: Element, row: int) -> None:
        for number, mark in enumerate(self.marks(row)):
            say(cell, ", " if number else "")
            say(cell, mark)

    def marks(self, row: int) -> Iterator[str]:
        """Yield what is out of the ordinary about a message."""
        states = self._facts.states
        if row in states.copy:
            yield "⧉ hop copy"
        if row in states.retransmission:
            yield "↻ retransmission"
        if row in states.unanswered:
            yield "∅ unanswered"
        if row in states.slow:
            yield "▲ slow"
        yield from (f"! {note}" for note in note_names(self._rows.notes[row]))

    @once
    def copies(self) -> frozenset[int]:
        """The hop copies of the capture."""
        return self._facts.states.copy
