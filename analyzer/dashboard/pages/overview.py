"""The page ``overview``: is something wrong, in words; where; and what the capture is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from analyzer.dashboard.verdict.headline import damage_text, groups, headline, worth
from analyzer.dashboard.verdict.paging import pager, part_of, ways
from analyzer.dashboard.verdict.places import session_ways, way
from analyzer.dashboard.verdict.told import told_of
from analyzer.export.printable import printable
from analyzer.markup import Column, add, badge, badged, facts, say, section, table
from analyzer.report.head import who
from analyzer.report.quality import Quality
from analyzer.times import latency_text
from analyzer.views.numbers import amount
from analyzer.views.told import VERDICT_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.dashboard.desk import Desk
    from analyzer.dashboard.verdict.headline import Group
    from analyzer.dashboard.verdict.told import Progress
    from analyzer.markup import Cell, Element

SHOWN = 10
"""Sessions on one page: each is a few lines to read."""
KINDS = 12
"""Groups of what failed first that are listed: more of them tell nothing in common."""
CONNECTIONS = 40
"""Of more the list is drawn only when it is asked for: it is the longest part of the page."""
GROUPS = 12
"""Rules whose findings are listed; the page of findings has all."""


def show(desk: Desk) -> None:
    """Draw the page."""
    made = etree.Element("div")
    made.set("class", "overview")
    page = _Overview(desk)
    page.first(made)
    if desk.case.views:
        page.sessions(made)
    page.findings(made)
    page.worth(made)
    desk.draw(made, "overview")


class _Overview:
    def __init__(self, desk: Desk) -> None:
        self._desk, self._case = desk, desk.case
        self._told = told_of(desk.case)

    def first(self, made: Element) -> None:
        """Say whether something is wrong, and what to do where there is nothing to judge."""
        case, desk = self._case, self._desk
        said = headline(case)
        top = add(made, "div", "headline", role="status")
        lead = add(top, "h1", "lead")
        badge(lead, said.sign, said.word)
        say(lead, f" {said.text}")
        damaged = damage_text(case)
        if damaged is not None:
            line = add(top, "p", "damaged")
            badge(line, "error", "damaged")
            say(line, " ")
            desk.page.prose(line, damaged)
        if case.undiagnosed:
            left = amount(case.undiagnosed, "session")
            add(top, "p", "cut", f"{left} more were not looked at for findings: xccos findings")
        for text in case.record["contents"]:
            desk.page.paragraph(made, text)
        if case.record["next"]:
            self._next(made)

    def _next(self, made: Element) -> None:
        part = section(made, "next", "What to do next")
        self._desk.page.points(part, self._case.record["next"])
        if any(one["status"] != "decrypted" for one in self._case.record["quality"]["tls"]):
            text = "Open the capture again together with its key log or RSA key: "
            line = add(part, "p", text=text)
            add(line, "a", "", "open", href=self._desk.href(view="open"))
            say(line, ". Keys are not kept.")

    def sessions(self, made: Element) -> None:
        """Tell the sessions, the worst first; of many how many of which kind before that."""
        case, selection = self._case, self._desk.selection
        ranked = self._told.ranked()
        part = section(made, "sessions", f"Sessions ({len(ranked):,})")
        if len(ranked) > SHOWN:
            self._counts(part)
        at = None if selection.session is None else ranked.index(selection.session)
        shown = part_of(selection.more.get("page"), len(ranked), SHOWN, at)
        pager(part, self._desk, shown, "session")
        listed = add(part, "ol", "told")
        for index in ranked[shown.first : shown.last]:
            self._session(listed, index)
        pager(part, self._desk, shown, "session")
        if self._desk.selection.zone and case.views:
            add(part, "p", "soft", "Times in sentences are in UTC.")

    def _counts(self, part: Element) -> None:
        desk = self._desk
        counts = self._told.by_verdict()
        line = add(part, "p", "counts")
        for number, (verdict, count) in enumerate(counts.items()):
            say(line, " " if number else "")
            badge(line, verdict, VERDICT_WORDS[verdict])
            say(line, " ")
            href = desk.href(view="sessions", session=None, verdict=verdict)
            add(line, "a", "", amount(count, "session"), href=href)
        kinds = self._told.kinds()
        if kinds:
            columns = (
                Column("what failed first", "wide"),
                Column("sessions", "num"),
                Column("for example"),
            )
            table(part, "What failed first", columns, self._kinds(), "kinds")
        if len(kinds) > KINDS:
            add(part, "p", "cut", f"{len(kinds) - KINDS} more kinds; the list of sessions has all.")

    def _kinds(self) -> Iterator[Sequence[Cell]]:
        desk = self._desk
        for one in self._told.kinds()[:KINDS]:
            href = desk.href(view="sessions", session=None, first=one.kind)
            example = desk.href(view="flow", session=one.example)
            name = who(self._case.sessions[one.example])
            yield (
                way(one.title, href),
                one.sessions,
                way(f"Session {one.example + 1}, {name}", example),
            )

    def _session(self, listed: Element, index: int) -> None:
        """Tell one session: sign and word, user, what happened, how far, and what failed first."""
        desk, told = self._desk, self._told
        item = add(listed, "li", f"verdict {self._case.verdict(index)}")
        if index == desk.selection.session:
            item.set("data-selected", "still")
        head = add(item, "h3")
        verdict = self._case.verdict(index)
        badge(head, verdict, VERDICT_WORDS[verdict])
        say(head, " ")
        href = desk.href(view="flow", session=index)
        add(head, "a", "", f"Session {index + 1}: {who(self._case.sessions[index])}", href=href)
        desk.page.paragraph(item, told.summary(index))
        line = add(item, "p", "how-far")
        progress = told.progress(index)
        add(line, "strong", text="Sign-in: ")
        badge(line, progress.outcome)
        say(line, f"{_lasted(progress)}.")
        failure = told.failure(index)
        if failure is not None:
            line = add(item, "p", "first-failure")
            add(line, "strong", text="First to fail: " if verdict == "failed" else "First remark: ")
            desk.page.prose(line, failure.text)
        ways(item, session_ways(desk, index, failure))

    def findings(self, made: Element) -> None:
        """List the findings by severity: a line for each rule."""
        case, desk = self._case, self._desk
        if not case.views and not case.diagnosed:
            return
        part = section(made, "findings", f"Findings ({len(case.diagnosed):,})")
        found = groups(case)
        if not found:
            text = "The rules found nothing. They judge only what the capture shows."
            add(part, "p", text=text)
            return
        columns = (
            *(Column("severity"), Column("rule", "wide"), Column("found", "num")),
            *(Column("sessions", "num"), Column("the first of them", "wide"), Column("frames")),
        )
        made_table = table(part, "Findings by rule", columns, map(self._group, found[:GROUPS]))
        made_table.set("data-keys", "")
        every = desk.href(view="findings", session=None)
        text = "All findings" if len(found) <= GROUPS else f"{len(found) - GROUPS} more rules: all"
        ways(
            part, ((text, every), ("What the rules judge", desk.href(view="findings", rules="all")))
        )

    def _group(self, group: Group) -> Sequence[Cell]:
        desk = self._desk
        first = self._case.findings[group.numbers[0]]
        href = desk.href(view="findings", session=None, rule=group.rule, severity=group.severity)
        return (
            badged(group.severity),
            way(f"{group.rule} {group.title}", href),
            len(group.numbers),
            group.sessions or "",
            desk.page.words(first["detail"]),
            desk.page.in_frames(first["frames"][:SHOWN]),
        )

    def worth(self, made: Element) -> None:
        """Say what the capture is worth: what is missing of it, and where it comes from."""
        case, desk = self._case, self._desk
        part = section(made, "worth", "What the capture is worth")
        remarks = case.record["quality"]["remarks"]
        if remarks:
            desk.page.points(part, remarks)
        elif case.record["messages"]:
            add(part, "p", text="Nothing seems to be missing.")
        if case.remarks:
            add(part, "h3", text="Said when it was opened")
            desk.page.points(part, map(printable, case.remarks))
        span = desk.moments.span(case.record["first_time"], case.record["last_time"])
        facts(part, (("Time", span), *worth(case)))
        add(part, "p", "soft", _numbered(desk))
        self._tables(part)

    def _tables(self, part: Element) -> None:
        """Add what that rests on: folded, and where it is much only if it is asked for."""
        case, desk = self._case, self._desk
        name = "Connections, holes and what could not be decoded"
        asked = desk.selection.more.get("quality") == "all"
        if len(case.trace.connections) > CONNECTIONS and not asked:
            ways(part, ((name, desk.href(quality="all")),))
            return
        details = add(part, "details", id="quality-details", **({"open": "open"} if asked else {}))
        add(details, "summary", text=name)
        rows = range(len(case.trace.rows))
        Quality(desk.page, case.trace, case.record, rows).details(details)


def _lasted(progress: Progress) -> str:
    """Return how far a sign-in got, and how long that took: nothing fails "in 766 ms"."""
    if progress.ms is None:
        return f", {progress.text}"
    lasted = latency_text(progress.ms)
    if progress.outcome == "complete":
        return f" in {lasted}, {progress.text}"
    return f", {progress.text}".replace("steps done", f"steps done in {lasted}", 1)


def _numbered(desk: Desk) -> str:
    """Return what the numbers of frames are."""
    if desk.case.record["inputs"]:
        return "Frame numbers are those of the file that `xccos merge` writes of these inputs."
    if desk.case.trace.quality.unit == "line":
        return "Frame numbers count the messages of this trace."
    return "Frame numbers are those of this file, as Wireshark counts them."
