"""The facts of one session: who, where, how far, rooms, slowest commands, findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.dashboard.verdict.paging import ways
from analyzer.dashboard.verdict.places import session_ways, way
from analyzer.dashboard.verdict.told import told_of
from analyzer.markup import Column, add, badge, badged, facts, say, section, table
from analyzer.narrative.names import short_room
from analyzer.report.head import who
from analyzer.times import latency_text
from analyzer.views.told import VERDICT_WORDS, told_by_none

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.dashboard.desk import Desk
    from analyzer.markup import Cell, Element

Record = dict[str, Any]
ROOMS = 50
"""Rooms that are listed; the page of rooms has all."""
FINDINGS = 20
"""Findings that are listed; their page has all."""


def session_facts(parent: Element, desk: Desk, index: int) -> None:
    """Add what is known of a session."""
    _Facts(desk, index).add_to(parent)


class _Facts:
    def __init__(self, desk: Desk, index: int) -> None:
        self._desk, self._index = desk, index
        self._one: Record = desk.case.sessions[index]
        self._told = told_of(desk.case)

    def add_to(self, parent: Element) -> None:
        """Add all of it."""
        desk, index, one = self._desk, self._index, self._one
        made = section(parent, "facts", f"Session {index + 1}: {who(one)}")
        lead = add(made, "p", "lead")
        verdict = desk.case.verdict(index)
        badge(lead, verdict, VERDICT_WORDS[verdict])
        say(lead, " ")
        desk.page.prose(lead, self._told.summary(index))
        ways(made, session_ways(desk, index, self._told.failure(index)))
        self._facts(made)
        self._findings(made)
        self._words(made)
        self._rooms(made)
        self._slowest(made)

    def _facts(self, made: Element) -> None:
        one, desk = self._one, self._desk
        progress = self._told.progress(self._index)
        outcomes = (f"{count} {word}" for word, count in one["outcomes"].items() if count)
        connections = ", ".join(f"#{number}" for number in one["connections"])
        facts(
            made,
            (
                ("Client", _listed((one["client_address"], one["transport"], one["user_agent"]))),
                ("epid", one["epid"]),
                ("Front end", _listed((one["front_end"], one["server"]))),
                ("When", desk.moments.span(one["started"], one["ended"])),
                ("Duration", latency_text(one["duration_ms"])),
                ("Sign-in", badged(progress.outcome, None, f" {progress.text}")),
                ("Signed in", self._event(one["signed_in"])),
                ("Signed off", self._event(one["signed_off"])),
                ("Services", _listed(map(str, one["services"]))),
                ("Commands and posts", _listed(outcomes)),
                ("Connections", connections),
            ),
        )

    def _event(self, event: Record | None) -> Cell:
        if event is None:
            return None
        desk = self._desk

        def fill(cell: Element) -> None:
            when = desk.moments.moment(event["time"])
            if callable(when):
                when(cell)
            say(cell, ", frame ")
            desk.page.frame(cell, event["frame"])

        return fill

    def _findings(self, made: Element) -> None:
        case, desk = self._desk.case, self._desk
        numbers = case.findings_of(self._index)
        if not numbers:
            return
        part = section(made, "facts-findings", f"Findings ({len(numbers)})", 3)
        listed = add(part, "ul", "plain")
        for number in numbers[:FINDINGS]:
            one = case.findings[number]
            line = add(listed, "li")
            badge(line, one["severity"])
            say(line, " ")
            href = desk.href(view="findings", session=self._index, rule=one["rule"])
            add(line, "a", "", f"{one['rule']} {one['title']}", href=href)
            say(line, ": ")
            desk.page.prose(line, one["detail"])
        if len(numbers) > FINDINGS:
            rest = f"{len(numbers) - FINDINGS:,} more"
            href = desk.href(view="findings", session=self._index)
            ways(part, ((rest, href),))

    def _words(self, made: Element) -> None:
        case, one = self._desk.case, self._one
        found = (case.findings[number] for number in case.findings_of(self._index))
        problems = told_by_none(one["problems"], found)
        for key, name, texts in (
            ("failed", "What else failed", problems),
            ("uncertain", "What is uncertain", one["doubts"]),
        ):
            if texts:
                self._desk.page.points(section(made, key, name, 3), texts)

    def _rooms(self, made: Element) -> None:
        rooms = self._one["rooms"]
        if not rooms:
            return
        part = section(made, "facts-rooms", f"Rooms ({len(rooms):,})", 3)
        columns = (
            *(
                Column("room", "wide"),
                Column("joined in frame", "num"),
                Column("refused in", "num"),
            ),
            *(Column("left in", "num"), Column("posts", "num"), Column("received", "num")),
        )
        table(part, "Rooms of this session", columns, map(self._room, rooms[:ROOMS]))
        if len(rooms) > ROOMS:
            ways(part, ((f"{len(rooms) - ROOMS:,} more rooms", self._desk.href(view="rooms")),))

    def _room(self, room: Record) -> Sequence[Cell]:
        in_frame = self._desk.page.in_frame
        return (
            way(
                room["name"] or short_room(room["uri"]),
                self._desk.href(view="rooms", room=room["uri"]),
            ),
            *map(in_frame, (room["joined_frame"], room["refused_frame"], room["left_frame"])),
            room["posts"] or "",
            room["received"] or "",
        )

    def _slowest(self, made: Element) -> None:
        if not self._one["slowest"]:
            return
        part = section(made, "facts-slowest", "Slowest commands", 3)
        columns = (
            *(Column("command"), Column("SIP answer after", "num"), Column("reply after", "num")),
            *(Column("frame", "num"), Column("reply in", "frames")),
        )
        table(part, "Slowest commands of this session", columns, self._slow())

    def _slow(self) -> Iterator[Sequence[Cell]]:
        for one in self._one["slowest"]:
            several = f" ×{one['number']}" if one["number"] > 1 else ""
            yield (
                f"{one['command']}{several}",
                latency_text(one["sip_latency_ms"]),
                latency_text(one["reply_latency_ms"]),
                self._desk.page.in_frame(one["frame"]),
                self._desk.page.in_frames(one["reply_frames"]),
            )


def _listed(parts: Iterable[str | None]) -> str:
    return ", ".join(part for part in parts if part)
