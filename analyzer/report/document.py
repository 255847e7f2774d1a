"""A report as one HTML page that asks the network for nothing.

Its content policy names style and script by their hashes and allows nothing else. Without the
script it is a whole document; with it tables are filtered and messages open.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from lxml import etree

from analyzer.ladder import html as ladder_html
from analyzer.markup import add, facts, say, section
from analyzer.moments import Moments
from analyzer.report.findings import Findings
from analyzer.report.head import Summary, about, header
from analyzer.report.messages import Messages, details
from analyzer.report.places import Places, ReportPage
from analyzer.report.quality import Quality
from analyzer.report.sessions import Sessions
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.ladder.look import Look
    from analyzer.markup import Element
    from analyzer.report.content import Content
    from analyzer.report.head import Origin
    from analyzer.report.sharing import Sharing

FEWEST_LANES = ladder_html.LANES
MAX_LISTED = 40
"""Sessions in the table of contents."""


def report_html(
    content: Content, origin: Origin, sharing: Sharing, look: Look, aliases: Mapping[str, str]
) -> bytes:
    """Return a report as an HTML document in UTF-8."""
    lanes = max([FEWEST_LANES, *(len(one.ladder.lanes) for one in content.ladders)])
    styles = f"{ladder_html.style(lanes)}\n{_asset('report.css')}\n{_asset('print.css')}"
    scripts = f"{ladder_html.script()}\n{_asset('report.js')}"
    html = etree.Element("html", lang="en")
    if look.theme != "auto":
        html.set("data-theme", look.theme)
    _meta(html, origin.name, styles, scripts)
    body = add(html, "body", "report")
    add(body, "a", "skip", "To the summary", href="#summary")
    header(body, content, origin, sharing)
    main = etree.Element("main")
    page, moments = ReportPage(Places(content)), Moments(look.zone)
    Summary(page, content).add_to(main)
    about(main, content, origin, moments)
    Findings(page, content, moments).add_to(main)
    Sessions(page, content, moments, look).add_to(main)
    Messages(page, content, moments, aliases).add_to(main)
    Quality(page, content.trace, content.record, content.chosen).add_to(main)
    _reading(main)
    left = details(main, content, sharing)
    if left:
        text = (
            f"The details of {amount(left, 'message')} are not in this page: it would be too large."
        )
        add(_found(main, "messages"), "p", "cut", text)
    _contents(body, main)
    body.append(main)
    _footer(body, origin, sharing)
    add(body, "script").text = scripts
    made: bytes = etree.tostring(html, method="html", encoding="utf-8", doctype="<!DOCTYPE html>")
    return made


def _meta(html: Element, name: str, styles: str, scripts: str) -> None:
    head = add(html, "head")
    add(head, "meta", charset="utf-8")
    policy = ladder_html.policy(styles, scripts)
    add(head, "meta", http_equiv="Content-Security-Policy", content=policy)
    add(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    add(head, "meta", name="referrer", content="no-referrer")
    add(head, "meta", name="generator", content="xccos-analyzer")
    add(head, "link", rel="icon", href="data:,")
    add(head, "title", text=f"Report: {name}")
    add(head, "style").text = styles


def _found(main: Element, identifier: str) -> Element:
    return next(one for one in main.iterchildren("section") if one.get("id") == identifier)


def _contents(body: Element, main: Element) -> None:
    """Add the table of contents: the headings of sections, of sessions the parts too."""
    nav = add(body, "nav", "contents", aria_label="Contents")
    add(nav, "h2", text="Contents")
    listed = add(nav, "ol")
    sessions = 0
    for one in main.iterchildren("section"):
        line = add(listed, "li")
        add(line, "a", "", _title(one), href=f"#{one.get('id')}")
        parts = [part for part in one.iterchildren("section") if part.get("id")]
        sessions += one.get("class") == "session"
        if parts and sessions <= MAX_LISTED:
            inner = add(line, "ol")
            for part in parts:
                add(add(inner, "li"), "a", "", _title(part), href=f"#{part.get('id')}")


def _title(part: Element) -> str:
    return "".join(map(str, part[0].itertext()))


LEGEND = (
    (
        "Steps",
        "✓ ok: done. ▲ slow: done, later than its limit. ↻ retried: done at a later attempt. "
        "⇅ out of order: done before a step that it builds on. ✕ failed: an error answered it. "
        "∅ missing: it should have happened and did not, or was never answered. Not applicable: "
        "this client does without it. ⋯ not captured: the capture cannot tell.",
    ),
    (
        "Certainty",
        "Certain: the messages say so. Likely: well evidenced, or the capture has gaps elsewhere. "
        "Possible: one of several explanations.",
    ),
    (
        "Latencies",
        "As the capture point saw them: from the frame that completes a request or command to the "
        "frame that completes its answer.",
    ),
    (
        "Accepted, answered",
        "The SIP 200 to an INFO says that the server took a command; the answer is the reply in a "
        "later INFO the other way.",
    ),
    (
        "Links",
        "A frame number leads to its message in the table; a row there opens the message, and "
        "leads to its place in the ladder.",
    ),
)
"""What the words and signs mean: whoever gets a ticket has no manual at hand."""


def _reading(main: Element) -> None:
    facts(section(main, "legend", "How to read this report"), LEGEND)


def _footer(body: Element, origin: Origin, sharing: Sharing) -> None:
    made = add(body, "footer")
    say(
        made,
        f"Made by xccos-analyzer {origin.version} of {origin.name}; {sharing.word}. "
        f"{sharing.remark}",
    )


@cache
def _asset(name: str) -> str:
    return files("analyzer.report").joinpath("assets", name).read_text(encoding="utf-8")
