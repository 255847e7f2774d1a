"""What the capture is worth: what is missing, what could not be read, and who spoke with whom."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from analyzer.markup import Column, add, facts, say, section, table
from analyzer.times import duration_text
from analyzer.views.numbers import amount
from analyzer.views.quality import open_before

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from analyzer.markup import Cell, Element, Page
    from analyzer.rows import Connection
    from analyzer.trace import Trace

Record = dict[str, Any]
MAX_ROWS = 200
"""Connections, holes and problems that are listed; JSON of `xccos triage` has all."""
ENDS = {"fin": "closed", "rst": "reset", "reused": "reused", "end": "open at the end"}


class Quality:
    """Writes the section on the capture itself."""

    def __init__(self, page: Page, trace: Trace, record: Record, rows: Iterable[int]) -> None:
        """Take the record of the capture, and the messages whose connections are listed."""
        self._page, self._trace, self._rows = page, trace, rows
        self._record: Record = record["quality"]

    def add_to(self, parent: Element) -> None:
        """Add the section."""
        made = section(parent, "quality", "Capture quality")
        remarks = [self._without_directory(text) for text in self._record["remarks"]]
        if remarks:
            self._page.points(made, remarks)
        else:
            add(made, "p", text="Nothing seems to be missing.")
        text = (
            "What a capture lacks, it cannot tell from what did not happen: such steps are called "
            "not captured."
        )
        add(made, "p", "hint", text)
        self.details(made)

    def details(self, made: Element) -> None:
        """Add what the remarks rest on, as tables: holes, problems, connections, counters."""
        self._closed(made)
        self._holes(made)
        self._problems(made)
        self._connections(made)
        self._counters(made)

    def _without_directory(self, text: str) -> str:
        """Return a sentence without the directory of the capture: a key log lies beside it."""
        place = str(PurePath(self._trace.name).parent)
        return text if place == "." else text.replace(f"{place}{os.sep}", "")

    def _closed(self, parent: Element) -> None:
        """List what was not read: TLS and HTTP connections."""
        others = self._trace.quality.others
        if not others:
            return
        made = section(parent, "others", "Connections that are not SIP in the clear", 3)
        note = "TLS that was not decrypted may carry SIP; --keylog and --rsa-key give the keys."
        add(made, "p", "hint", note)
        columns = (
            *(Column("opened by", "mono"), Column("to", "mono"), Column("carries")),
            Column("first frame", "num"),
        )
        rows = (
            (one.opener, one.responder, one.service, one.frames[0]) for one in others[:MAX_ROWS]
        )
        table(made, "Other connections", columns, rows)
        _cut(made, len(others), "connection")

    def _holes(self, parent: Element) -> None:
        holes = self._record["holes"]
        if not holes:
            return
        made = section(parent, "holes", "Holes", 3)
        columns = (
            *(Column("from", "mono"), Column("to", "mono"), Column("before frame", "num")),
            Column("bytes missing", "num"),
        )
        rows = (
            (
                one["src"],
                one["dst"],
                self._page.in_frame(one["frame"]),
                "unknown" if one["length"] is None else f"{one['length']:,}",
            )
            for one in holes[:MAX_ROWS]
        )
        table(made, "Bytes that the capture does not have", columns, rows)
        _cut(made, len(holes), "hole")

    def _problems(self, parent: Element) -> None:
        problems = self._record["problems"]
        if not problems:
            return
        made = section(parent, "problems", "What could not be decoded", 3)
        columns = (Column("layer"), Column("frame", "num"), Column("why", "wide"))
        rows = (
            (
                one["layer"],
                self._page.in_frame(one["frame"]),
                one["reason"],
            )
            for one in problems[:MAX_ROWS]
        )
        table(made, "Problems", columns, rows)
        _cut(made, len(problems), "problem")

    def _connections(self, parent: Element) -> None:
        made = section(parent, "connections", "Connections", 3)
        found = self._spoken()
        if not found:
            add(made, "p", text="None carried SIP that could be read.")
            return
        columns = (
            *(Column("#", "num"), Column("opened by", "mono"), Column("to", "mono")),
            *(Column("transport"), Column("messages", "num"), Column("frames", "frames")),
            *(Column("lasted", "num"), Column("beginning and end", "wide"), Column("holes", "num")),
        )
        table(made, "Connections that carried SIP", columns, self._lines(found[:MAX_ROWS]))
        _cut(made, len(found), "connection")

    def _lines(self, connections: Iterable[Connection]) -> Iterator[Sequence[Cell]]:
        before = {one.number for one in open_before(self._trace)}
        for one in connections:
            began = "open before the capture began" if one.number in before else ""
            began = began or ("seen from its beginning" if one.syn_seen else "whole messages")
            ends = {ENDS.get(end, end) for end in one.ends}
            yield (
                one.number,
                one.opener,
                one.responder,
                one.transport,
                f"{one.messages[0]} there, {one.messages[1]} back",
                f"{one.first_frame}-{one.last_frame}",
                duration_text(one.last_time - one.first_time),
                "" if one.transport == "udp" else f"{began}; {' and '.join(sorted(ends))}",
                one.holes or "",
            )

    def _spoken(self) -> list[Connection]:
        """Return the connections that carried what was chosen."""
        trace = self._trace
        stream = trace.rows.stream
        numbers = {stream[row] >> 1 for row in self._rows}
        return [one for one in trace.connections if one.number in numbers]

    def _counters(self, parent: Element) -> None:
        counters: Mapping[str, int] = self._record["counters"]
        known = {
            **counters,
            **{f"ignored: {name}": count for name, count in self._record["ignored"].items()},
        }
        if known:
            made = section(parent, "counters", "Counted while reading", 3)
            facts(
                made, ((name, f"{count:,}") for name, count in sorted(known.items())), "facts small"
            )


def _cut(parent: Element, count: int, noun: str) -> None:
    if count > MAX_ROWS:
        made = add(parent, "p", "cut")
        say(made, f"The first {MAX_ROWS} of {amount(count, noun)} are listed.")
