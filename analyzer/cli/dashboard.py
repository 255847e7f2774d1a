"""``xccos dashboard``: look at captures in a browser, on this machine alone."""

from __future__ import annotations

from pathlib import Path

import click

from analyzer.cli.exits import OK
from analyzer.extras import MissingExtra

_MAX_PORT = 65_535


@click.command(
    epilog="""\b
Examples:
  xccos dashboard
  xccos dashboard client.pcapng front-end.txt
  xccos dashboard /captures --port 8600 --no-browser
"""
)
@click.argument("files", metavar="[FILE|DIRECTORY]...", nargs=-1, type=click.Path())
@click.option("--port", type=click.IntRange(0, _MAX_PORT), metavar="N",
              help="8501, or the next one that is free, by default; 0: any.")  # fmt: skip
@click.option("--no-browser", is_flag=True, help="Do not open a browser; the address is printed.")
def dashboard(files: tuple[str, ...], port: int | None, no_browser: bool) -> int:  # noqa: FBT001  (click's)
    """Serve pages that show captures, for a browser on this machine.

    What is named is offered by the page, and opened at once where it is one story; more can be
    dropped into the page or named there by its path. Only this machine can reach it, and it asks
    nobody else for anything. Ctrl-C ends it.
    """
    for file in files:
        if not Path(file).exists() and not any(one.is_file() for one in Path(file).parents):
            raise click.UsageError(f"{file}: there is no such file or directory")
    from analyzer.dashboard.server import serve  # other commands do without

    try:
        serve(files, port=port, browser=not no_browser)
    except MissingExtra as error:
        raise click.UsageError(str(error)) from None
    return OK
