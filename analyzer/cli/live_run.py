"""One run of ``xccos live``: from the first packet to the final triage."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from time import monotonic, monotonic_ns
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.exits import DAMAGED, FAILED, OK, USAGE
from analyzer.cli.fail import findings_judge
from analyzer.cli.live_input import InputError, Interfaces, Piped
from analyzer.cli.live_text import JsonView, LogView
from analyzer.cli.live_watch import TICK, Interrupt, Until, Watch
from analyzer.cli.reading import Reading
from analyzer.cli.terminal import talk, terminal_of
from analyzer.cli.triage_text import triage_lines
from analyzer.export.printable import printable
from analyzer.live.growing import LATE_NS, Growing
from analyzer.live.privileges import (
    StillPrivilegedError,
    give_up_root,
    is_root,
    load_what_is_needed,
)
from analyzer.live.ring import CANNOT_WRITE, Kept
from analyzer.sources.files import SourceError
from analyzer.sources.live import PATIENCE, Inflow
from analyzer.trace import open_capture
from analyzer.views.numbers import size_text
from analyzer.views.quality import damage
from analyzer.views.told import tell
from analyzer.views.triage import triage_record

if TYPE_CHECKING:
    from analyzer.cli.live_input import Input
    from analyzer.cli.live_status import View
    from analyzer.trace import Trace


class LiveRun:
    """Runs with the options of the command."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._judge = findings_judge(options["fail_on"])
        self._until = Until(options["wanted"], options["seconds"])
        meta = click.get_current_context().meta
        meta["index"] = False  # there is none of what has just come
        self._terminal = terminal_of(sys.stdout, meta.get("color", "auto"))
        drawn = "table" if sys.stdout.isatty() else "text"
        self._format = options["format_"] or drawn
        self._code = OK
        self._why_not = ""
        """Why a place may not be writable."""
        self._unwatched = False
        self._end: int | None = None
        """When it ended, by the clock of the capture."""

    def run(self) -> int:
        """Capture, show, tell; return the exit code."""
        try:
            with ExitStack() as stack:
                return self._run(stack)
        except InputError as failed:
            talk(f"xccos: {printable(str(failed))}")
            return failed.code
        except (SourceError, StillPrivilegedError) as error:
            talk(f"xccos: {printable(str(error))}")
            return DAMAGED
        except (click.ClickException, BrokenPipeError):
            raise
        except Exception as error:  # nothing that comes must lead to a traceback
            if os.environ.get("XCCOS_DEBUG") == "1":
                raise
            fault = f"{type(error).__name__}: {error}"
            talk(f"xccos: a fault in xccos, please report it ({printable(fault)})")
            return DAMAGED

    def _run(self, stack: ExitStack) -> int:
        source = self._source()
        stack.callback(source.close)
        if isinstance(source, Interfaces):
            self._give_up_root()
        kept = self._kept(source, stack)
        growing = stack.enter_context(Growing(source.name))
        inflow = Inflow(source.reader(), None if kept is None else kept.write)
        inflow.start()
        stack.callback(inflow.stop)
        self._say(source.begun(inflow), kept)
        view = self._view()
        watch = Watch(growing, view, keep=self._options["keep"])
        try:
            reason = self._follow(watch, inflow, source, kept)
        finally:
            watch.close()
        self._told(reason, source.name)
        with self._final(growing, kept) as trace:
            self._show(trace, reason, watch, view)
        return self._code

    # beginning

    def _give_up_root(self) -> None:
        if not is_root():
            return
        load_what_is_needed()
        if self._format == "table":
            from analyzer.cli.live_table import warm_up

            warm_up()
        user = give_up_root()
        talk(f"xccos: root is given up, this is {printable(user)} now")
        self._why_not = f" (root was given up: it is written as {user}; sudo gives it to who calls)"

    def _source(self) -> Input:
        if self._options["source"] is not None:
            return Piped(self._options["source"], follow=self._options["follow"])
        return Interfaces(
            self._options["names"],
            self._options["capture_filter"],
            promiscuous=not self._options["no_promiscuous"],
        )

    def _kept(self, source: Input, stack: ExitStack) -> Kept | None:
        if not source.kept:
            return None
        kept = Kept(self._options["target"], self._options["ring"], _stamp)
        stack.callback(kept.close)
        try:
            kept.open()
        except SourceError as error:
            raise InputError(f"{error}{self._why_not}", USAGE) from None
        return kept

    def _say(self, begun: str, kept: Kept | None) -> None:
        where = ""
        if kept is not None:
            bound = "" if kept.limit is None else f" (the newest {size_text(kept.limit)})"
            until = ", deleted at the end: -w FILE keeps it" if kept.temporary else ""
            where = f"; kept in {kept.where}{bound}{until}"
        talk(f"xccos: {printable(begun + where)}")

    def _view(self) -> View:
        if self._format == "jsonl":
            return JsonView(_write)
        if self._format == "table" and sys.stdout.isatty():
            from analyzer.cli.live_table import TableView

            return TableView(sys.stdout, self._terminal)
        return LogView(_write, self._terminal)

    # while it runs

    def _follow(self, watch: Watch, inflow: Inflow, source: Input, kept: Kept | None) -> str:
        """Follow to the end; return why it ended."""
        with Interrupt() as interrupt:
            reason = ""
            while not reason:
                self._take(watch, inflow)
                if watch.turn():
                    reason = self._until.met(watch.changes) or ""
                reason = reason or self._over(watch, inflow, interrupt, kept)
            there = watch.growing.clock.there(monotonic_ns())
            by_us = not inflow.ended
            self._end = there - LATE_NS if there is not None and by_us else None
            self._drain(watch, inflow, source)
            watch.dropped, problem = source.ended()
            if watch.dropped is None and kept is not None:
                watch.dropped = kept.dropped
            if problem is not None and reason == "ended":
                reason = problem  # nobody asked for this end
            elif problem is not None:
                talk(f"xccos: {printable(problem)}")
            if kept is not None:
                kept.finish(cut=not by_us)
            if not by_us:
                watch.growing.finish()
                self._foreign(watch)
            watch.look(last=True)
            return self._until.met(watch.changes) or reason

    def _take(self, watch: Watch, inflow: Inflow) -> None:
        data = inflow.take(TICK)
        watch.behind = inflow.behind
        if data:
            watch.feed(data)
        self._foreign(watch)

    def _foreign(self, watch: Watch) -> None:
        """Say once that what comes is nothing that can be watched."""
        if watch.growing.foreign and not self._unwatched:
            self._unwatched = True
            name = printable(watch.growing.name)
            talk(f"xccos: {name}: only pcap and pcapng can be watched: it is told at the end")

    def _over(self, watch: Watch, inflow: Inflow, interrupt: Interrupt, kept: Kept | None) -> str:
        """Return why it is over; nothing while it goes on."""
        seconds = self._until.seconds
        if interrupt.asked:
            return "interrupted"
        if kept is not None and kept.problem is not None:
            return kept.problem
        if watch.growing.stopped is not None:
            return watch.growing.stopped
        if inflow.ended:
            return inflow.problem or "ended"
        return "--for is over" if seconds is not None and watch.elapsed >= seconds else ""

    def _drain(self, watch: Watch, inflow: Inflow, source: Input) -> None:
        """Let the source end, and take what it still had."""
        source.stop()
        deadline = monotonic() + PATIENCE
        if isinstance(source, Interfaces):
            while not inflow.ended and monotonic() < deadline:
                self._take(watch, inflow)
        inflow.stop()
        while inflow.behind and watch.growing.stopped is None:
            self._take(watch, inflow)

    # the end

    def _told(self, reason: str, name: str) -> None:
        if reason in ("interrupted", "ended", "--for is over"):
            return
        talk(f"xccos: {printable(name)}: {printable(reason)}")
        if reason.startswith(CANNOT_WRITE):
            self._code = USAGE
        else:
            self._code = FAILED if reason.startswith("--until ") else DAMAGED

    def _final(self, growing: Growing, kept: Kept | None) -> Trace:
        """Return the trace that the final triage is of: the whole capture, where it is on disk."""
        path = growing.name if kept is None else kept.whole
        if path is None and kept is not None and kept.problem is None:
            talk(
                "xccos: the beginning is no longer on disk: the triage is of what was kept in mind,"
                " frames are counted from the beginning of the capture, TLS is not decrypted"
            )
        if path is None:
            growing.finish()
            return growing.snapshot()
        try:
            return Reading([str(path)]).opened(str(path))
        except SourceError as error:  # the keys cannot be read, perhaps since root was given up
            talk(f"xccos: {printable(str(error))}")
            self._code = max(self._code, DAMAGED)
            return open_capture(path, index=False)

    def _show(self, trace: Trace, reason: str, watch: Watch, view: View) -> None:
        last = trace.quality.last_time
        if self._end is not None and last is not None:
            # It was listened until then: what did not come by then did not come.
            trace.quality = replace(trace.quality, last_time=max(last, self._end))
        name = watch.growing.name
        whole = isinstance(view, JsonView)
        record = triage_record(trace, name, whole=whole)
        if isinstance(view, JsonView):
            view.record(_end_record(reason, watch, record))
        else:
            _write("\n")
            for line in triage_lines(record, self._terminal, partial(tell, trace, record)):
                _write(line + "\n")
        if watch.dropped:
            talk(f"xccos: {printable(name)}: {watch.dropped} packets were dropped by the capture")
        self._judged(trace, name)

    def _judged(self, trace: Trace, name: str) -> None:
        from analyzer.diagnostics.table import diagnose

        if self._judge is not None:
            self._code = max(self._code, self._judge(name, diagnose(trace)))
        if trace.quality.damaged:
            talk(f"xccos: {printable(name)}: {printable(damage(trace.quality))}")
            self._code = max(self._code, DAMAGED)


def _end_record(reason: str, watch: Watch, record: dict[str, Any]) -> dict[str, Any]:
    growing = watch.growing
    return {
        "event": "end",
        "reason": reason,
        # Of what could not be watched the triage has counted.
        "frames": record["frames"] if growing.foreign else growing.frames,
        "messages": record["messages"] if growing.foreign else growing.messages,
        "bytes": growing.bytes,
        "dropped": watch.dropped,
        "tls_dark": growing.dark,
        "let_go": growing.let._asdict(),
        "triage": record,
    }


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        if text.endswith("\n"):
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is buffered would be written again at the end, and fail again.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        reason = f"{CANNOT_WRITE} standard output: {error.strerror}"
        raise InputError(reason, USAGE) from None


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y%m%d%H%M%S")
