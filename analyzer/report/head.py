"""The head of a report: what it is of, how it was made, and the verdict on each session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analyzer.markup import Column, add, badged, coded, facts, say, section, table
from analyzer.times import SECOND, duration_text
from analyzer.views.numbers import amount
from analyzer.views.told import VERDICT_WORDS, verdict_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.markup import Cell, Element
    from analyzer.moments import Moments
    from analyzer.report.content import Content
    from analyzer.report.places import ReportPage
    from analyzer.report.sharing import Sharing

Record = dict[str, Any]
MAX_SESSIONS = 2_000
"""Sessions listed on a line each; more of them are for `xccos sessions`."""

PRINTED = 100
"""Of these on paper (print.css): three pages."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a report comes from."""

    name: str
    """The capture's name, without its directory."""
    size: int | None
    """Bytes of the file; None for what is no file."""
    sha256: str | None
    """Of all its bytes, in hexadecimal digits."""
    command: str
    """The command line, without directories."""
    version: str


def header(body: Element, content: Content, origin: Origin, sharing: Sharing) -> Element:
    """Add the title and the notice of what a reader must know before passing it on."""
    made = add(body, "header", "head")
    add(made, "p", "kind", "Group Chat capture report")
    add(made, "h1", "", origin.name)
    if content.words:
        add(made, "p", "choice", f"Shown: {'; '.join(content.words)}")
    notice = add(made, "p", "notice", role="note")
    add(notice, "strong", text=f"{sharing.word.capitalize()}.")
    say(notice, f" {sharing.remark} Share it only with those who may read that.")
    return made


def about(parent: Element, content: Content, origin: Origin, moments: Moments) -> None:
    """Add the facts of the capture."""
    made = section(parent, "about", "This capture")
    record = content.record
    first, last = record["first_time"], record["last_time"]
    local = moments.span(first, last)
    lasted = record["duration_ms"]
    utc = type(moments)().span(first, last)
    facts(
        made,
        (
            ("File", origin.name),
            ("SHA-256", _digest(origin)),
            *(
                ("Joined with" if at else "First input", text)
                for at, text in enumerate(_inputs(record))
            ),
            ("Size", "" if origin.size is None else f"{origin.size:,} bytes"),
            ("Time (UTC)", utc),
            ("Time (chosen zone)", "" if local == utc else local),
            ("Duration", "" if lasted is None else duration_text(round(lasted * SECOND / 1000))),
            ("Holds", _holds(record)),
            ("Made with", f"xccos-analyzer {origin.version}"),
            ("Command line", coded(origin.command)),
        ),
    )
    add(
        made,
        "p",
        "hint",
        _numbered(content)
        + (
            ""
            if local == utc
            else " Times in tables are in the chosen zone, those in sentences in UTC."
        ),
    )


def _digest(origin: Origin) -> Cell:
    if origin.sha256 is None:
        return "not known: the capture was not read from a file"
    return coded(origin.sha256)


def _inputs(record: dict[str, Any]) -> list[str]:
    """Return a line on each of several inputs."""
    return [
        f"{one['name']}: {one['messages']:,} messages; {one['clock']['words']}"
        for one in record["inputs"]
    ]


def _numbered(content: Content) -> str:
    """Return what the numbers of frames are."""
    if content.record["inputs"]:
        return (
            "Frame numbers are those of the file that `xccos merge` writes of these inputs, as "
            "Wireshark counts them."
        )
    if content.trace.quality.unit == "line":
        return "Frame numbers count the messages of this trace."
    return "Frame numbers are those of this file, as Wireshark counts them."


def _holds(record: Record) -> str:
    return ", ".join(
        (
            amount(record["frames"], "frame"),
            amount(record["messages"], "SIP message"),
            amount(record["connections"], "connection"),
            amount(len(record["sessions"]), "session"),
        )
    )


class Summary:
    """The first thing that is read: the verdict on each session, in words."""

    def __init__(self, page: ReportPage, content: Content) -> None:
        self._page, self._content = page, content
        self._findings: dict[int | None, list[Record]] = {}
        for one in content.findings:
            self._findings.setdefault(one["session"], []).append(one)

    def add_to(self, parent: Element) -> None:
        """Add the section."""
        content = self._content
        made = section(parent, "summary", "Summary")
        self._page.paragraph(made, self._counts(), "lead")
        for text in content.record["contents"]:
            self._page.paragraph(made, text)
        if content.record["messages"] and not content.sessions:
            add(made, "p", text="There is SIP, but no session of a client.")
        if content.record["next"]:
            add(made, "h3", text="What to do next")
            self._page.points(made, content.record["next"])
        told = [one for one in content.sessions if one["index"] in content.told]
        if told:
            columns = (Column("session"), Column("verdict"), Column("in words", "wide"))
            table(made, "Verdicts", columns, map(self._row, told), "verdicts")
        self._rest(made)

    def _counts(self) -> str:
        content = self._content
        found = [amount(count, name) for name, count in content.counts.items() if count]
        sessions = amount(len(content.sessions), "session")
        of = "" if content.judged else f", of {len(content.told)} of them"
        return f"{sessions}; findings: {', '.join(found) or 'none'}{of}."

    def _row(self, session: Record) -> Sequence[Cell]:
        verdict = verdict_of(session, self._findings.get(session["index"], ()))
        return (
            lambda cell: self._named(cell, session),
            badged(verdict, VERDICT_WORDS[verdict]),
            self._page.words(self._words(session)),
        )

    def _words(self, session: Record) -> str:
        summary: str = self._content.stories[session["index"]]["summary"]
        return summary

    def _named(self, cell: Element, session: Record) -> None:
        target = self._page.places.session(session["index"])
        add(cell, "a", "", f"Session {session['index'] + 1}", href=f"#{target}")
        add(cell, "span", "who", who(session))

    def _rest(self, parent: Element) -> None:
        """List the sessions that are not told in full."""
        content = self._content
        rest = [one for one in content.sessions if one["index"] not in content.told]
        if not rest:
            return
        made = section(parent, "sessions", "All other sessions, a line each", 3)
        add(
            made,
            "p",
            "hint",
            f"Of {amount(len(content.sessions), 'session')} the first {len(content.told)} with "
            "problems are told in full. `xccos report FILE --session N` tells any other.",
        )
        columns = (
            *(Column("session", "num"), Column("user", "wide"), Column("client", "mono")),
            *(Column("commands", "num"), Column("verdict", "wide")),
        )
        classes = "filterable printed-hundred"
        found = table(made, "Sessions", columns, self._lines(rest[:MAX_SESSIONS]), classes)
        found.set("data-noun", "session")
        if len(rest) > PRINTED:
            add(made, "p", "printed-only", f"The first {PRINTED} are printed.")
        if len(rest) > MAX_SESSIONS:
            left = f"{len(rest) - MAX_SESSIONS:,} more sessions: xccos sessions {content.name}"
            add(made, "p", "cut", left)

    def _lines(self, sessions: Sequence[Record]) -> Iterator[Sequence[Cell]]:
        for session in sessions:
            yield (
                _anchor(session["index"]),
                who(session),
                session["client_address"],
                len(session["commands"]),
                _line(session),
            )


def _anchor(index: int) -> Cell:
    def fill(cell: Element) -> None:
        cell.set("id", f"s{index + 1}")
        say(cell, str(index + 1))

    return fill


def _line(session: Record) -> Cell:
    verdict = verdict_of(session, ())
    return badged(verdict, VERDICT_WORDS[verdict], f" {session['verdict']}")


def who(session: Record) -> str:
    """Return whose session it is, as people write it: ``user1@contoso.com``."""
    user: str | None = session["user"]
    return (user or "unknown user").removeprefix("sip:")
