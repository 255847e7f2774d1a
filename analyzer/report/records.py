"""JSON records of what a report is about: those of the list commands, all of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from analyzer.export.messages import MessageWriter
from analyzer.export.records import encoded, to_json
from analyzer.flows.runs import flows_of
from analyzer.views.commands import command_record
from analyzer.views.findings import finding_record
from analyzer.views.flows import flow_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.report.content import Content
    from analyzer.report.sharing import Sharing

Record = dict[str, Any]


def finding_records(content: Content) -> Iterator[Record]:
    """Yield all findings."""
    return (finding_record(content.trace, one) for one in content.diagnosed)


def flow_records(content: Content) -> Iterator[Record]:
    """Yield the flows of all sessions of the choice."""
    wanted = [one["index"] for one in content.sessions]
    everything = len(wanted) == len(content.record["sessions"])
    for run in flows_of(content.trace, None if everything else wanted):
        yield flow_record(content.trace, run)


def command_records(content: Content) -> Iterator[Record]:
    """Yield the commands and posts that a message of the choice carries or answers."""
    chosen = set(content.chosen)
    for pair in content.trace.analysis().pairs:
        rows = {pair.row, *(reply.row for reply in pair.replies)}
        if not chosen.isdisjoint(rows):
            yield command_record(content.trace, pair)


def message_blocks(content: Content, sharing: Sharing) -> Iterator[bytes]:
    """Yield the messages of the choice as JSON lines, without bodies where they are not shared."""
    writer = MessageWriter("jsonl")
    if sharing.bodies:
        return writer.blocks(content.trace, content.chosen)
    return encoded(
        _without_texts(line, sharing) for line in writer.lines(content.trace, content.chosen)
    )


def _without_texts(line: str, sharing: Sharing) -> str:
    record = json.loads(line)
    record["xccos"] = sharing.items(record["xccos"])
    return to_json(record) + "\n"
