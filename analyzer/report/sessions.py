"""The sessions that are told in full: facts, steps, waits, story, ladder, rooms, latencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.ladder.html import html_fragment
from analyzer.markup import SIGNS, Column, add, badge, facts, say, section, table
from analyzer.narrative.names import short_room
from analyzer.report.content import MAX_EVENTS, MAX_LADDERS
from analyzer.report.head import who
from analyzer.report.steps import Steps
from analyzer.times import latency_text
from analyzer.views.told import VERDICT_WORDS, told_by_none, verdict_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.ladder.look import Look
    from analyzer.markup import Cell, Element
    from analyzer.moments import Moments
    from analyzer.report.content import Content, Drawn
    from analyzer.report.places import ReportPage

Record = dict[str, Any]
MAX_SENTENCES = 300
"""Of one story; `xccos story` tells the rest."""
MAX_ROOMS = 200
"""Rooms of one session that are listed."""
TONES = {"plain": "", "bad": "error", "doubtful": "doubtful"}


class Sessions:
    """Writes the sessions of a report."""

    def __init__(self, page: ReportPage, content: Content, moments: Moments, look: Look) -> None:
        self._page, self._content, self._moments, self._look = page, content, moments, look
        self._steps = Steps(page, moments, page.places)
        self._drawn = {one.session: one for one in content.ladders}

    def add_to(self, parent: Element) -> None:
        """Add a section for each session that is told, and the ladder that is of no session."""
        for drawn in self._content.ladders:
            if drawn.session is None:
                made = section(parent, "ladder-of-choice", "Ladder")
                made.set("class", "ladder")
                self._ladder(made, drawn)
        for one in self._content.sessions:
            if one["index"] in self._content.told:
                self._session(parent, one)

    def _session(self, parent: Element, one: Record) -> None:
        index, content = one["index"], self._content
        title = f"Session {index + 1}: {who(one)}"
        made = section(parent, f"session-{index + 1}", title)
        made.set("class", "session")
        findings = [found for found in content.findings if found["session"] == index]
        story = content.stories[index]
        verdict = verdict_of(one, findings)
        lead = add(made, "p", "lead")
        badge(lead, verdict, VERDICT_WORDS[verdict])
        say(lead, " ")
        self._page.prose(lead, story["summary"])
        self._facts(made, one, findings)
        runs = [run for run in content.flows if run["session"] == index]
        for number, run in enumerate((run for run in runs if run["flow"] == "sign-in"), 1):
            self._steps.sign_in(made, run, number)
        self._not_told(made, one, runs, findings)
        for number, path in enumerate(content.paths[index], 1):
            self._steps.path(made, path, number)
        self._talk(made, one, [run for run in runs if run["flow"] == "posting"])
        self._story(made, index, story)
        self._slowest(made, one)
        self._drawn_ladder(made, index)

    def _facts(self, parent: Element, one: Record, findings: Sequence[Record]) -> None:
        client = [one["client_address"], one["transport"], one["user_agent"]]
        client += [f"epid {one['epid']}"] if one["epid"] else []
        outcomes = (f"{count} {word}" for word, count in one["outcomes"].items() if count)
        facts(
            parent,
            (
                ("Client", _listed(client)),
                ("Front end", _listed((one["front_end"], one["server"]))),
                ("When", self._moments.span(one["started"], one["ended"])),
                ("Commands and posts", _listed(outcomes)),
                ("Findings", self._found(findings) if findings else "none"),
            ),
        )

    def _found(self, findings: Sequence[Record]) -> Cell:
        numbers = {id(one): at for at, one in enumerate(self._content.findings, 1)}

        def fill(cell: Element) -> None:
            for at, one in enumerate(findings):
                say(cell, ", " if at else "")
                number = numbers[id(one)]
                add(cell, "a", "", f"{one['rule']} {one['title']}", href=f"#finding-{number}")

        return fill

    def _not_told(
        self, parent: Element, one: Record, runs: Sequence[Record], findings: Sequence[Record]
    ) -> None:
        """Say what is left: of a session without a run, problems, and what is uncertain."""
        index = one["index"] + 1
        if not any(run["flow"] == "sign-in" for run in runs):
            text = "No sign-in of this session is in the capture."
            add(section(parent, f"session-{index}-sign-in", "Sign-in", 3), "p", text=text)
        problems = told_by_none(one["problems"], findings)
        for name, texts in (("What failed", problems), ("What is uncertain", one["doubts"])):
            if texts:
                key = f"session-{index}-{name.split()[-1]}"
                self._page.points(section(parent, key, name, 3), texts)

    def _talk(self, parent: Element, one: Record, posts: Sequence[Record]) -> None:
        if not one["rooms"] and not posts:
            return
        made = section(parent, f"session-{one['index'] + 1}-rooms", "Rooms and posts", 3)
        names = {room["uri"]: room["name"] for room in one["rooms"] if room["name"]}
        if one["rooms"]:
            columns = (
                *(Column("room", "wide"), Column("URI", "mono wide"), Column("joined", "num")),
                *(Column("refused", "num"), Column("left", "num"), Column("posts", "num")),
                Column("received", "num"),
            )
            rows = map(self._room, one["rooms"][:MAX_ROOMS])
            table(made, "Rooms, with the frames in which they were joined and left", columns, rows)
            if len(one["rooms"]) > MAX_ROOMS:
                add(made, "p", "cut", f"{len(one['rooms']) - MAX_ROOMS:,} more rooms")
        self._steps.posts(made, posts, names)

    def _room(self, room: Record) -> Sequence[Cell]:
        frames = (room["joined_frame"], room["refused_frame"], room["left_frame"])
        return (
            room["name"] or "",
            short_room(room["uri"]),
            *map(self._page.in_frame, frames),
            room["posts"],
            room["received"],
        )

    def _story(self, parent: Element, index: int, story: Record) -> None:
        made = section(parent, f"session-{index + 1}-story", "Story", 3)
        sentences = story["sentences"]
        listed = add(made, "ol", "story")
        for one in sentences[:MAX_SENTENCES]:
            line = add(listed, "li", TONES[one["tone"]])
            self._time(line, one["time"])
            text = add(line, "span")
            word = TONES[one["tone"]]
            if word:
                add(text, "b", "sign", SIGNS[word], title=word)
                say(text, " ")
            self._page.prose(text, one["text"])
        left = len(sentences) - MAX_SENTENCES + story["left_out"]
        if left > 0:
            how = f"xccos story {self._content.name} --session {index + 1}"
            add(made, "p", "cut", f"{left:,} more sentences: {how}")

    def _time(self, parent: Element, time: str | None) -> None:
        fill = self._moments.clock(time)
        if callable(fill):
            fill(parent)
        else:
            add(parent, "span", text="")

    def _drawn_ladder(self, parent: Element, index: int) -> None:
        drawn = self._drawn.get(index)
        if drawn is None and None in self._drawn:
            return
        made = section(parent, f"session-{index + 1}-ladder", "Ladder", 3)
        made.set("class", "ladder")
        if drawn is None:
            how = f"xccos ladder {self._content.name} --session {index + 1} -o ladder.html"
            add(made, "p", "cut", f"A report has the first {MAX_LADDERS} ladders. This one: {how}")
        else:
            self._ladder(made, drawn)

    def _ladder(self, parent: Element, drawn: Drawn) -> None:
        fragment = html_fragment(drawn.ladder, self._look, drawn.prefix)
        for title in fragment.iter("h2"):
            title.tag = "h4"
        parent.append(fragment)
        events = len(drawn.whole.events)
        if events > MAX_EVENTS:
            chosen = "" if drawn.session is None else f" --session {drawn.session + 1}"
            how = f"xccos ladder {self._content.name}{chosen} -o ladder.html"
            text = f"The first {MAX_EVENTS:,} of {events:,} events are drawn. All of them: {how}"
            add(parent, "p", "cut", text)

    def _slowest(self, parent: Element, one: Record) -> None:
        if not one["slowest"]:
            return
        made = section(parent, f"session-{one['index'] + 1}-slowest", "Slowest commands", 3)
        columns = (
            *(Column("command"), Column("SIP answer after", "num"), Column("reply after", "num")),
            *(Column("frame", "num"), Column("reply in", "frames")),
        )
        table(made, "Slowest commands", columns, self._slow(one["slowest"]))

    def _slow(self, slowest: Iterable[Record]) -> Iterator[Sequence[Cell]]:
        for one in slowest:
            several = f" ×{one['number']}" if one["number"] > 1 else ""
            yield (
                f"{one['command']}{several}",
                latency_text(one["sip_latency_ms"]),
                latency_text(one["reply_latency_ms"]),
                self._page.in_frame(one["frame"]),
                self._page.in_frames(one["reply_frames"]),
            )


def _listed(parts: Iterable[str | None]) -> str:
    return ", ".join(part for part in parts if part)
