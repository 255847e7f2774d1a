"""``xccos live``: sessions and findings while the packets come."""

from __future__ import annotations

import sys
from typing import Any

import click

from analyzer.cli.exits import OK
from analyzer.cli.live_options import parse_buffer, watch_options
from analyzer.cli.main import color_option
from analyzer.cli.options import finding_fail_option, keylog_option, parsed
from analyzer.diagnostics.select import condition_of


@click.command(
    epilog="""\b
Examples:
  xccos live -D
  xccos live -i eth0 -f 'tcp port 5060'
  xccos live -i eth0 -w monday.pcapng --ring 10x100M --until error
  ssh fe01 "dumpcap -q -i 1 -w - -f 'tcp port 5060'" | xccos live -r -
  xccos live -r growing.pcapng --follow --for 10m --format jsonl
"""
)
@click.option("-i", "--interface", "names", multiple=True, metavar="IFACE",
              help="Capture here: a name or number of -D. Repeatable.")  # fmt: skip
@click.option("-f", "--filter", "capture_filter", metavar="FILTER",
              help="Capture filter, as tcpdump and dumpcap take it: 'tcp port 5060'.")  # fmt: skip
@click.option("-p", "--no-promiscuous", is_flag=True, help="No promiscuous mode.")
@click.option("-D", "--interfaces", "listing", is_flag=True, help="List interfaces and end.")
@click.option("-r", "--read", "source", metavar="-|PIPE|FILE",
              help="Read a capture that still comes: standard input, a named pipe, "
              "or with --follow a file.")  # fmt: skip
@click.option("--follow", is_flag=True, help="Go on at the end of the file, as tail -f does.")
@click.option("-w", "--write", "target", metavar="FILE",
              help="Keep what is captured. Default: a ring of 4 files of 64 MB, deleted at the "
              "end.")  # fmt: skip
@click.option("-b", "--ring-buffer", "buffer", multiple=True, metavar="PART",
              help="The same as dumpcap has it: -b filesize:100000 -b files:10 (kB).")  # fmt: skip
@watch_options
@finding_fail_option
@keylog_option
@color_option
def live(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """Show sessions and findings while packets are captured, and a triage at the end.

    dumpcap captures; started as root, xccos gives root up as soon as dumpcap runs. Ctrl-C ends and
    tells what was seen; a second one ends at once. What is under TLS is decrypted at the end only.
    """
    if options["listing"]:
        return _list()
    if bool(options["names"]) == (options["source"] is not None):
        raise click.UsageError("give -i IFACE (-D lists them), or -r - for what comes by a pipe")
    if options["target"] == "-":
        raise click.UsageError("-w - : standard output has what was found; give a file")
    if options["follow"] and options["source"] is None:
        raise click.UsageError("--follow is for -r FILE")
    if options["capture_filter"] and options["source"] is not None:
        raise click.UsageError("-f is for -i: what comes by a pipe was filtered where it began")
    _ring_of(options)
    options["wanted"] = dict(parsed(condition_of, text) for text in options["until"])
    from analyzer.cli.live_run import LiveRun  # rich and the analysis, which -D does without

    return LiveRun(options).run()


def _ring_of(options: dict[str, Any]) -> None:
    """Find out the shape of the ring, and whether it fits the input."""
    if options["ring"] is not None and options["buffer"]:
        raise click.UsageError("--ring and -b say the same: give one of them")
    options["ring"] = options["ring"] or parsed(parse_buffer, options["buffer"])
    if options["follow"] and (options["target"] or options["ring"]):
        raise click.UsageError("-w, --ring and -b are for what is captured, not for a file")


def _list() -> int:
    from analyzer.cli.exits import DAMAGED
    from analyzer.cli.table import Column, table
    from analyzer.cli.terminal import talk, terminal_of
    from analyzer.export.printable import printable
    from analyzer.sources.files import SourceError
    from analyzer.sources.live import interfaces

    try:
        found = interfaces()
    except SourceError as error:
        talk(f"xccos: {printable(str(error))}")
        return DAMAGED
    if not found:
        talk("xccos: dumpcap shows no interface: no permission, or there is none")
        return DAMAGED
    terminal = terminal_of(sys.stdout, click.get_current_context().meta.get("color", "auto"))
    columns = (Column("-i", right=True), Column("name", least=8), Column("what"), Column("address"))
    rows = (
        (str(number), one.name, one.title or ("loopback" if one.loopback else ""),
         ", ".join(one.addresses))
        for number, one in enumerate(found, 1)
    )  # fmt: skip
    for line in table(columns, rows, terminal):
        click.echo(line)
    return OK
