"""The triage of one capture as text: who signed in how far, what was slow, what failed."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from analyzer.cli.reading import usable_jobs
from analyzer.cli.shares import worked_out
from analyzer.cli.steps import copy_lines, step_lines
from analyzer.cli.table import Column, table
from analyzer.export.printable import printable
from analyzer.narrative.names import short_room
from analyzer.times import SECOND, duration_text, latency_text
from analyzer.views.numbers import amount, frames_text, spans
from analyzer.views.told import MAX_STORIES, judged, told_by_none, verdict_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from analyzer.cli.terminal import Terminal

Record = dict[str, Any]

_OUTCOMES = {
    "answered": "good",
    "accepted": "good",
    "rejected": "bad",
    "unanswered": "bad",
    "unknown": "doubtful",
}


_SEVERITIES = {
    "error": ("failed", "bad"),
    "warning": ("doubtful", "doubtful"),
    "note": ("none", "plain"),
}
"""Severity of a finding: symbol and style."""
_VERDICTS = {
    "failed": ("failed", "bad"),
    "doubtful": ("doubtful", "doubtful"),
    "ok": ("ok", "good"),
    "not-captured": ("unknown", "doubtful"),
}
"""Verdict on a session: symbol and style."""
NUMBERED = (
    "Frames are numbered as in the file that `xccos merge` writes of these; `xccos show` says "
    "which frame or line of which input a message is."
)
SHOWN_FINDINGS = 30
"""Findings told under one heading; `xccos findings` has all."""


def triage_lines(
    record: Record, terminal: Terminal, tell: Callable[[Sequence[int]], None]
) -> Iterator[str]:
    """Yield the lines of a triage record.

    Args:
        record: what ``triage_record`` gives.
        terminal: what can be shown.
        tell: fills in flows, findings and summaries of the sessions that are told, by index.
    """
    yield terminal.paint(printable(record["file"]), "bold")
    yield from _paragraph(_head(record), terminal)
    yield from _inputs(record["inputs"], terminal)
    sessions = record["sessions"]
    told = sessions
    if len(sessions) > MAX_STORIES:
        entries = worked_out(sessions, _entry, usable_jobs())
        troubled = [one for one, entry in zip(sessions, entries, strict=True) if entry[0] != "ok"]
        told = troubled[:MAX_STORIES]
        yield ""
        yield from _overview(entries, len(troubled), terminal)
    tell([session["index"] for session in told])
    for session in told:
        yield ""
        yield from _session(session, record, terminal)
    if record["messages"] and not sessions:
        yield ""
        yield from _paragraph(
            "There is SIP, but no session of a client: see `xccos dialogs` and `xccos messages`.",
            terminal,
        )
    if record["contents"]:
        yield ""
        for text in record["contents"]:
            yield from _paragraph(text, terminal)
        yield ""
        yield terminal.paint("What to do next", "bold")
        yield from _points(record["next"], terminal)
    yield from _of_the_capture(record, terminal)
    yield ""
    yield from _quality(record, terminal)


def _inputs(inputs: Sequence[Record], terminal: Terminal) -> Iterator[str]:
    """Yield a line on each of several inputs, and what the numbers of frames are."""
    for one in inputs:
        kind = "" if one["kind"] == "capture" else f"{one['kind']}, "
        said = f"{kind}{amount(one['messages'], 'message')}; {one['clock']['words']}"
        yield from _paragraph(f"{one['name']}: {said}", terminal, hanging=2, indent=4)
    if inputs:
        yield from _paragraph(NUMBERED, terminal, indent=4)


def _entry(session: Record) -> tuple[str, ...]:
    """Return the symbol of a session's verdict, and its cells in the list of all of them."""
    return (
        judged(session),
        str(session["index"] + 1),
        session["user"] or "unknown",
        session["client_address"],
        str(len(session["commands"])),
        session["verdict"],
    )


def _overview(entries: Sequence[Sequence[Any]], troubled: int, terminal: Terminal) -> Iterator[str]:
    told = min(troubled, MAX_STORIES)
    text = f"{amount(len(entries), 'session')}, {troubled} with problems"
    yield terminal.paint(f"{text}; {told} of these in full below", "bold")
    yield from _paragraph("The findings of all sessions: `xccos findings`.", terminal)
    rows = ((f"{terminal.symbol(name)} {number}", *cells) for name, number, *cells in entries)
    columns = (
        Column("session", least=7),
        Column("user", least=16),
        Column("client", least=14, rank=1),
        Column("commands", right=True, least=8, rank=2),
        Column("verdict", least=16),
    )
    yield from table(columns, rows, terminal, indent="  ")


def _head(record: Record) -> str:
    counts = f"{amount(record['frames'], 'frame')}, {amount(record['messages'], 'SIP message')}"
    if record["first_time"] is None:
        return counts
    return f"{counts}, {_when(record['first_time'], record['last_time'], record['duration_ms'])}"


def _when(first: str | None, last: str | None, milliseconds: float | None) -> str:
    """Return ``2026-11-22 07:20:06.541 to 07:20:14.123 UTC (7.582 s)``."""
    if first is None or last is None:
        return "time unknown"
    begin, end = _readable(first), _readable(last)
    if begin[:10] == end[:10]:
        end = end[11:]
    lasted = "" if milliseconds is None else f" ({_lasted(milliseconds)})"
    return f"{begin} to {end} UTC{lasted}"


def _readable(time: str) -> str:
    return time.removesuffix("Z").replace("T", " ")[:23]


def _lasted(milliseconds: float) -> str:
    return duration_text(round(milliseconds * SECOND / 1000))


def _session(session: Record, record: Record, terminal: Terminal) -> Iterator[str]:
    user = printable(session["user"] or "unknown user")
    count = len(record["sessions"])
    yield terminal.paint(f"Session {session['index'] + 1} of {count}: {user}", "bold")
    runs = [run for run in record["flows"] if run["session"] == session["index"]]
    findings = [one for one in record["findings"] if one["session"] == session["index"]]
    symbol, style = _VERDICTS[verdict_of(session, findings)]
    verdict = f"{terminal.symbol(symbol)} {session['summary'] or session['verdict']}"
    yield from _paragraph(verdict, terminal, hanging=2, style=style)
    yield from _facts(session, terminal)
    yield from _sign_ins(session, runs, terminal)
    posts = [run for run in runs if run["copies"]]
    problems = told_by_none(session["problems"], findings)
    for title, lines in (
        ("Rooms", _rooms(session, terminal)),
        ("Posts", _posts(session, terminal)),
        ("Copies", copy_lines(posts, terminal, "    ")),
        ("Slowest commands", _slowest(session, terminal)),
        ("Findings", _findings(findings, terminal)),
        ("What failed", _points(problems, terminal, "failed")),
        ("What is uncertain", _points(session["doubts"], terminal, "doubtful")),
    ):
        yield from _section(title, lines, terminal)


def _sign_ins(session: Record, runs: Sequence[Record], terminal: Terminal) -> Iterator[str]:
    """Yield the steps of each sign-in; of a session without a run those of the session."""
    found = [run for run in runs if run["flow"] == "sign-in"]
    if not found:
        yield from _section("Sign-in", step_lines(session["steps"], terminal, "    "), terminal)
    for run in found:
        title = f"Sign-in: {run['outcome']} (client: {run['variant']})"
        yield from _section(title, step_lines(run["steps"], terminal, "    "), terminal)


def _facts(session: Record, terminal: Terminal) -> Iterator[str]:
    client = [session["client_address"], session["transport"], session["user_agent"]]
    if session["epid"]:
        client.append(f"epid {session['epid']}")
    facts = {
        "client": _listed(client),
        "front end": _listed([session["front_end"], session["server"]]),
        "when": _when(session["started"], session["ended"], session["duration_ms"]),
        "commands": _listed(
            f"{number} {word}" for word, number in session["outcomes"].items() if number
        ),
    }
    for name, text in facts.items():
        if text:
            yield from _paragraph(f"{name:<10} {text}", terminal, hanging=11)


def _listed(parts: Iterable[str | None]) -> str:
    return ", ".join(part for part in parts if part)


def _section(title: str, lines: Iterator[str], terminal: Terminal) -> Iterator[str]:
    """Yield the title and the lines; nothing where there are no lines."""
    first = next(lines, None)
    if first is None:
        return
    yield "  " + terminal.paint(title, "bold")
    yield first
    yield from lines


def _rooms(session: Record, terminal: Terminal) -> Iterator[str]:
    rows = (
        (
            room["name"] or "",
            short_room(room["uri"]),
            _number(room["joined_frame"]),
            _number(room["refused_frame"]),
            _number(room["left_frame"]),
            str(room["posts"]),
            str(room["received"]),
        )
        for room in session["rooms"]
    )
    columns = (
        Column("name", least=8),
        Column("URI", least=10),
        Column("joined", right=True),
        Column("refused", right=True, style=lambda _: "bad"),
        Column("left", right=True),
        Column("posts", right=True),
        Column("received", right=True),
    )
    return table(columns, rows, terminal, indent="    ")


def _posts(session: Record, terminal: Terminal) -> Iterator[str]:
    names = {room["uri"]: room["name"] for room in session["rooms"]}
    rows = (
        (
            _number(post["frame"]),
            _readable(post["time"])[11:] if post["time"] else "",
            names.get(post["room"]) or short_room(post["room"] or ""),
            post["outcome"],
            _number(post["sip_status"]),
            latency_text(post["sip_latency_ms"]),
            "" if post["outcome"] == "accepted" else post["detail"],
        )
        for post in session["posts"]
    )
    columns = (
        Column("frame", right=True),
        Column("time", least=12),
        Column("room", least=10),
        Column("outcome", least=10, style=lambda cell: _OUTCOMES.get(cell, "plain")),
        Column("SIP", right=True),
        Column("latency", right=True, least=7),
        Column("detail", least=12),
    )
    return table(columns, rows, terminal, indent="    ")


def _slowest(session: Record, terminal: Terminal) -> Iterator[str]:
    rows = (
        (
            slow["command"] + (f" ({slow['number']})" if slow["number"] > 1 else ""),
            latency_text(slow["sip_latency_ms"]),
            latency_text(slow["reply_latency_ms"]),
            _number(slow["frame"]),
            spans(slow["reply_frames"]),
        )
        for slow in session["slowest"]
    )
    columns = (
        Column("command", least=10),
        Column("SIP answer after", right=True),
        Column("reply after", right=True),
        Column("frame", right=True),
        Column("reply in"),
    )
    return table(columns, rows, terminal, indent="    ")


def _findings(findings: Sequence[Record], terminal: Terminal) -> Iterator[str]:
    """Yield findings, errors first, each with its frames and what to do."""
    for one in findings[:SHOWN_FINDINGS]:
        symbol, style = _SEVERITIES[one["severity"]]
        sure = "" if one["confidence"] == "certain" else f", {one['confidence']}"
        where = f" [{frames_text(one['frames'])}{sure}]" if one["frames"] else ""
        head = f"{terminal.symbol(symbol)} {one['severity']} {one['rule']} {one['title']}"
        yield from _paragraph(head, terminal, hanging=2, indent=4, style=style)
        yield from _paragraph(f"{one['detail']}{where}", terminal, indent=6)
        yield from _paragraph(f"Advice: {one['advice']}", terminal, indent=6)
    if len(findings) > SHOWN_FINDINGS:
        left = amount(len(findings) - SHOWN_FINDINGS, "more finding")
        yield from _paragraph(f"{left}: see `xccos findings`", terminal, indent=4)


def _of_the_capture(record: Record, terminal: Terminal) -> Iterator[str]:
    """Yield the findings that are about no session."""
    findings = [one for one in record["findings"] if one["session"] is None]
    if findings:
        yield ""
        yield terminal.paint("Findings about the capture", "bold")
        yield from _findings(findings, terminal)


def _quality(record: Record, terminal: Terminal) -> Iterator[str]:
    yield terminal.paint("Capture quality", "bold")
    found = record["quality"]["remarks"]
    if found:
        yield from _points(found, terminal)
    else:
        yield from _paragraph("Nothing seems to be missing.", terminal)


def _points(texts: Iterable[str], terminal: Terminal, symbol: str = "") -> Iterator[str]:
    mark = terminal.symbol(symbol) if symbol else "-"
    style = "bad" if symbol == "failed" else "plain"
    for text in texts:
        yield from _paragraph(f"{mark} {text}", terminal, hanging=2, indent=4, style=style)


def _paragraph(
    text: str, terminal: Terminal, *, hanging: int = 0, indent: int = 2, style: str = "plain"
) -> Iterator[str]:
    lines = textwrap.wrap(
        printable(text),
        terminal.width,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hanging),
        break_on_hyphens=False,
    )
    return (terminal.paint(line, style) for line in lines)


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
