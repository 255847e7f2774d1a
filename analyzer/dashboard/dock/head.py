"""What a message is, where it belongs, and what comes before and after it: all of it links."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from analyzer.markup import add, badge, facts, say
from analyzer.meaning import outline
from analyzer.moments import Moments
from analyzer.times import duration_text, latency_text
from analyzer.views.annotations import annotations_record
from analyzer.views.inputs import sightings_record, unseen_names
from analyzer.views.numbers import amount, frames_text
from analyzer.views.told import VERDICT_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.dashboard.desk import Desk
    from analyzer.dashboard.dock.message import Docked, StepOf
    from analyzer.diagnostics.rule import Finding
    from analyzer.markup import Cell, Element
    from analyzer.sessions.view import SessionView

Record = dict[str, Any]
SHOWN = 12
"""Commands, findings, steps or hops of one message that are listed; an INFO may carry hundreds."""
CLOSED: dict[str, None] = {"message": None, "tab": None, "part": None}
"""What the address does not need without a message."""
IN_HEADERS = ("Request-URI", "CSeq", "Call-ID")
"""What ends the words of a ladder for a message: the headers have it whole."""
TONED = {"good": "ok", "bad": "failed", "doubtful": "slow"}
"""Tone of a message in the ladder to the word whose sign it has."""


class Head:
    """Draws all that stands above the parts of a message."""

    def __init__(self, desk: Desk, docked: Docked) -> None:
        self._desk, self._docked = desk, docked
        self._trace = docked.case.trace

    def draw(self, parent: Element) -> None:
        """Draw it."""
        self._title(parent)
        facts(parent, self._what())
        self._noticed(parent)
        facts(parent, self._where(), "facts dock-where")
        self._beside(parent)

    def _go(self, parent: Element, row: int, text: str) -> None:
        add(parent, "a", "", text, href=self._desk.href(message=row, part=None))

    def _title(self, parent: Element) -> None:
        docked = self._docked
        made = add(parent, "header", "dock-title")
        words = add(made, "h2")
        tone = docked.stage.labels.tone(docked.row)
        word = TONED.get(tone)
        if word is not None:
            badge(words, word, "" if word == "ok" else "error" if word == "failed" else "remark")
            say(words, " ")
        add(words, "span", "", docked.words(docked.row))
        close = add(made, "a", "dock-close", "✕ Close", href=self._desk.href(**CLOSED))
        close.set("title", "Close the message (Escape)")
        sender, target = docked.stage.ends(docked.row)
        way = add(parent, "p", "dock-way")
        add(way, "strong", text=sender)
        say(way, " → ")
        add(way, "strong", text=target)
        marks, _ = docked.stage.labels.marks(docked.row)
        for mark in marks:
            say(way, " ")
            badge(way, "slow", mark)

    def _what(self) -> Iterator[tuple[str, Cell]]:
        docked, trace = self._docked, self._trace
        stream = docked.stream
        yield "Time", self._time()
        size = amount(len(docked.raw), "byte")
        number = f"message {docked.row:,} of {len(trace.rows):,}"
        yield "Frames", f"{frames_text(docked.frames)}, {size}, {number}"
        yield "Way", f"{stream.src} → {stream.dst}, {self._transport()}"
        yield "In words", self._words()
        yield from self._sightings()

    def _words(self) -> str:
        """Return what it says beyond its title: reasons, codes; not what its headers say too."""
        label = self._docked.words(self._docked.row)
        text = self._docked.stage.labels.text(self._docked.row, label)
        for name in IN_HEADERS:
            text = text.partition(f", {name} ")[0]
        return text.removeprefix(label).lstrip(", ")

    def _time(self) -> Cell:
        time = self._docked.time
        if time is None:
            return "unknown: the capture gives its frame no time"
        moments = self._desk.moments
        name = moments.name(time)
        text = f"{moments.text(time)} {name}"
        if name != "UTC":
            text += f" ({Moments().text(time)[11:]} UTC)"
        view = self._session_view()
        since = self._trace.rows.time[self._docked.row] - (view.started if view else 0)
        if view and since >= 0:
            text += f", {duration_text(since)} after the session began"
        return text

    def _session_view(self) -> SessionView | None:
        session = self._docked.session
        return None if session is None else self._docked.case.views[session]

    def _transport(self) -> str:
        transport = self._docked.stream.transport
        if transport != "tls":
            return transport.upper()
        if self._trace.has_lines:
            return "TLS, as the trace says"
        return "TLS, decrypted with the keys that were given"

    def _sightings(self) -> Iterator[tuple[str, Cell]]:
        """Yield where several inputs saw it and how much later, and which did not."""
        trace, row = self._trace, self._docked.row
        records = sightings_record(trace, row)
        seen = trace.sightings(row)
        for number, one in enumerate(records[:SHOWN]):
            later = seen[number].time_ns - seen[0].time_ns if number < len(seen) else 0
            unsure = trace.unsure(seen[number], seen[0]) if number < len(seen) else 0
            text = f"{one['input']}, {one['unit']} {one['number']}"
            if number and abs(later) <= unsure:
                text += ", at the same time as far as the clocks tell"
            elif number:
                text += f", {latency_text(later / 1e6)} later"
            yield "Seen in", text
        missing = unseen_names(trace, row)
        if missing:
            yield "Not seen in", ", ".join(missing)

    def _noticed(self, parent: Element) -> None:
        docked = self._docked
        said = [
            f"the trace says in line {one['line']}: {one['severity']}: {one['text']}"
            for one in annotations_record(self._trace, docked.row)
        ]
        noticed = [*docked.noticed, *said]
        if not noticed:
            return
        add(parent, "h3", text="Noticed")
        self._desk.page.points(parent, noticed[:SHOWN], "dock-noticed")
        if len(noticed) > SHOWN:
            add(parent, "p", "cut", f"{len(noticed) - SHOWN} more: xccos show lists all")

    def _where(self) -> Iterator[tuple[str, Cell]]:
        yield from self._of_session()
        yield from self._of_transaction()
        yield from self._of_commands()
        yield from self._of_flow()
        yield from self._hops()

    def _of_session(self) -> Iterator[tuple[str, Cell]]:
        view, dialog = self._session_view(), self._docked.belongs["dialog"]
        if view is not None:
            yield "Session", partial(self._session, view)
        if dialog is not None:
            yield "Dialog", partial(self._dialog, dialog)

    def _session(self, view: SessionView, cell: Element) -> None:
        desk, verdict = self._desk, self._docked.case.verdict(view.index)
        badge(cell, verdict, VERDICT_WORDS[verdict])
        say(cell, " ")
        href = desk.href(session=view.index, view="sessions")
        add(cell, "a", "", f"{view.index + 1}: {view.user or 'unknown user'}", href=href)
        say(cell, ", its ")
        add(cell, "a", "", "ladder", href=desk.href(session=view.index, view="ladder"))

    def _dialog(self, dialog: Record, cell: Element) -> None:
        wanted = f"dialog:#{dialog['index']}"
        href = self._desk.href(view="messages", filter=wanted, part=None)
        add(cell, "a", "", f"#{dialog['index']} {dialog['role']}", href=href)
        say(cell, ", since ")
        self._desk.page.prose(cell, dialog["evidence"])

    def _of_transaction(self) -> Iterator[tuple[str, Cell]]:
        found = self._docked.belongs["transaction"]
        if found is not None:
            yield "Transaction", partial(self._transaction, found)

    def _transaction(self, found: Record, cell: Element) -> None:
        self._message(cell, found["request"], f"{found['method']} request", "not captured")
        if found["status"] is None:
            say(cell, ", no final answer" if found["expects_answer"] else ", needs no answer")
        else:
            say(cell, ", ")
            self._message(cell, found["final"], f"answer {found['status']}", "")
        if found["latency_ms"] is not None:
            say(cell, f" after {latency_text(found['latency_ms'])}")
        sent = outline(self._trace).transactions[found["index"]]
        for words, rows in (
            ("sent again", sent.retransmissions),
            ("provisional", sent.provisional),
            ("answered again", sent.repeated_finals),
            ("ACK", sent.acks),
        ):
            for one in rows[:SHOWN]:
                say(cell, ", ")
                self._message(cell, one, words, "")

    def _message(self, cell: Element, row: int | None, words: str, missing: str) -> None:
        """Add a link to a message; plain words for the one that is shown."""
        if row is None:
            say(cell, f"{words} {missing}".rstrip())
        elif row == self._docked.row:
            say(cell, f"{words} (this one)")
        else:
            self._go(cell, row, f"{words} (frame {self._trace.rows.frame[row]})")

    def _of_commands(self) -> Iterator[tuple[str, Cell]]:
        commands = self._docked.belongs["commands"]
        for one in commands[:SHOWN]:
            name = "Post" if one["command"] == "grpchat" else "Command"
            yield name, partial(self._command, one)
        if len(commands) > SHOWN:
            yield "Commands", f"{len(commands) - SHOWN:,} more in this message"

    def _command(self, one: Record, cell: Element) -> None:
        badge(cell, one["outcome"])
        say(cell, " ")
        self._message(cell, one["message"], one["command"], "not captured")
        for reply in one["replies"][:SHOWN]:
            say(cell, ", ")
            words = f"{reply['id']} {reply['code'] or ''}".rstrip()
            self._message(cell, reply["message"], words, "")
            if reply["latency_ms"] is not None:
                say(cell, f" after {latency_text(reply['latency_ms'])}")
        if not one["replies"]:
            say(cell, ", ")
            self._desk.page.prose(cell, one["detail"])

    def _of_flow(self) -> Iterator[tuple[str, Cell]]:
        docked = self._docked
        for one in docked.steps[:SHOWN]:
            yield "Step", partial(self._step, one)
        findings = docked.findings
        for number in findings[:SHOWN]:
            yield "Finding", partial(self._finding, docked.case.diagnosed[number])
        if len(findings) > SHOWN:
            yield "Findings", f"{len(findings) - SHOWN:,} more: the page Findings has all"

    def _step(self, one: StepOf, cell: Element) -> None:
        badge(cell, one.step.status)
        say(cell, " ")
        text = f"{one.run.flow} step {one.step.id} {one.step.title}"
        add(cell, "a", "", text, href=self._desk.href(view="flow", session=one.run.session))
        if one.step.detail:
            say(cell, ": ")
            self._desk.page.prose(cell, one.step.detail)

    def _finding(self, one: Finding, cell: Element) -> None:
        badge(cell, one.severity)
        say(cell, " ")
        href = self._desk.href(view="findings", rule=one.rule, session=one.session)
        add(cell, "a", "", f"{one.rule} {one.title}", href=href)

    def _hops(self) -> Iterator[tuple[str, Cell]]:
        """Yield all sightings of the same message, on the way from host to host."""
        rows = self._docked.hops
        if len(rows) < 2:
            return
        for number, row in enumerate(rows[:SHOWN]):
            yield f"Hop {number + 1}", partial(self._hop, row, rows[0])
        if len(rows) > SHOWN:
            yield "Hops", f"{len(rows) - SHOWN:,} more"

    def _hop(self, row: int, first: int, cell: Element) -> None:
        rows = self._trace.rows
        stream = self._trace.streams[rows.stream[row]]
        self._message(cell, row, f"{stream.src} → {stream.dst}", "")
        later = latency_text((rows.time[row] - rows.time[first]) / 1e6)
        say(cell, ", first" if row == first else f", {later} after the first")

    def _beside(self, parent: Element) -> None:
        found = self._docked.beside()
        if not found:
            return
        made = add(parent, "nav", "dock-beside", aria_label="Messages before and after")
        for one in found:
            line = add(made, "p")
            add(line, "span", "soft", f"In the {one.order}: ")
            for sign, row in (("← ", one.before), ("→ ", one.after)):
                if row is not None:
                    frame = self._trace.rows.frame[row]
                    self._go(line, row, f"{sign}frame {frame} {self._docked.words(row)}")
                    say(line, " ")
        line = add(made, "p")
        href = self._desk.href(view="compare", tab="messages", a=self._docked.row)
        add(line, "a", "", "Compare it with another message", href=href)
