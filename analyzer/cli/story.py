"""``xccos story``: what happened in a session, in sentences with frame numbers."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.chosen import Chosen, session_options
from analyzer.cli.lists import clock
from analyzer.cli.main import color_option
from analyzer.cli.options import files_argument, wireshark_option
from analyzer.cli.records import Records, record_options
from analyzer.export.printable import printable
from analyzer.flows.posting import POSTING
from analyzer.flows.signin import SIGN_IN
from analyzer.meaning import outline
from analyzer.narrative.names import names_of
from analyzer.narrative.story import story_of
from analyzer.views.narrative import story_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.cli.terminal import Terminal
    from analyzer.trace import Trace

Record = dict[str, Any]
_TONES = {"plain": ("none", "plain"), "bad": ("failed", "bad"), "doubtful": ("unknown", "doubtful")}
_DOCUMENTED = {flow.name: flow for flow in (SIGN_IN, POSTING)}


@click.command(epilog="Example: xccos story capture.pcap --user ann")
@files_argument
@session_options
@record_options
@wireshark_option
@color_option
def story(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """Tell each session in sentences: who did what when, what came of it, and in which frames."""
    from analyzer.causes.consequences import consequences_of  # networkx, which --help does without

    chosen = Chosen(options)

    def records(trace: Trace) -> Iterator[Record]:
        views = chosen.views(trace)
        runs = chosen.runs(trace, views)
        names = names_of(outline(trace).sessions)
        for view in views:
            losses = consequences_of(view, runs, _DOCUMENTED)
            yield story_record(trace, view, story_of(view, runs, names, losses))

    if options["wireshark_filter"]:
        from analyzer.cli.reading import Reading
        from analyzer.cli.wireshark import print_filters

        def shown(_: str, trace: Trace) -> Iterator[int]:
            for record in records(trace):
                for sentence in record["sentences"]:
                    yield from sentence["frames"]

        return print_filters(options, Reading(options["files"], story=True), shown, "session")
    return Records(options, "session", records, _lines).run()


def _lines(record: Record, terminal: Terminal) -> Iterator[str]:
    head = f"Session {record['session'] + 1}: {record['user'] or 'unknown user'}"
    yield terminal.paint(printable(head), "bold")
    yield from textwrap.wrap(printable(record["summary"]), terminal.width, break_on_hyphens=False)
    for sentence in record["sentences"]:
        symbol, style = _TONES[sentence["tone"]]
        begin = f"{clock(sentence['time']):<12} {terminal.symbol(symbol)} "
        lines = textwrap.wrap(
            printable(sentence["text"]),
            terminal.width,
            initial_indent=begin,
            subsequent_indent=" " * len(begin),
            break_on_hyphens=False,
        )
        yield from (terminal.paint(line, style) for line in lines)
    if record["left_out"]:
        yield f"and {record['left_out']} more sentences"
