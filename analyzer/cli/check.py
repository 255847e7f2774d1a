"""``xccos check``: captures held against the assertions of a rules file, for people and for CI."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING, Any

import click

from analyzer.checks.judge import judge
from analyzer.checks.load import load_rules
from analyzer.checks.records import result_record, sentences
from analyzer.cli.exits import FAILED, OK, USAGE
from analyzer.cli.main import color_option
from analyzer.cli.options import files_argument
from analyzer.cli.output import destination, encoding_of, format_of, write_lines
from analyzer.cli.reading import Reading
from analyzer.cli.terminal import plain_terminal, talk, terminal_of
from analyzer.export.printable import printable
from analyzer.export.records import json_array, json_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.checks.spec import Rules
    from analyzer.checks.values import Result, Status
    from analyzer.cli.terminal import Terminal
    from analyzer.trace import Trace

FORMATS = ("table", "json", "jsonl")
SHOWN = 10
"""Sentences that the text has of one check; JSON and JUnit have more."""
_LOOK: dict[Status, tuple[str, str]] = {
    "passed": ("ok", "good"),
    "failed": ("failed", "bad"),
    "skipped": ("unknown", "doubtful"),
    "not-applicable": ("none", "dim"),
}
"""Symbol and style of each status."""


@click.command(
    epilog="""\b
Examples:
  xccos check rules.toml capture.pcap
  xccos check rules.toml *.pcapng --junit results.xml
  xccos check rules.toml capture.pcap --strict --format jsonl

docs/check.md says what a rules file can hold; docs/examples/rules.toml is one to start from.
"""
)
@click.argument("rules", metavar="RULES", type=click.Path(exists=True, dir_okay=False))
@files_argument
@click.option("--format", "format_", type=click.Choice(FORMATS),
              help="table (text for people, the default), json or jsonl.")  # fmt: skip
@click.option("-o", "--output", metavar="FILE", help="Write to a file (.json, .jsonl).")
@click.option("--junit", metavar="FILE", help="Write JUnit XML too: a suite for each capture.")
@click.option("--strict", is_flag=True,
              help="What a capture cannot tell counts as failed.")  # fmt: skip
@color_option
def check(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """Hold captures against the checks of a rules file (TOML).

    Each check is passed, failed, skipped (the capture cannot tell) or not applicable (the capture
    has nothing of the kind). Exits with 1 when one failed, with 2 when the rules cannot be read.
    """
    try:
        rules = load_rules(options["rules"])
    except (ValueError, OSError) as error:
        reason = getattr(error, "strerror", None)
        told = f"{options['rules']}: {reason}" if reason else str(error)
        talk(f"xccos: {printable(told)}")
        return USAGE
    return _Checking(options, rules).run()


class _Watched(Reading):
    """A reading that remembers what went wrong with which capture."""

    def __init__(self, files: Sequence[str]) -> None:
        super().__init__(files)
        self.troubles: list[tuple[str, str]] = []

    def say(self, file: str, reason: str) -> None:
        self.troubles.append((file, reason))
        super().say(file, reason)


class _Checking:
    def __init__(self, options: dict[str, Any], rules: Rules) -> None:
        self._rules = rules
        self._strict: bool = options["strict"]
        self._junit: str | None = options["junit"]
        self._output: str | None = options["output"]
        self._format = format_of(options["format_"], self._output)
        if self._format not in FORMATS:
            raise click.UsageError(f"this is written as text or JSON, not as {self._format}")
        if self._junit is not None and self._junit == (self._output or "-"):
            raise click.UsageError("--junit and -o cannot be written to one place")
        self._reading = _Watched(options["files"])
        self._results: list[tuple[str, Sequence[Result]]] = []
        self._inputs = (*options["files"], options["rules"])

    def run(self) -> int:
        terminal, encoding = plain_terminal(), "utf-8"
        if self._output in (None, "-") and self._format == "table":
            choice = click.get_current_context().meta.get("color", "auto")
            terminal, encoding = terminal_of(sys.stdout, choice), encoding_of(sys.stdout)
        with destination(self._output, self._inputs) as write:
            write_lines(self._written(terminal), write, encoding)
        if self._junit is not None:
            from analyzer.checks.junit import junit_xml

            with destination(self._junit, self._inputs) as write:
                write(junit_xml(self._results, self._reading.troubles))
        failed = any(one.status == "failed" for _, several in self._results for one in several)
        return max(self._reading.code, FAILED if failed else OK)

    def _written(self, terminal: Terminal) -> Iterator[str]:
        if self._format == "table":
            return self._text(terminal)
        records = (result_record(file, one) for file, several in self._each() for one in several)
        lines = json_lines(records)
        return json_array(lines) if self._format == "json" else lines

    def _each(self) -> Iterator[tuple[str, Sequence[Result]]]:
        def judged(file: str, trace: Trace) -> Iterator[tuple[str, Sequence[Result]]]:
            results = judge(trace, self._rules, strict=self._strict)
            self._results.append((file, results))
            yield file, results

        return self._reading.each(judged)

    def _text(self, terminal: Terminal) -> Iterator[str]:
        for at, (file, results) in enumerate(self._each()):
            if at:
                yield "\n"
            yield terminal.paint(f"{printable(file)}: {_counted(results)}", "bold") + "\n"
            for one in results:
                yield from (line + "\n" for line in _lines(one, terminal))


def _counted(results: Sequence[Result]) -> str:
    """Return ``3 passed, 1 failed``."""
    counts = {status: sum(one.status == status for one in results) for status in _LOOK}
    told = [f"{count} {status.replace('-', ' ')}" for status, count in counts.items() if count]
    return ", ".join(told)


def _lines(one: Result, terminal: Terminal) -> Iterator[str]:
    symbol, style = _LOOK[one.status]
    word = one.status.replace("-", " ")
    head = f"{terminal.symbol(symbol)} {word}: {one.check.name}: {one.summary}"
    for line in _wrapped(head, terminal, "  "):
        yield terminal.paint(line, style)
    told = sentences(one.evidence)
    for sentence in told[:SHOWN]:
        yield from _wrapped(sentence, terminal, "      ")
    if len(told) > SHOWN:
        yield f"      and {len(told) - SHOWN} more (--format json has them)"


def _wrapped(text: str, terminal: Terminal, indent: str) -> list[str]:
    return textwrap.wrap(
        printable(text),
        terminal.width,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_on_hyphens=False,
    )
