"""Findings as the pages write them: what was seen, how sure it is, what to do, and the evidence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from analyzer.dashboard.verdict.paging import ways
from analyzer.dashboard.verdict.places import finding_ways
from analyzer.diagnostics.pages import page as rule_page
from analyzer.diagnostics.table import RULES
from analyzer.markup import add, say
from analyzer.report.findings import SURE, display_filter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.dashboard.desk import Desk
    from analyzer.markup import Element

Record = dict[str, Any]
_CODE = re.compile(r"`([^`\n]+)`")


def advice(parent: Element, desk: Desk, same: Sequence[Record]) -> None:
    """Add what to do about the findings of one rule, its page, and a filter for Wireshark."""
    first = same[0]
    line = add(parent, "p", "advice")
    add(line, "strong", text="What to do: ")
    coded_text(line, first["advice"])
    say(line, " ")
    href = desk.href(view="findings", rule=first["rule"], page=None, about="rule")
    add(line, "a", "", f"About {first['rule']}", href=href)
    filtered = display_filter(same)
    if filtered is not None:
        line = add(parent, "p", "wireshark soft")
        say(line, "In Wireshark: ")
        add(line, "code", text=filtered)
        say(line, " ")
        add(line, "button", "", "copy", type="button", data_copy=filtered)


def hit(parent: Element, desk: Desk, one: Record, number: int) -> None:
    """Add one finding: the sentence, its certainty, session, time, frames, and where to look."""
    made = add(parent, "li", id=f"finding-{number}")
    desk.page.prose(made, one["detail"])
    where = add(made, "p", "where")
    say(where, SURE[one["confidence"]])
    if one["session"] is not None:
        say(where, " · ")
        text = f"Session {one['session'] + 1}"
        add(where, "a", "", text, href=desk.href(session=one["session"], page=None))
    if one["time"] is not None:
        say(where, " · ")
        fill = desk.moments.moment(one["time"])
        if callable(fill):
            fill(where)
    if one["frames"]:
        say(where, " · frames " if len(one["frames"]) > 1 else " · frame ")
        desk.page.frames(where, one["frames"])
    ways(made, finding_ways(desk, one))


def about_rule(parent: Element, rule: str) -> None:
    """Add the page of a rule: the text that ``xccos explain`` prints."""
    known = RULES.get(rule)
    if known is None:
        add(parent, "p", text=f"There is no rule {rule[:40]!r}.")
        return
    for block in rule_page(known).split("\n\n"):
        text = " ".join(block.split("\n"))
        if text.startswith("## "):
            add(parent, "h3", text=text[3:])
        elif text.startswith("# "):
            add(parent, "h2", text=text[2:])
        else:
            coded_text(add(parent, "p"), text)


def coded_text(parent: Element, text: str) -> None:
    """Add a sentence of our own, in which code stands between backticks."""
    at = 0
    for found in _CODE.finditer(text):
        say(parent, text[at : found.start()])
        add(parent, "code", text=found[1])
        at = found.end()
    say(parent, text[at:])
