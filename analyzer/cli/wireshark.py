"""``--wireshark-filter`` of the commands that show something, and ``xccos wireshark-plugin``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.exits import OK
from analyzer.cli.output import destination, write_lines
from analyzer.cli.terminal import talk
from analyzer.export.printable import printable
from analyzer.views.numbers import amount
from analyzer.wireshark.filters import frames_filters
from analyzer.wireshark.plugin import PLACES, plugin_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from analyzer.cli.reading import Reading
    from analyzer.trace import Trace


@click.command(
    "wireshark-plugin",
    epilog="""\b
Examples:
  xccos wireshark-plugin -o ~/.local/lib/wireshark/plugins/xccos.lua
  xccos wireshark-plugin -o xccos.lua
  tshark -X lua_script:xccos.lua -r capture.pcap -Y 'xccos.code >= 400'
""",
)
@click.option("-o", "--output", metavar="FILE", help="Write to a file; default: stdout.")
def wireshark_plugin(output: str | None) -> int:
    """Write the plug-in that decodes XCCOS in Wireshark and tshark (3.x and 4.x).

    It is a Lua script: put it where Wireshark looks for personal plug-ins, or name it with
    -X lua_script:FILE. It links commands and replies, and has fields for display filters.
    """
    with destination(output, ()) as write:
        write(plugin_source())
    talk("xccos: Wireshark looks for personal plug-ins in:")
    for place in PLACES:
        talk(f"xccos:   {place}")
    talk("xccos: (Help > About Wireshark > Folders has yours; Ctrl+Shift+L loads it at once)")
    return OK


def print_filters(
    options: dict[str, Any],
    reading: Reading,
    shown: Callable[[str, Trace], Iterable[int]],
    noun: str,
) -> int:
    """Write a display filter for each capture instead of what a command shows.

    Args:
        options: those of the command: ``output`` and ``format_`` are looked at.
        reading: of its captures.
        shown: returns the frames of what the command would show of a capture; raises what the
            command raises.
        noun: what the command shows, in the remark that there is none.

    Returns the exit code of the reading; raises UsageError where ``--format`` is given too.
    """
    if options.get("format_") not in (None, "table"):
        raise click.UsageError("--wireshark-filter is a format of its own: leave out --format")
    several = reading.several

    def lines(file: str, trace: Trace) -> Iterator[str]:
        frames = set(shown(file, trace))
        filters = frames_filters(frames)
        if not frames:
            talk(f"xccos: {printable(file)}: no {noun} is shown: the filter matches no frame")
        if len(filters) > 1:
            talk(
                f"xccos: {printable(file)}: {amount(len(frames), 'frame')} in "
                f"{amount(len(filters), 'filter')}, one a line: Wireshark's field does not take "
                "all of it at once"
            )
        for one in filters:
            yield f"{printable(file)}\t{one}\n" if several else f"{one}\n"

    with destination(options.get("output"), reading.files) as write:
        write_lines(reading.each(lines), write)
    return reading.code
