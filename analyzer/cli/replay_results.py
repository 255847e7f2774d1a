"""What a play leaves: text, JSON, JUnit, a capture, the comparison with the original, an exit code.

The rule: places are looked at before the play, which may take an hour; nothing is written twice.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from analyzer.cli.exits import FAILED, INTERRUPTED, OK, USAGE
from analyzer.cli.output import destination, encoding_of, write_lines
from analyzer.cli.reading import Reading
from analyzer.cli.terminal import talk, terminal_of
from analyzer.export.printable import printable
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.cli.replay_case import Case
    from analyzer.cli.terminal import Terminal
    from analyzer.compare.values import Comparison
    from analyzer.replay.actions import WireEvent
    from analyzer.replay.told.account import Account
    from analyzer.replay.told.records import Record
    from analyzer.replay.transport.run import Run
    from analyzer.trace import Trace

PLAYED = "play"
"""Name of the capture of a play that is not kept, where it is compared."""


class Played(NamedTuple):
    """A play that is over."""

    account: Account
    events: Sequence[WireEvent] = ()
    """What went over the wire, where somebody asked for it."""
    interrupted: bool = False

    @classmethod
    def of(cls, account: Account, run: Run, *, ends_by_signal: bool = False) -> Played:
        """Return a play that a carrier carried; what its log left out is a remark.

        Args:
            account: of the play.
            run: which it was carried in.
            ends_by_signal: a signal is how such a play ends, and no interruption.
        """
        wire, interrupted = run.wire, bool(run.stop.reason) and not ends_by_signal
        if wire is None:
            return cls(account, interrupted=interrupted)
        if wire.left_out:
            cut = (
                f"the capture ends early: {wire.left_out_bytes:,} bytes more went over the wire "
                "than are kept"
            )
            account = replace(account, remarks=(*account.remarks, cut))
        return cls(account, wire.events, interrupted=interrupted)


@contextmanager
def carried() -> Iterator[None]:
    """Turn what keeps a carrier from beginning into a UsageError."""
    from analyzer.replay.transport.errors import TransportError

    try:
        yield
    except TransportError as error:
        raise click.UsageError(printable(str(error))) from None


class Places:
    """Where the results of one play go."""

    def __init__(self, options: dict[str, Any], inputs: Iterable[str | None]) -> None:
        """Look at the places. Raises UsageError for those that cannot be written."""
        self.inputs = [name for name in (*inputs, options["original"]) if name is not None]
        self.capture: str | None = options["output"]
        self.json: str | None = options["json_file"]
        self.junit: str | None = options["junit"]
        self.original: str | None = options["original"]
        self.verbose: bool = options["verbose"]
        self.quiet: bool = options["quiet"]
        self._timed = options["speed"] == ("recorded", 1.0)
        named = [name for name in (self.capture, self.json, self.junit) if name is not None]
        if len(set(named)) < len(named):
            raise click.UsageError("-o, --json and --junit cannot be written to one place")
        for name in named:
            if name != "-" and not Path(name).absolute().parent.is_dir():
                raise click.UsageError(f"cannot write {name}: there is no such directory")

    @property
    def wire_wanted(self) -> bool:
        """Return whether what goes over the wire is to be kept."""
        return self.capture is not None or self.original is not None

    def run(self, limit: float | None) -> Run:
        """Return what a carrier is to keep of its run."""
        from analyzer.replay.transport.run import Run
        from analyzer.replay.wire import WireLog

        return Run(wire=WireLog(time_ns) if self.wire_wanted else None, limit=limit)

    def write(self, case: Case, played: Played) -> int:
        """Write everything and return the exit code."""
        code = max(case.code, OK if played.account.held else FAILED)
        code = max(code, self._write_capture(played), self._compared(played))
        if self.junit is not None:
            from analyzer.replay.told.junit import junit_xml

            with destination(self.junit, self.inputs) as write:
                write(junit_xml(played.account))
        return INTERRUPTED if played.interrupted else code

    def _compared(self, played: Played) -> int:
        """Write text and JSON, with the comparison where one is wanted."""
        if self.original is None:
            self._write_account(played, None)
            return OK
        reading = Reading([self.original])
        for _ in reading.each(lambda _, trace: self._with_original(trace, played)):
            pass
        if reading.code and not self._told:
            self._write_account(played, None)
        return reading.code

    _told = False

    def _with_original(self, original: Trace, played: Played) -> Iterator[None]:
        from analyzer.replay.capture import wire_capture
        from analyzer.replay.departure import departures, in_memory

        names = (self.original or "", self.capture or PLAYED)
        found: list[Comparison] = []
        try:
            with in_memory(lambda out: wire_capture(played.events, out)) as trace:
                found = list(departures(original, trace, names=names, timed=self._timed))
        except ValueError as error:
            talk(f"xccos: --diff: {printable(str(error))}")
        self._write_account(played, found)
        yield

    def _write_account(self, played: Played, found: Sequence[Comparison] | None) -> None:
        self._told = True
        if self.json is not None:
            from analyzer.replay.told.records import account_record

            record = account_record(played.account, _records(found))
            self._write_json(record)
        if self.quiet or "-" in (self.json, self.junit, self.capture):
            return
        terminal = terminal_of(sys.stdout, click.get_current_context().meta.get("color", "auto"))
        from analyzer.cli.diff_text import diff_lines
        from analyzer.cli.replay_text import account_lines

        lines = list(account_lines(played.account, terminal, verbose=self.verbose))
        for one in found or ():
            if one.meaningful or self.verbose:
                lines += ["", *diff_lines(one, terminal, trivial=self.verbose, all_rows=False)]
            else:
                lines.append(_unchanged(one, terminal))
        with destination(None, ()) as write:
            write_lines((line + "\n" for line in lines), write, encoding_of(sys.stdout))

    def _write_json(self, record: Record) -> None:
        from analyzer.export.records import to_json

        with destination(self.json, self.inputs) as write:
            write_lines((to_json(record), "\n"), write)

    def _write_capture(self, played: Played) -> int:
        """Write what went over the wire, where that is asked for; return an exit code."""
        if self.capture is None:
            return OK
        from analyzer.cli.replay_pcap import output
        from analyzer.replay.capture import CaptureOptions, format_of, wire_capture

        form = CaptureOptions(format=format_of(self.capture))
        try:
            with destination(self.capture, self.inputs) as write:
                summary = wire_capture(played.events, output(write), form)
        except ValueError as error:  # the other results are worth having all the same
            talk(f"xccos: {printable(self.capture)}: {printable(str(error))}")
            return USAGE
        if not self.quiet:
            for told in (amount(summary.frames, "frame"), *summary.notes):
                talk(f"xccos: {printable(self.capture)}: {printable(told)}")
        return OK


def _unchanged(one: Comparison, terminal: Terminal) -> str:
    whose = f"session {one.a.session + 1} ({one.a.user or 'unknown user'}) of {one.a.file}"
    text = f"{terminal.symbol('ok')} as in the original: {whose}"
    return terminal.paint(printable(text), "good")


def _records(found: Sequence[Comparison] | None) -> list[Record] | None:
    if found is None:
        return None
    from analyzer.replay.departure import departure_records

    return departure_records(iter(found))
