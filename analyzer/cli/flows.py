"""``xccos flows``: the steps of every sign-in, every post and any flow of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import click

from analyzer.cli.listing import Listed, Listing, flat_cell
from analyzer.cli.lists import clock
from analyzer.cli.options import files_argument, output_options, wireshark_option
from analyzer.cli.runs import own_flows, runs_of
from analyzer.cli.steps import copy_lines, step_lines
from analyzer.export.printable import printable
from analyzer.flows.values import FlowOutcome
from analyzer.narrative.names import short_room
from analyzer.query import user_test
from analyzer.times import latency_text
from analyzer.views import flows as flow_view
from analyzer.wireshark.shown import of_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.cli.terminal import Terminal
    from analyzer.flows.values import FlowRun
    from analyzer.trace import Trace

Record = dict[str, Any]

UNFILTERED: dict[str, Any] = {
    **dict.fromkeys(("users", "call_ids", "methods", "statuses", "commands", "rooms"), ()),
    "from_time": None,
    "to_time": None,
}
"""The filters that lists of messages have and this one does without."""
_OUTCOMES = {
    "complete": "ok",
    "incomplete": "doubtful",
    "failed": "failed",
    "not-captured": "unknown",
}
"""Outcome of a run, and its symbol."""


@click.command(epilog="Example: xccos flows capture.pcap --flow sign-in --format json")
@files_argument
@click.option("--flow", "names", multiple=True, metavar="NAME",
              help="sign-in, posting, or the name of a flow of your own.")  # fmt: skip
@click.option("--user", "whose", multiple=True, metavar="WHO",
              help="URI, address or the part before the @; * is any characters.")  # fmt: skip
@click.option("--outcome", "outcomes", multiple=True, type=click.Choice(get_args(FlowOutcome)),
              help="How the run went.")  # fmt: skip
@click.option("--flow-file", "flow_files", multiple=True, metavar="FILE",
              type=click.Path(exists=True, dir_okay=False),
              help="A flow of your own (TOML, docs/flows.md); repeatable.")  # fmt: skip
@output_options
@wireshark_option
def flows(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """List how far each sign-in and each post got, step by step.

    The steps are those of the documented call flows, each with status, frames, latency and a
    sentence. Several values of one filter mean any of them.
    """
    return _FlowList(options).run()


class _FlowList(Listed):
    """The list of runs; its table has the steps of each run."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._names = set(options["names"])
        self._outcomes = set(options["outcomes"])
        self._whose = options["whose"]
        self._user = user_test(options["whose"])
        self._own = own_flows(options["flow_files"])
        super().__init__(_FLOWS, {**options, **UNFILTERED})

    def _judged(self, file: str, trace: Trace) -> Sequence[FlowRun]:  # noqa: ARG002  (as the lists)
        return self._limited([run for run in runs_of(trace, self._own) if self._wanted(run)])

    def _wanted(self, run: FlowRun) -> bool:
        return (
            (not self._names or run.flow in self._names)
            and (not self._outcomes or run.outcome in self._outcomes)
            and (not self._whose or self._user(run.user))
        )

    def _table(self, terminal: Terminal) -> Iterator[str]:
        if self._asked:
            return super()._table(terminal)
        return self._reading.each(lambda file, trace: self._told(file, trace, terminal))

    def _told(self, file: str, trace: Trace, terminal: Terminal) -> Iterator[str]:
        """Yield a heading and the steps of each run, and who got which copy."""
        if self._several:
            yield terminal.paint(printable(file), "bold") + "\n"
        for record in self._records(file, trace, self._judged(file, trace), _FLOWS.fields):
            yield terminal.paint(_heading(record, terminal), "bold") + "\n"
            for line in step_lines(record["steps"], terminal, "  "):
                yield line + "\n"
            for line in copy_lines([record], terminal, "  "):
                yield line + "\n"
            yield "\n"


def _heading(record: Record, terminal: Terminal) -> str:
    symbol = terminal.symbol(_OUTCOMES[record["outcome"]])
    facts = [
        f"{symbol} {record['flow']} of {record['user'] or 'unknown'}",
        f"into {short_room(record['room'])}" if record["room"] else "",
        f"({record['variant']}):",
        f"{record['outcome']}, {clock(record['started'])},",
        latency_text(record["duration_ms"]),
    ]
    return printable(" ".join(fact for fact in facts if fact))


def _cells(record: Record) -> list[str]:
    return [flat_cell(name, record[name]) for name in _FLOWS.needs]


_FLOWS = Listing(
    "run of a flow",
    tuple(flow_view.FIELDS),
    lambda _: (),  # which runs are listed is no matter of messages
    flow_view.flow_record,
    (),
    ("flow", "user", "outcome", "started", "duration_ms", "steps"),
    _cells,
    frames=of_run,
)
