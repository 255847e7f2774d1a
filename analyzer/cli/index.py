"""``xccos index``: save what was read of a capture, so that the next look at it is instant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.exits import DAMAGED, USAGE
from analyzer.cli.progress import Progress
from analyzer.cli.reading import Reading, usable_jobs
from analyzer.export.printable import printable
from analyzer.library.make import fitting_index, index_capture
from analyzer.library.places import ENVIRONMENT
from analyzer.library.saved import MISSING, TOO_SMALL, Unfit, Unwritten

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command(
    epilog="""\b
Examples:
  xccos index capture.pcap
  xccos index --check capture.pcap
  xccos index *.pcap -o /var/tmp/indexes
"""
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@click.option("-o", "--output", metavar="DIR", envvar=ENVIRONMENT,
              type=click.Path(exists=True, file_okay=False),
              help="Put the indexes there instead of beside the captures; they are found where "
              f"{ENVIRONMENT} names DIR.")  # fmt: skip
@click.option("--check", is_flag=True,
              help="Write nothing; say whether an index fits, or why none does.")  # fmt: skip
def index(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """Save the rows of captures, which every command then uses instead of reading them.

    NAME.xccos-index is written beside each capture NAME, for you alone. It is used as long as the
    bytes of the capture are the same; --no-index leaves it aside. Small captures need none.
    """
    return _Indexing(options).run()


class _Indexing:
    def __init__(self, options: dict[str, Any]) -> None:
        self._reading = Reading(options["files"])
        self._directory: str | None = options["output"]
        self._of = self._check if options["check"] else self._make
        self._code = 0

    def run(self) -> int:
        for line in self._reading.guarded(self._of):
            click.echo(printable(line))
        return max(self._code, self._reading.code)

    def _make(self, file: str) -> Iterator[str]:
        with Progress(file) as progress:
            made = index_capture(
                file, directory=self._directory, progress=progress.step, jobs=usable_jobs()
            )
        if isinstance(made, Unfit):
            self._refused(file, made)
        elif made.new:
            size = f"{made.size / 1e6:.1f} MB"
            yield f"{file}: {made.messages:,} messages are now in {made.path} ({size})"
        else:
            yield f"{file}: {made.path} fits, with {made.messages:,} messages"

    def _check(self, file: str) -> Iterator[str]:
        found = fitting_index(file)
        if isinstance(found, Unfit):
            yield f"{file}: no index is used: {found.reason}"
        else:
            yield f"{file}: {found.path} fits, with {found.messages:,} messages"

    def _refused(self, file: str, unfit: Unfit) -> None:
        self._reading.say(file, f"no index: {unfit.reason}")
        if isinstance(unfit, Unwritten) or unfit.reason == MISSING:
            self._code = max(self._code, USAGE)
        elif unfit.reason != TOO_SMALL:
            self._code = DAMAGED
