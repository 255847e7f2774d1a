"""``xccos findings``, ``rules`` and ``explain``: what is wrong, in the way of a linter.

A condition of ``--fail-on`` looks at the findings that the other options leave.
"""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.exits import OK
from analyzer.cli.fail import findings_judge
from analyzer.cli.main import color_option
from analyzer.cli.options import (
    fields_of,
    files_argument,
    finding_fail_option,
    output_options,
    parsed,
    wireshark_option,
)
from analyzer.cli.output import destination, encoding_of, format_of, write_blocks, write_lines
from analyzer.cli.reading import Reading
from analyzer.cli.table import Column, table
from analyzer.cli.terminal import plain_terminal, terminal_of
from analyzer.diagnostics.codes import explain_number
from analyzer.diagnostics.pages import page
from analyzer.diagnostics.rule import SEVERITIES
from analyzer.diagnostics.select import at_least, chosen, ids_of, thresholds_of
from analyzer.diagnostics.table import RULES, diagnose
from analyzer.export.printable import printable
from analyzer.export.records import (
    array_of_blocks,
    csv_header,
    csv_lines,
    encoded,
    json_array,
    json_lines,
)
from analyzer.views.findings import FIELDS, finding_record, rule_record
from analyzer.views.numbers import amount, frames_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from analyzer.cli.terminal import Terminal
    from analyzer.diagnostics.rule import Finding, Severity
    from analyzer.trace import Trace

MARKS: dict[Severity, tuple[str, str]] = {
    "error": ("failed", "bad"),
    "warning": ("doubtful", "doubtful"),
    "note": ("none", "dim"),
}
"""Symbol and style of each severity."""


@click.command(
    epilog="""\b
Examples:
  xccos findings capture.pcap
  xccos findings *.pcap --severity warning --format jsonl -o findings.jsonl
  xccos findings capture.pcap --select GC1,GC204 --fail-on error
  xccos findings capture.pcap --threshold slow_ms=5000
"""
)
@files_argument
@click.option(
    "--select",
    multiple=True,
    metavar="IDS",
    help="Only these rules: ids or their beginnings, with commas (GC1,GC204).",
)
@click.option("--ignore", multiple=True, metavar="IDS", help="Not these rules.")
@click.option(
    "--severity",
    type=click.Choice(SEVERITIES),
    help="Only findings of this severity or a higher one.",
)
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    metavar="NAME=NUMBER",
    help="From when on something is too much: slow_ms=5000 (names in docs/cli.md).",
)
@output_options
@wireshark_option
@finding_fail_option
def findings(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """List what is wrong: rules with frames, advice and how sure they are.

    Errors first. Each finding has the id of its rule, which `xccos explain` tells more about.
    """
    return _Findings(options).run()


class _Findings:
    def __init__(self, options: dict[str, Any]) -> None:
        self._rules = parsed(lambda given: chosen(*given), (options["select"], options["ignore"]))
        self._thresholds = parsed(thresholds_of, options["thresholds"])
        self._severity: Severity | None = options["severity"]
        self._limit: int | None = options["limit"]
        self._output: str | None = options["output"]
        self._format = format_of(options["format_"], self._output)
        self._fields = fields_of(options["fields"], tuple(FIELDS)) or tuple(FIELDS)
        if options["fields"] and self._format == "table":
            raise click.UsageError("--fields is for --format json, jsonl and csv")
        self._reading = Reading(options["files"], story=True)
        self._several = self._reading.several
        self._judge = findings_judge(options["fail_on"])
        self._codes = [OK]
        self._shown = 0
        self._options = options

    def run(self) -> int:
        if self._options["wireshark_filter"]:
            return self._filters()
        terminal, encoding = plain_terminal(), "utf-8"
        if self._output in (None, "-"):
            choice = click.get_current_context().meta.get("color", "auto")
            terminal = terminal_of(sys.stdout, choice)
            encoding = encoding_of(sys.stdout)
        with destination(self._output, self._reading.files) as write:
            if self._format == "table":
                lines = self._reading.each(lambda file, trace: self._text(file, trace, terminal))
                write_lines((line + "\n" for line in lines), write, encoding)
            else:
                write_blocks(self._blocks(), write)
        return max([self._reading.code, *self._codes])

    def _filters(self) -> int:
        from analyzer.cli.wireshark import print_filters

        def shown(file: str, trace: Trace) -> Iterator[int]:
            return (frame for one in self._found(file, trace) for frame in one.frames)

        code = print_filters(self._options, self._reading, shown, "finding")
        return max([code, *self._codes])

    def _found(self, file: str, trace: Trace) -> list[Finding]:
        found = at_least(diagnose(trace, self._thresholds, rules=self._rules), self._severity)
        if self._judge is not None:
            self._codes.append(self._judge(file, found))
        if self._limit is not None:
            found = found[: max(self._limit - self._shown, 0)]
        self._shown += len(found)
        return found

    def _blocks(self) -> Iterator[bytes]:
        """Yield the list in a format for programs."""
        if self._format == "csv":
            named = ("file", *self._fields) if self._several else self._fields
            yield csv_header(named).encode()
        blocks = self._reading.each(self._lines)
        yield from array_of_blocks(blocks) if self._format == "json" else blocks

    def _lines(self, file: str, trace: Trace) -> Iterator[bytes]:
        records = self._records(file, trace)
        return encoded(csv_lines(records) if self._format == "csv" else json_lines(records))

    def _records(self, file: str, trace: Trace) -> Iterator[dict[str, Any]]:
        for one in self._found(file, trace):
            record = finding_record(trace, one, self._fields)
            yield {"file": file, **record} if self._several else record

    def _text(self, file: str, trace: Trace, terminal: Terminal) -> Iterator[str]:
        found = self._found(file, trace)
        yield terminal.paint(f"{printable(file)}: {summary(found)}", "bold")
        yield from findings_text(found, terminal)
        yield ""


def summary(found: Sequence[Finding]) -> str:
    """Return ``3 findings: 1 error, 2 warnings``."""
    counts = {severity: sum(one.severity == severity for one in found) for severity in SEVERITIES}
    told = ", ".join(amount(count, severity) for severity, count in counts.items() if count)
    return f"{amount(len(found), 'finding')}: {told}" if found else "no findings"


def findings_text(found: Iterable[Finding], terminal: Terminal) -> Iterator[str]:
    """Yield findings as people read them, grouped by severity: mark, id and title, then why."""
    by_severity: dict[Severity, list[Finding]] = {}
    for one in found:
        by_severity.setdefault(one.severity, []).append(one)
    for severity in SEVERITIES:
        if severity in by_severity:
            yield ""
            yield terminal.paint(f"{severity.capitalize()}s", "bold")
        for one in by_severity.get(severity, ()):
            yield from _finding(one, terminal)


def _finding(one: Finding, terminal: Terminal) -> Iterator[str]:
    symbol, style = MARKS[one.severity]
    yield terminal.paint(f"{terminal.symbol(symbol)} {one.rule} {one.title}", style)
    yield from _paragraph(one.detail, terminal)
    about = [frames_text(one.frames)] if one.frames else []
    about += [one.user] if one.user else []
    yield from _paragraph(", ".join([*about, one.confidence]), terminal)
    yield from _paragraph(f"To do: {one.advice}", terminal)


def _paragraph(text: str, terminal: Terminal) -> Iterator[str]:
    indent = "    "
    yield from textwrap.wrap(
        printable(text),
        terminal.width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )


@click.command(epilog="Example: xccos rules --format json")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table",
              help="table (text for people, the default) or json.")  # fmt: skip
@color_option
def rules(format_: str) -> int:
    """List all rules: id, severity and what is wrong."""
    if format_ == "json":
        lines: Iterator[str] = json_array(json_lines(map(rule_record, RULES.values())))
        write_lines(lines, sys.stdout.buffer.write)
        return OK
    terminal = terminal_of(sys.stdout, click.get_current_context().meta.get("color", "auto"))
    columns = (Column("rule", least=5), Column("severity", least=8), Column("what is wrong"))
    cells = ([one.id, one.severity, one.title] for one in RULES.values())
    lines = (line + "\n" for line in table(columns, cells, terminal))
    write_lines(lines, sys.stdout.buffer.write, encoding_of(sys.stdout))
    return OK


@click.command(
    epilog="""\b
Examples:
  xccos explain GC204
  xccos explain 20000
"""
)
@click.argument("what", metavar="ID|NUMBER")
def explain(what: str) -> int:
    """Explain a rule, or a number: ms-diagnostics, SIP status, code of a reply."""
    if what.isascii() and what.isdecimal():
        lines = explain_number(int(what[:10]))
        if not lines:
            raise click.UsageError(f"no table has the number {printable(what)}")
    else:
        ids = parsed(ids_of, what)
        if not ids:
            raise click.UsageError("give the id of a rule, or a number")
        lines = "\n\n".join(page(RULES[one]) for one in ids).split("\n")
    write_lines((line + "\n" for line in lines), sys.stdout.buffer.write, encoding_of(sys.stdout))
    return OK
