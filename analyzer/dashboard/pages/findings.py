"""The page ``findings``: by severity and rule, with evidence and what to do; and the rules."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any

from lxml import etree

from analyzer.dashboard.verdict.findings import about_rule, advice, hit
from analyzer.dashboard.verdict.paging import Option, choices, pager, part_of
from analyzer.dashboard.verdict.places import way
from analyzer.dashboard.verdict.selecting import Asked, selected
from analyzer.diagnostics.pages import FAMILIES
from analyzer.diagnostics.rule import SEVERITIES
from analyzer.diagnostics.table import RULES
from analyzer.markup import Column, add, badge, badged, say, section, table
from analyzer.report.findings import HEADINGS
from analyzer.report.head import who
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.dashboard.desk import Desk
    from analyzer.markup import Cell, Element

Record = dict[str, Any]
SHOWN = 40
"""Findings on one page."""


def show(desk: Desk) -> None:
    """Draw the page."""
    made = etree.Element("div")
    made.set("class", "findings-page")
    more = desk.selection.more
    if more.get("rules") == "all":
        _rules(made, desk)
    else:
        _Findings(desk, Asked.of(more)).add_to(made)
    desk.draw(made, "findings")


class _Findings:
    def __init__(self, desk: Desk, asked: Asked) -> None:
        self._desk, self._case, self._asked = desk, desk.case, asked
        self._session = desk.selection.session
        self._found = selected(desk.case, asked, desk.selection.session)

    def add_to(self, made: Element) -> None:
        """Add the page of the rule where it is asked for, what can be chosen, and the findings."""
        if self._asked.rule and self._asked.about:
            self._about(made)
        elif self._asked.about:
            add(made, "p", text="No rule is chosen.")
        self._choices(made)
        self._list(made)
        if self._case.undiagnosed:
            left = amount(self._case.undiagnosed, "session")
            add(made, "p", "cut", f"{left} more were not looked at for findings: xccos findings")
        line = add(made, "p", "soft")
        add(line, "a", "", "All rules, and what each judges", href=self._desk.href(rules="all"))

    def _about(self, made: Element) -> None:
        part = add(made, "section", "rule-page card", aria_label=f"About {self._asked.rule}")
        about_rule(part, self._asked.rule)
        line = add(part, "p")
        add(line, "a", "", "close", href=self._desk.href(about=None))
        say(line, " · ")
        add(line, "a", "", "all rules", href=self._desk.href(rules="all"))

    def _choices(self, made: Element) -> None:
        desk, asked, case = self._desk, self._asked, self._case
        count = Counter(
            case.diagnosed[at].severity for at in self._others(asked._replace(severity=""))
        )
        options = [Option("all", desk.href(severity=None, page=None), not asked.severity)]
        options += [
            Option(
                f"{HEADINGS[one].lower()} ({count[one]:,})",
                desk.href(severity=one, page=None),
                one == asked.severity,
            )
            for one in SEVERITIES
            if count[one] or one == asked.severity
        ]
        choices(made, "Severity", options)
        by_rule = Counter(case.diagnosed[at].rule for at in self._others(asked._replace(rule="")))
        options = [Option("all", desk.href(rule=None, about=None, page=None), not asked.rule)]
        options += [
            Option(
                f"{rule} ({number:,})",
                desk.href(rule=rule, about=None, page=None),
                rule == asked.rule,
            )
            for rule, number in sorted(by_rule.items())
        ]
        choices(made, "Rule", options)
        self._of_session(made)

    def _others(self, asked: Asked) -> Sequence[int]:
        return selected(self._case, asked, self._session)

    def _of_session(self, made: Element) -> None:
        if self._session is None:
            return
        line = add(made, "p", "soft")
        name = who(self._case.sessions[self._session])
        say(line, f"Only those of session {self._session + 1}, {name}. ")
        add(line, "a", "", "all sessions", href=self._desk.href(session=None, page=None))

    def _list(self, made: Element) -> None:
        desk, found = self._desk, self._found
        if not found:
            every = not self._case.diagnosed
            text = "The rules found nothing" if every else "No finding is like that"
            add(made, "p", text=f"{text}. They judge only what the capture shows.")
            return
        part = part_of(desk.selection.more.get("page"), len(found), SHOWN)
        pager(made, desk, part, "finding")
        totals = Counter((self._one(at)["severity"], self._one(at)["rule"]) for at in found)
        shown = found[part.first : part.last]
        for severity, those in groupby(shown, key=lambda at: self._one(at)["severity"]):
            count = sum(number for (one, _), number in totals.items() if one == severity)
            name = f"{HEADINGS[severity]} ({count:,})"
            listed = add(section(made, f"findings-{severity}", name), "ol", "rules")
            for rule, same in groupby(those, key=lambda at: self._one(at)["rule"]):
                self._rule(listed, [*same], totals[severity, rule])
        pager(made, desk, part, "finding")

    def _one(self, number: int) -> Record:
        return self._case.findings[number]

    def _rule(self, listed: Element, same: Sequence[int], total: int) -> None:
        """Add what one rule found: each with its evidence, and once what to do."""
        desk = self._desk
        records = [self._one(at) for at in same]
        first = records[0]
        made = add(listed, "li", f"finding {first['severity']}")
        head = add(made, "h3")
        badge(head, first["severity"])
        say(head, " ")
        href = desk.href(rule=first["rule"], about="rule", page=None)
        add(head, "a", "", first["rule"], href=href, title="the page of this rule")
        several = f" ×{total:,}" if total > 1 else ""
        say(head, f" {first['title']}{several}")
        if total > len(same):
            add(made, "p", "cut", f"{len(same):,} of {total:,} are on this page.")
        advice(made, desk, records)
        hits = add(made, "ol", "hits")
        for number, one in zip(same, records, strict=True):
            hit(hits, desk, one, number)


def _rules(made: Element, desk: Desk) -> None:
    """List all rules, and what each judges."""
    add(made, "h1", text="Rules")
    line = add(made, "p")
    add(line, "a", "", "Back to the findings", href=desk.href(rules=None))
    found = Counter(one.rule for one in desk.case.diagnosed)
    columns = (
        *(Column("rule"), Column("severity"), Column("about"), Column("what is wrong", "wide")),
        *(Column("what it means", "wide"), Column("found here", "num")),
    )
    table(made, f"All {len(RULES)} rules", columns, _lines(desk, found), "rules-table")


def _lines(desk: Desk, found: Counter[str]) -> Iterator[Sequence[Cell]]:
    for rule in RULES.values():
        href = desk.href(rules=None, rule=rule.id, about="rule", session=None)
        here = desk.href(rules=None, rule=rule.id, session=None)
        yield (
            way(rule.id, href),
            badged(rule.severity),
            FAMILIES.get(rule.id[:3], "other"),
            rule.title,
            rule.explanation,
            way(f"{found[rule.id]:,}", here) if found[rule.id] else "",
        )
