"""``xccos triage``: the main job. How far did each sign-in get, what was slow, what failed."""

from __future__ import annotations

import gc
import sys
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.fail import judge_of
from analyzer.cli.main import color_option
from analyzer.cli.options import fail_option, files_argument
from analyzer.cli.output import destination, encoding_of, format_of, write_lines
from analyzer.cli.reading import Reading
from analyzer.cli.terminal import plain_terminal, terminal_of
from analyzer.cli.triage_text import triage_lines
from analyzer.collector import paused
from analyzer.export.records import to_json
from analyzer.sources.files import STANDARD_INPUT
from analyzer.views.told import tell
from analyzer.views.triage import FORMAT, triage_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from analyzer.cli.terminal import Terminal
    from analyzer.trace import Trace


@click.command(
    epilog="""\b
Examples:
  xccos triage capture.pcapng
  xccos triage *.pcap --format json -o triage.json
  xccos triage capture.pcap --fail-on rejected --fail-on incomplete
"""
)
@files_argument
@click.option("--format", "format_", type=click.Choice(["table", "json"]),
              help="table (text for people, the default) or json.")  # fmt: skip
@click.option("-o", "--output", metavar="FILE", help="Write to a file (.json: as JSON).")
@fail_option
@color_option
def triage(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """Say how far each sign-in got, who answered what, what was slow and what failed.

    For each session: the verdict in words, user, client and front end, the steps of the sign-in,
    rooms, posts and who got copies of them, the slowest commands, findings by severity and what
    failed, with frame numbers. Then what the capture is worth.
    """
    return _Triage(options).run()


class _Triage:
    def __init__(self, options: dict[str, Any]) -> None:
        self._reading = Reading(options["files"], story=True)
        self._output: str | None = options["output"]
        self._format = format_of(options["format_"], self._output)
        self._judge = judge_of(options["fail_on"])
        self._codes = [0]

    def run(self) -> int:
        if self._format not in ("table", "json"):
            raise click.UsageError(f"triage is written as text or JSON, not as {self._format}")
        terminal, encoding = plain_terminal(), "utf-8"
        if self._output in (None, "-"):
            choice = click.get_current_context().meta.get("color", "auto")
            terminal = terminal_of(sys.stdout, choice)
            encoding = "utf-8" if self._format == "json" else encoding_of(sys.stdout)
        lines = self._json() if self._format == "json" else self._text(terminal)
        with self._watched(), destination(self._output, self._reading.files) as write:
            write_lines(lines, write, encoding)
        return max([self._reading.code, *self._codes])

    def _watched(self) -> AbstractContextManager[None]:
        """Show what comes by standard input while it comes, to whoever sits at a terminal."""
        if STANDARD_INPUT not in self._reading.files or not sys.stderr.isatty():
            return nullcontext()
        from analyzer.cli.live_tap import watched_input  # a file needs none of this

        choice = click.get_current_context().meta.get("color", "auto")
        return watched_input(self._reading.files, choice)

    def _records(self, file: str, trace: Trace) -> Iterator[tuple[dict[str, Any], Trace]]:
        with paused():
            record = triage_record(trace, file, whole=self._format == "json")
            gc.freeze()  # as after reading: all that was made stays until it is written
        yield record, trace
        if self._judge is not None:
            self._codes.append(self._judge(file, trace, trace.analysis().pairs))

    def _json(self) -> Iterator[str]:
        yield f'{{"format":{FORMAT},"captures":[\n'
        before = ""
        for record, _ in self._reading.each(self._records):
            yield before + to_json(record)
            before = ",\n"
        yield "\n]}\n"

    def _text(self, terminal: Terminal) -> Iterator[str]:
        before = ""
        for record, trace in self._reading.each(self._records):
            yield before
            with paused():
                filled = partial(tell, trace, record)
                yield from (line + "\n" for line in triage_lines(record, terminal, filled))
            before = "\n"
