"""``xccos ladder``: what was said between whom, as a diagram."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

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
from analyzer.cli.pages import documents, ladder_format, show_text, write_pages
from analyzer.cli.reading import Reading
from analyzer.cli.terminal import talk
from analyzer.cli.wireshark import print_filters
from analyzer.ladder.build import ladder_of
from analyzer.ladder.renderers import FORMATS
from analyzer.ladder.selection import Choice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.ladder.values import Ladder
    from analyzer.trace import Trace


@click.command(
    epilog="""\b
Examples:
  xccos ladder capture.pcap --session 1
  xccos ladder capture.pcap --flow posting:1 -o post.svg
  xccos ladder capture.pcap --user ann --alias 10.0.0.5=fe1 -o ann.html
  xccos ladder capture.pcap --room Sales --time relative -o sales.pdf
"""
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@choice_options
@click.option("-o", "--output", metavar="FILE",
              help="Write to a file: .svg .png .pdf .html .mmd .puml .txt.")  # fmt: skip
@click.option("--format", "format_", type=click.Choice(list(FORMATS)),
              help="Default: by the suffix of -o, else txt.")  # fmt: skip
@shown_options
@look_options
@click.option("--width", type=click.IntRange(min=40, max=1000), metavar="N",
              help="Columns of text; by default those of the terminal.")  # fmt: skip
@click.option("--ascii", "plain", is_flag=True, help="Text in ASCII only.")
@click.option("--wireshark-filter", "as_filter", is_flag=True,
              help="Print the display filter that shows these messages in Wireshark.")  # fmt: skip
@reading_options
@color_option
def ladder(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """Draw who said what to whom, in order of time.

    Lanes are clients, front ends and services; replies are tied to their commands and copies to
    their posts, steps of the documented flows are marked. Several values of one option mean any of
    them, several options mean all of them. Without -o it is text for the terminal.
    """
    return _Ladder(options).run()


class _Ladder:
    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        files: tuple[str, ...] = options["files"]
        if len(files) > 1:  # a ladder is one drawing
            click.get_current_context().meta["join"] = True
        self._reading = Reading(files)
        self._inputs = [*self._reading.inputs(), *filter(None, (options["alias_file"],))]
        self._output: str | None = options["output"]
        filters = options["as_filter"]  # a format of its own, whatever the suffix
        self._format = "txt" if filters else ladder_format(options["format_"], self._output)
        self._choice = choice_of(options)
        self._shown = shown_of(options)
        look = look_of(options)
        self._look = replace(look, width=options["width"], unicode=not options["plain"])

    def run(self) -> int:
        if self._options["as_filter"]:
            return print_filters(self._options, self._reading, self._frames, "message")
        for _ in self._reading.each(self._draw):
            pass
        return self._reading.code

    def _ladder(self, trace: Trace) -> Ladder:
        try:
            return ladder_of(trace, in_zone(self._choice, self._look.zone, trace), self._shown)
        except ValueError as error:
            raise click.UsageError(str(error)) from None

    def _draw(self, _: str, trace: Trace) -> Iterator[int]:
        found = self._ladder(trace)
        if not found.events:
            everything = self._choice == Choice()
            talk(
                f"xccos: {'there is no SIP message in it' if everything else 'no message matches'}"
            )
        if self._format == "txt" and self._output in (None, "-"):
            if not found.events:
                return
            show_text(found, self._look)
        else:
            self._write(trace, found)
        yield OK

    def _frames(self, _: str, trace: Trace) -> Iterator[int]:
        """Yield the frames behind what is drawn, those of holes and findings aside."""
        for arrow in self._ladder(trace).arrows:
            yield from arrow.frames

    def _write(self, trace: Trace, found: Ladder) -> None:
        from analyzer.views.detail import detail_record

        pages = documents(found, self._look, self._format, lambda row: detail_record(trace, row))
        write_pages(pages, self._format, self._output, self._inputs)
