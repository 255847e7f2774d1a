"""Findings by severity: what, why, how sure, what to do, and the messages that say so."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from analyzer.markup import (
    Column,
    add,
    badge,
    badged,
    linked,
    more,
    say,
    section,
    table,
)
from analyzer.report.content import MAX_FINDINGS
from analyzer.wireshark.filters import frames_filters

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.markup import Cell, Element
    from analyzer.moments import Moments
    from analyzer.report.content import Content, Tally
    from analyzer.report.places import ReportPage

Record = dict[str, Any]
HEADINGS = {"error": "Errors", "warning": "Warnings", "note": "Notes"}
SURE = {
    "certain": "certain",
    "likely": "likely",
    "possible": "possible, one of several explanations",
}
MAX_FILTER = 1_000
"""Characters of a display filter that is shown: a longer one nobody copies from a page."""


class Findings:
    """Writes the section of findings."""

    def __init__(self, page: ReportPage, content: Content, moments: Moments) -> None:
        self._page, self._content, self._moments = page, content, moments

    def add_to(self, parent: Element) -> None:
        """Add the section."""
        content = self._content
        made = section(parent, "findings", "Findings")
        if not content.findings and not content.tallies:
            add(made, "p", text="The rules found nothing. They judge only what the capture shows.")
        numbers = {id(one): number for number, one in enumerate(content.findings, 1)}
        for severity, those in groupby(content.findings, key=lambda one: one["severity"]):
            found = list(those)
            part = section(made, f"findings-{severity}", f"{HEADINGS[severity]} ({len(found)})", 3)
            listed = add(part, "ol", "findings")
            for same in by_rule(found):
                self._rule(listed, same, numbers)
        told = sum(content.counts.values()) - sum(one.times for one in content.tallies)
        if told > len(content.findings):
            more(made, told - MAX_FINDINGS, "finding", f"xccos findings {content.name}")
        if content.tallies:
            self._tallies(made, content.tallies)

    def _rule(self, parent: Element, same: Sequence[Record], numbers: dict[int, int]) -> None:
        """Add what one rule found: each hit with its evidence, and once what to do."""
        first = same[0]
        made = add(parent, "li", f"finding {first['severity']}")
        head = add(made, "h4")
        badge(head, first["severity"])
        say(head, " ")
        add(head, "span", "rule", first["rule"])
        say(head, f" {first['title']}" + (f" ×{len(same)}" if len(same) > 1 else ""))
        hits = add(made, "ul", "hits")
        for one in same:
            self._hit(hits, numbers[id(one)], one)
        advice = add(made, "p", "advice")
        add(advice, "strong", text="What to do: ")
        self._page.prose(advice, first["advice"])
        filtered = display_filter(same)
        if filtered is not None:
            shown = add(made, "p", "wireshark")
            say(shown, "In Wireshark: ")
            add(shown, "code", "copy", filtered)

    def _hit(self, parent: Element, number: int, one: Record) -> None:
        made = add(parent, "li", id=f"finding-{number}")
        self._page.prose(made, one["detail"])
        where = add(made, "span", "where")
        say(where, SURE[one["confidence"]])
        if one["session"] is not None:
            say(where, " · ")
            _put(where, linked(f"Session {one['session'] + 1}", self._session(one)))
        if one["time"] is not None:
            say(where, " · ")
            _put(where, self._moments.moment(one["time"]))
        if one["frames"]:
            say(where, " · frames " if len(one["frames"]) > 1 else " · frame ")
            self._page.frames(where, one["frames"])
        target = self._page.places.of_finding(one)
        if target is not None:
            say(where, " · ")
            add(where, "a", "to-ladder", "in the ladder", href=f"#{target}")

    def _session(self, one: Record) -> str | None:
        return self._page.places.session(one["session"])

    def _tallies(self, parent: Element, tallies: Sequence[Tally]) -> None:
        made = section(parent, "findings-others", "In the other sessions", 3)
        columns = (
            *(Column("rule"), Column("severity"), Column("what", "wide")),
            *(Column("findings", "num"), Column("sessions", "num"), Column("for example")),
        )
        table(made, "Findings of sessions that are not told in full", columns, self._lines(tallies))

    def _lines(self, tallies: Iterable[Tally]) -> Iterable[Sequence[Cell]]:
        for one in tallies:
            yield (
                one.rule,
                badged(one.severity),
                one.title,
                one.times,
                one.sessions,
                linked(f"Session {one.example + 1}", self._page.places.session(one.example)),
            )


def display_filter(findings: Iterable[Record]) -> str | None:
    """Return Wireshark's filter for the frames of findings; None without any, or of too many."""
    frames = sorted({frame for one in findings for frame in one["frames"]})
    filters = frames_filters(frames, MAX_FILTER) if frames else []
    return filters[0] if len(filters) == 1 else None


def by_rule(findings: Iterable[Record]) -> list[list[Record]]:
    """Return findings by rule, in the order of the first of each."""
    found: dict[tuple[str, str], list[Record]] = {}
    for one in findings:
        found.setdefault((one["rule"], one["title"]), []).append(one)
    return list(found.values())


def _put(parent: Element, cell: Cell) -> None:
    if callable(cell):
        cell(parent)
    else:
        say(parent, str(cell or ""))
