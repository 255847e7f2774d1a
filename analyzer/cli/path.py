"""``xccos path``: which waits made a sign-in as slow as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.chosen import Chosen, session_options
from analyzer.cli.lists import clock
from analyzer.cli.main import color_option
from analyzer.cli.options import files_argument, wireshark_option
from analyzer.cli.records import Records, record_options
from analyzer.cli.table import Column, table
from analyzer.export.printable import printable
from analyzer.flows.signin import sign_in_runs
from analyzer.times import latency_text
from analyzer.views.narrative import path_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.cli.terminal import Terminal
    from analyzer.trace import Trace

Record = dict[str, Any]
BAR = 20
"""Characters of the bar of a wait that is the whole path."""


@click.command(epilog="Example: xccos path capture.pcap --session 1")
@files_argument
@session_options
@record_options
@wireshark_option
@color_option
def path(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """Show the critical path of each sign-in: the chain of waits that decided how long it took.

    Each wait has who was waited for (client, front end, lookup or channel), its share of the whole
    and a bar; the largest is marked. What went on beside the chain is left out: it cost no time.
    """
    from analyzer.causes.path import critical_path  # networkx, which --help does without

    chosen = Chosen(options)

    def records(trace: Trace) -> Iterator[Record]:
        for view in chosen.views(trace):
            for run in sign_in_runs(view):
                yield path_record(trace, run, critical_path(trace, view, run))

    if options["wireshark_filter"]:
        from analyzer.cli.reading import Reading
        from analyzer.cli.wireshark import print_filters

        def shown(_: str, trace: Trace) -> Iterator[int]:
            for record in records(trace):
                for wait in record["waits"]:
                    yield from (wait["from_frame"], wait["to_frame"])

        return print_filters(options, Reading(options["files"], story=True), shown, "sign-in")
    return Records(options, "sign-in", records, _lines).run()


def _lines(record: Record, terminal: Terminal) -> Iterator[str]:
    user = record["user"] or "unknown user"
    yield terminal.paint(printable(f"Session {record['session'] + 1}: {user}"), "bold")
    if not record["waits"]:
        yield "  Too little of this sign-in is in the capture for a path."
        return
    begun = "" if record["whole"] else "; what was waited for before that is not captured"
    took = latency_text(record["duration_ms"])
    yield f"Sign-in {record['outcome']}: {took} from {clock(record['started'])}{begun}"
    mark = "#" if not terminal.unicode else "█"
    rows = (
        (
            f"{wait['from_frame']}-{wait['to_frame']}",
            wait["party"],
            wait["what"],
            latency_text(wait["ms"]),
            f"{wait['share']:.0%}",
            mark * round(wait["share"] * BAR) + (" largest" if wait["largest"] else ""),
        )
        for wait in record["waits"]
    )
    columns = (
        Column("frames", least=5),
        Column("waited for", least=9),
        Column("what", least=16),
        Column("took", right=True, least=7),
        Column("share", right=True),
        Column("of the whole", least=12, style=lambda cell: "bad" if "largest" in cell else "good"),
    )
    yield from table(columns, rows, terminal, indent="  ")
    yield from _by_party(record)


def _by_party(record: Record) -> Iterator[str]:
    """Yield how much of the path was spent waiting for whom."""
    spent: dict[str, float] = {}
    for wait in record["waits"]:
        spent[wait["party"]] = spent.get(wait["party"], 0.0) + wait["ms"]
    total = sum(spent.values()) or 1.0
    shares = sorted(spent.items(), key=lambda one: -one[1])
    told = ", ".join(
        f"{party} {latency_text(taken)} ({taken / total:.0%})" for party, taken in shares
    )
    yield f"  Waited for: {told}"
