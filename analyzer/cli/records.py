"""A command that makes records of captures and writes them as text or as one JSON array."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.output import destination, encoding_of, format_of, write_lines
from analyzer.cli.reading import Reading
from analyzer.cli.terminal import plain_terminal, talk, terminal_of
from analyzer.collector import paused
from analyzer.export.printable import printable
from analyzer.export.records import json_array, json_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.cli.terminal import Terminal
    from analyzer.trace import Trace

Record = dict[str, Any]
FORMATS = ("table", "json", "jsonl")


def record_options(command: Any) -> Any:  # noqa: ANN401  (click's decorators)
    """Add ``--format`` and ``-o`` to a command."""
    for option in (
        click.option("-o", "--output", metavar="FILE", help="Write to a file (.json, .jsonl)."),
        click.option("--format", "format_", type=click.Choice(FORMATS),
                     help="table (text for people, the default), json or jsonl."),
    ):  # fmt: skip
        command = option(command)
    return command


class Records:
    """One run of such a command."""

    def __init__(
        self,
        options: dict[str, Any],
        noun: str,
        records: Callable[[Trace], Iterator[Record]],
        lines: Callable[[Record, Terminal], Iterator[str]],
    ) -> None:
        self._reading = Reading(options["files"], story=True)
        self._several = self._reading.several
        self._output: str | None = options["output"]
        self._format = format_of(options["format_"], self._output)
        self._noun, self._records, self._lines = noun, records, lines
        self._shown = 0

    def run(self) -> int:
        """Write what there is; return the exit code."""
        if self._format not in FORMATS:
            raise click.UsageError(f"this is written as text or JSON, not as {self._format}")
        terminal, encoding = plain_terminal(), "utf-8"
        if self._output in (None, "-") and self._format == "table":
            choice = click.get_current_context().meta.get("color", "auto")
            terminal, encoding = terminal_of(sys.stdout, choice), encoding_of(sys.stdout)
        with destination(self._output, self._reading.files) as write:
            write_lines(self._written(terminal), write, encoding)
        if not self._shown and not self._reading.code:
            talk(f"xccos: no {self._noun} matches")
        return self._reading.code

    def _written(self, terminal: Terminal) -> Iterator[str]:
        if self._format == "table":
            return self._text(terminal)
        lines = json_lines(self._reading.each(self._each))
        return json_array(lines) if self._format == "json" else lines

    def _each(self, file: str, trace: Trace) -> Iterator[Record]:
        with paused():
            for record in self._records(trace):
                self._shown += 1
                yield {"file": file, **record} if self._several else record

    def _text(self, terminal: Terminal) -> Iterator[str]:
        for at, record in enumerate(self._reading.each(self._each)):
            if at:
                yield "\n"
            if self._several:
                yield terminal.paint(printable(record["file"]), "bold") + "\n"
            yield from (line + "\n" for line in self._lines(record, terminal))
