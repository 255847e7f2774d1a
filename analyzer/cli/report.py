"""``xccos report``: one offline page that goes into a ticket, and a bundle with the evidence."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import click

from analyzer import __version__
from analyzer.cli.exits import OK
from analyzer.cli.ladder_options import (
    choice_of,
    choice_options,
    in_zone,
    look_of,
    look_options,
    shown_of,
    shown_options,
)
from analyzer.cli.main import color_option
from analyzer.cli.options import reading_options
from analyzer.cli.output import destination
from analyzer.cli.reading import Reading
from analyzer.cli.terminal import talk
from analyzer.collector import paused
from analyzer.export.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.report.content import Content
    from analyzer.report.head import Origin
    from analyzer.trace import Trace

ARGUMENTS = "arguments"
"""Where the words of the command line are kept for the report, which says how it was made."""


class ReportCommand(click.Command):
    """The command, which remembers the words that it was called with."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the words, and read them."""
        ctx.meta[ARGUMENTS] = list(args)
        return super().parse_args(ctx, args)


@click.command(
    cls=ReportCommand,
    epilog="""\b
Examples:
  xccos report capture.pcap -o report.html
  xccos report capture.pcap --session 3 --zone Europe/Berlin -o report.html
  xccos report capture.pcap --user ann --no-bodies --bundle ticket.zip
""",
)
@click.argument("file", type=click.Path())
@choice_options
@click.option("-o", "--output", metavar="FILE", help="The page, .html.")
@click.option("--bundle", metavar="FILE",
              help="A .zip: the page, the capture of what is chosen, JSON, ladders.")  # fmt: skip
@click.option("--no-bodies", is_flag=True,
              help="Leave out bodies and chat texts, and the capture of a bundle.")  # fmt: skip
@shown_options
@look_options
@reading_options
@color_option
def report(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """Write a report that can be put into a ticket: one page that needs no network.

    Verdict on each session in words, findings with advice and links to the messages, steps,
    critical path, story, ladder, messages and what the capture is worth. It has people's names,
    addresses and words in it, and is not redacted.
    """
    return _Report(options).run()


class _Report:
    def __init__(self, options: dict[str, Any]) -> None:
        from analyzer.report.sharing import Sharing

        self._options = options
        self._file: str = options["file"]
        self._output: str | None = options["output"]
        self._bundle: str | None = options["bundle"]
        if self._bundle in (None, "-") and self._output in (None, "-") and sys.stdout.isatty():
            raise click.UsageError("name a file: -o report.html, or --bundle ticket.zip")
        if self._bundle is not None and self._bundle == self._output:
            raise click.UsageError("-o and --bundle name the same file")
        self._reading = Reading([self._file])
        self._choice = choice_of(options)
        self._shown = shown_of(options)
        self._look = look_of(options)
        self._sharing = Sharing(bodies=not options["no_bodies"])
        self._words = click.get_current_context().meta[ARGUMENTS]

    def run(self) -> int:
        """Write it; return the exit code."""
        for _ in self._reading.each(self._write):
            pass
        return self._reading.code

    def _write(self, _: str, trace: Trace) -> Iterator[int]:
        from analyzer.report.content import content_of
        from analyzer.report.document import report_html

        try:
            self._choice = in_zone(self._choice, self._look.zone, trace)
            content = content_of(trace, self._choice, self._shown)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        if not content.chosen and len(trace):
            talk("xccos: no message matches")
        origin = self._origin()
        with paused():
            page = report_html(content, origin, self._sharing, self._look, self._shown.aliases)
        if self._output is not None or self._bundle is None:
            with destination(self._output, [self._file]) as write:
                write(page)
        if self._bundle is not None:
            self._write_bundle(content, origin, page)
        self._warn()
        yield OK

    def _write_bundle(self, content: Content, origin: Origin, page: bytes) -> None:
        from analyzer.report.bundle import Bundle, write_bundle

        bundle = Bundle(content, origin, self._sharing, self._choice, self._look)
        with destination(self._bundle, [self._file]) as write:
            write_bundle(bundle, page, write)

    def _warn(self) -> None:
        names = [
            PurePath(one).name for one in (self._output, self._bundle) if one not in (None, "-")
        ]
        what = printable(" and ".join(names)) or "the report"
        talk(f"xccos: {what}: {self._sharing.word}. {self._sharing.remark}")
        if self._bundle is not None and self._sharing.bodies:
            talk("xccos: the capture in the bundle has credentials as they were captured")
        elif self._bundle is not None:
            talk("xccos: the bundle has no capture: messages in it would have their bodies")

    def _origin(self) -> Origin:
        from analyzer.report.fingerprint import fingerprint
        from analyzer.report.head import Origin

        size, digest = fingerprint(self._file)
        name = "standard input" if self._file == "-" else PurePath(self._file).name
        return Origin(name, size, digest, command_line(self._words), __version__)


def command_line(words: Sequence[str]) -> str:
    """Return the command line as someone else could type it: files without their directories."""
    return shlex.join(["xccos", "report", *map(_without_directory, words)])


def _without_directory(word: str) -> str:
    name, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
    path = PurePath(value)
    try:
        is_file = path.is_absolute() or (len(path.parts) > 1 and Path(value).parent.is_dir())
    except (OSError, ValueError):
        is_file = False
    return f"{name}{equals}{path.name if is_file else value}"
