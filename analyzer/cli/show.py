"""``xccos show``: one message, with its headers, its XCCOS tree and what it belongs to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.main import color_option
from analyzer.cli.options import reading_options, wireshark_option
from analyzer.cli.output import destination, encoding_of, write_lines
from analyzer.cli.reading import Reading
from analyzer.cli.sheet import sheet
from analyzer.cli.terminal import talk, terminal_of
from analyzer.export.records import json_array, json_lines
from analyzer.views.detail import detail_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.cli.terminal import Terminal
    from analyzer.trace import Trace


@click.command(
    epilog="""\b
Examples:
  xccos show capture.pcap 17
  xccos show capture.pcap --frame 120
  xccos show capture.pcap 17 --raw > message.sip
"""
)
@click.argument("file", type=click.Path())
@click.argument("number", type=click.IntRange(min=0), required=False, metavar="[N]")
@click.option("--frame", type=click.IntRange(min=1), metavar="F",
              help="The messages that frame F brought bytes of, instead of message N.")  # fmt: skip
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table",
              help="table (text for people, the default) or json.")  # fmt: skip
@click.option("--raw", is_flag=True,
              help="Write the bytes of the message to stdout, unchanged.")  # fmt: skip
@click.option("--force", is_flag=True,
              help="With --raw: even to a terminal, which the bytes may steer.")  # fmt: skip
@wireshark_option
@reading_options
@color_option
def show(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """Show message N (as the lists number them, from 0), or those of a frame.

    Summary, frames and notes with explanations; transaction, dialog and command that the message
    belongs to; headers; the XCCOS body as a tree with the meanings of known ids.
    """
    if (options["number"] is None) == (options["frame"] is None):
        raise click.UsageError("give either a message number N or --frame F")
    if options["raw"] and sys.stdout.isatty() and not options["force"]:
        raise click.UsageError(
            "--raw writes bytes that can steer a terminal: redirect them, or add --force"
        )
    return _Show(options).run()


class _Show:
    def __init__(self, options: dict[str, Any]) -> None:
        self._number: int | None = options["number"]
        self._frame: int | None = options["frame"]
        self._reading = Reading([options["file"]])
        self._raw: bool = options["raw"]
        self._json: bool = options["format_"] == "json"
        self._options = options

    def run(self) -> int:
        if self._options["wireshark_filter"]:
            from analyzer.cli.wireshark import print_filters
            from analyzer.wireshark.shown import of_rows

            def shown(_: str, trace: Trace) -> Iterator[int]:
                return of_rows(trace, self._rows(trace))

            return print_filters(self._options, self._reading, shown, "message")
        with destination(None, ()) as write:
            if self._raw:
                for raw in self._reading.each(self._raws):
                    write(raw)
            elif self._json:
                write_lines(json_array(self._reading.each(self._records)), write)
            else:
                terminal = terminal_of(
                    sys.stdout, click.get_current_context().meta.get("color", "auto")
                )
                write_lines(self._text(terminal), write, encoding_of(sys.stdout))
        return self._reading.code

    def _rows(self, trace: Trace) -> Sequence[int]:
        """Return the messages asked for. Raises UsageError where there is none."""
        if self._number is not None:
            if self._number >= len(trace):
                last = f"0 to {len(trace) - 1}" if len(trace) else "none"
                raise click.UsageError(f"there is no message {self._number} (there are: {last})")
            return (self._number,)
        found = [row for row in range(len(trace)) if self._frame in trace.frames(row)]
        if not found:
            raise click.UsageError(f"no message has bytes in frame {self._frame}")
        return found

    def _raws(self, _: str, trace: Trace) -> Iterator[bytes]:
        return (trace.raw(row) for row in self._rows(trace))

    def _records(self, _: str, trace: Trace) -> Iterator[str]:
        return json_lines(detail_record(trace, row) for row in self._rows(trace))

    def _text(self, terminal: Terminal) -> Iterator[str]:
        def texts(_: str, trace: Trace) -> Iterator[str]:
            rows = self._rows(trace)
            for place, row in enumerate(rows):
                if place:
                    yield "\n"
                yield from (
                    line + "\n" for line in sheet(detail_record(trace, row), len(trace), terminal)
                )
            if len(rows) > 1:
                talk(f"xccos: frame {self._frame} has bytes of {len(rows)} messages")

        return self._reading.each(texts)
