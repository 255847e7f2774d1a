"""``xccos diff``: in what two sessions differ, the first thing first."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.diff_text import diff_lines
from analyzer.cli.exits import FAILED, OK
from analyzer.cli.main import color_option
from analyzer.cli.options import reading_options
from analyzer.cli.output import destination, encoding_of, write_lines
from analyzer.cli.reading import Reading
from analyzer.cli.terminal import plain_terminal, talk, terminal_of
from analyzer.collector import paused
from analyzer.compare.compare import compare
from analyzer.compare.pairing import Choice, pairings
from analyzer.compare.records import FORMAT, comparison_record, session_record
from analyzer.compare.values import DEFAULTS, KINDS, Thresholds
from analyzer.export.printable import printable
from analyzer.export.records import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.cli.terminal import Terminal
    from analyzer.compare.pairing import Pairings
    from analyzer.compare.values import Comparison
    from analyzer.trace import Trace

LADDERS = ("svg", "html", "png", "pdf", "mmd", "puml")
FORMATS = ("txt", "json", "ladder", *LADDERS)
SUFFIXES = {".txt": "txt", ".json": "json", ".htm": "html"} | {f".{one}": one for one in LADDERS}


@click.command(
    epilog="""\b
Examples:
  xccos diff good.pcap bad.pcap
  xccos diff good.pcap bad.pcap --user ann -o difference.html
  xccos diff capture.pcap --session 1 --session 2
  xccos diff monday.pcap tuesday.pcap --all --fail-on divergence
"""
)
@click.argument("files", metavar="A [B]", nargs=-1, required=True, type=click.Path())
@click.option("--session-a", type=click.IntRange(min=1), metavar="N",
              help="Session of A, as `xccos triage` counts them from 1.")  # fmt: skip
@click.option("--session-b", type=click.IntRange(min=1), metavar="N", help="Session of B.")
@click.option("--session", "numbers", multiple=True, type=click.IntRange(min=1), metavar="N",
              help="Twice, for two sessions of one capture.")  # fmt: skip
@click.option("--user", "whose", multiple=True, metavar="WHO",
              help="Only sessions of this URI, address or the part before the @; * stands for any "
              "characters.")  # fmt: skip
@click.option("--all", "every", is_flag=True,
              help="Compare every session with that of the same user in B.")  # fmt: skip
@click.option("--all-rows", is_flag=True, help="Show the table of all aligned exchanges.")
@click.option("--trivial", is_flag=True,
              help="Show what others or the length of the capture decide, too.")  # fmt: skip
@click.option("--ignore", "ignored", multiple=True, type=click.Choice(KINDS),
              help="Leave out divergences of a kind; repeatable.")  # fmt: skip
@click.option("--latency-factor", type=click.FloatRange(min=1.0), metavar="X",
              default=DEFAULTS.latency_factor, show_default=True,
              help="Latencies differ where one is so many times the other,")  # fmt: skip
@click.option("--latency-ms", type=click.FloatRange(min=0.0), metavar="MS",
              default=DEFAULTS.latency_ms, show_default=True,
              help="and so many milliseconds more.")  # fmt: skip
@click.option("-o", "--output", metavar="FILE",
              help="Write to a file: .txt .json, as a ladder .svg .html .png .pdf .mmd "
              ".puml.")  # fmt: skip
@click.option("--format", "format_", type=click.Choice(FORMATS),
              help="Default: by the suffix of -o, else txt; ladder is the ladder as "
              "text.")  # fmt: skip
@click.option("--fail-on", "fail_on", multiple=True, type=click.Choice(["divergence", "major"]),
              help="Exit with 1 when there is a divergence that is not trivial, or a major "
              "one.")  # fmt: skip
@reading_options
@color_option
def diff(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """Compare two sessions, of two captures or of one, by flow step and command.

    What always differs is left out: tags, ids, times, tokens, addresses; users, domains and rooms
    stand for one another by their roles. First comes the first divergence, then all of them, with
    frames of both sides. What one capture cannot tell is said, and is no divergence. Without
    --session and --user the first sessions of the same user are compared, else the first sign-ins.
    """
    return _Diff(options).run()


class _Diff:
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._files: tuple[str, ...] = options["files"]
        if len(self._files) > 2:
            raise click.UsageError("two captures are compared, or two sessions of one")
        self._output: str | None = options["output"]
        self._format = _format(options["format_"], self._output)
        self._choice = _choice(options)
        self._thresholds = Thresholds(options["latency_factor"], options["latency_ms"])
        self._code = OK

    def run(self) -> int:
        """Read, compare and write; return the exit code."""
        outer = Reading(self._files[:1])
        if len(self._files) == 1:
            _exhausted(outer.each(lambda _, trace: self._written(trace, trace)))
            return max(outer.code, self._code)
        inner = Reading(self._files[1:])
        _exhausted(outer.each(lambda _, a: inner.each(lambda _, b: self._written(a, b))))
        return max(outer.code, inner.code, self._code)

    def _written(self, a: Trace, b: Trace) -> Iterator[None]:
        with paused():
            try:
                pairs = pairings(a, b, self._choice)
            except ValueError as error:
                raise click.UsageError(str(error)) from None
            self._write(a, b, pairs)
        yield

    def _compared(self, pairs: Pairings) -> Iterator[Comparison]:
        names = (self._files[0], self._files[-1])
        for pair in pairs.pairs:
            found = compare(
                pair.a, pair.b, files=names, why=pair.why,
                thresholds=self._thresholds, ignored=self._options["ignored"],
            )  # fmt: skip
            wanted = set(self._options["fail_on"])
            major = any(one.weight == "major" for one in found.divergences)
            if ("divergence" in wanted and found.meaningful) or ("major" in wanted and major):
                self._code = FAILED
            yield found

    def _write(self, a: Trace, b: Trace, pairs: Pairings) -> None:
        found = self._compared(pairs)
        if self._format in LADDERS or self._format == "ladder":
            self._draw(a, b, found)
            return
        terminal, encoding = plain_terminal(), "utf-8"
        if self._output in (None, "-"):
            choice = click.get_current_context().meta.get("color", "auto")
            terminal = terminal_of(sys.stdout, choice)
            encoding = "utf-8" if self._format == "json" else encoding_of(sys.stdout)
        lines = (
            _json(found, pairs)
            if self._format == "json"
            else _text(found, pairs, terminal, self._options)
        )
        with destination(self._output, self._files) as write:
            write_lines(lines, write, encoding)

    def _draw(self, a: Trace, b: Trace, found: Iterator[Comparison]) -> None:
        from analyzer.cli.pages import documents, show_text, write_pages
        from analyzer.compare.ladder import detail_of, diff_ladder
        from analyzer.ladder.look import Look

        # The sessions lie days apart: only times since the beginning of each compare.
        look = Look(times="relative")
        if self._format == "ladder":
            if self._output in (None, "-"):
                for one in found:
                    show_text(diff_ladder(one), look)
                return
            self._format = "txt"
        detail = detail_of(a, b)
        pages = (
            page
            for one in found
            for page in documents(diff_ladder(one), look, self._format, detail)
        )
        write_pages(pages, self._format, self._output, self._files)


def _exhausted(steps: Iterator[None]) -> None:
    for _ in steps:
        pass


def _format(given: str | None, output: str | None) -> str:
    """Return the format: the one asked for, else by the suffix of ``-o``, else text."""
    if given is not None:
        return given
    name = (output or "").lower()
    return next((form for suffix, form in SUFFIXES.items() if name.endswith(suffix)), "txt")


def _choice(options: dict[str, Any]) -> Choice:
    """Return which sessions are asked for. Raises UsageError where that contradicts itself."""
    numbers, given = options["numbers"], (options["session_a"], options["session_b"])
    if numbers and (len(options["files"]) > 1 or given != (None, None)):
        raise click.UsageError("--session is for one capture: --session-a and --session-b for two")
    if len(numbers) > 2:
        raise click.UsageError("--session: two sessions are compared")
    if options["every"] and (numbers or given != (None, None) or len(options["files"]) == 1):
        raise click.UsageError("--all compares two captures, whatever their sessions")
    a, b = (*numbers, None, None)[:2] if numbers else given
    return Choice(a, b, tuple(options["whose"]), options["every"])


def _json(found: Iterator[Comparison], pairs: Pairings) -> Iterator[str]:
    yield f'{{"format":{FORMAT},"comparisons":[\n'
    before = ""
    for one in found:
        yield before + to_json(comparison_record(one))
        before = ",\n"
    left = {
        "a": [session_record(view) for view in pairs.left_a],
        "b": [session_record(view) for view in pairs.left_b],
    }
    yield f'\n],"unpaired":{to_json(left)}}}\n'


def _text(
    found: Iterator[Comparison], pairs: Pairings, terminal: Terminal, options: dict[str, Any]
) -> Iterator[str]:
    for at, one in enumerate(found):
        if at:
            yield "\n"
        lines = diff_lines(one, terminal, trivial=options["trivial"], all_rows=options["all_rows"])
        yield from (line + "\n" for line in lines)
    for name, views in (("A", pairs.left_a), ("B", pairs.left_b)):
        for view in views:
            talk(
                f"xccos: session {view.index + 1} of {name} ({printable(view.user or 'unknown')}) "
                "has no counterpart"
            )
