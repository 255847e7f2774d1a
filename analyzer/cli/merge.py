"""``xccos merge``: what several people captured of one story, in one pcapng."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from analyzer import __version__
from analyzer.cli.exits import DAMAGED, OK
from analyzer.cli.options import files_argument
from analyzer.cli.output import destination, write_blocks
from analyzer.cli.reading import Reading
from analyzer.cli.terminal import talk
from analyzer.export.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.trace import Trace


@click.command(
    epilog="""\b
Examples:
  xccos merge client.pcapng fe.pcapng -o merged.pcapng
  xccos merge client.pcapng fe-trace.txt --tz Europe/Berlin -o - | xccos triage -
"""
)
@files_argument
@click.option("-o", "--output", metavar="FILE", required=True,
              help="The pcapng to write, whole or not at all; - for stdout.")  # fmt: skip
def merge(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """Put captures and traces of one story into one pcapng, their clocks corrected.

    Offset and drift of each clock are estimated from messages that several inputs saw, and from the
    order of requests and answers. Every frame of every input is kept, in order of corrected times,
    on an interface that bears the name of its input; messages of text traces become exported PDUs.
    The other commands read the file as the inputs that it was made of, with its frame numbers.
    """
    return _Merge(options).run()


class _Merge:
    def __init__(self, options: dict[str, Any]) -> None:
        click.get_current_context().meta["join"] = True  # nothing else makes sense here
        self._reading = Reading(options["files"])
        if len(self._reading.inputs()) < 2:
            raise click.UsageError("there is nothing to merge: give two files or more")
        self._output: str = options["output"]

    def run(self) -> int:
        with destination(self._output, self._reading.inputs()) as write:
            done = list(self._reading.each(lambda _, trace: self._write(trace, write)))
            if not done:  # nothing whole was written: what was there before stays
                raise click.exceptions.Exit(max(self._reading.code, DAMAGED))
        return max(self._reading.code, OK)

    @staticmethod
    def _write(trace: Trace, write: Callable[[bytes], object]) -> Iterator[None]:
        from analyzer.inputs.joined import JoinedTrace
        from analyzer.inputs.merge import merged
        from analyzer.views.inputs import input_lines

        if not isinstance(trace, JoinedTrace):
            talk("xccos: only one of the inputs could be read: there is nothing to merge")
            return
        lines = input_lines(trace)
        write_blocks(merged(trace, f"xccos-analyzer {__version__}", lines), write)
        for line in lines:
            talk(f"xccos: {printable(line)}")
        yield
