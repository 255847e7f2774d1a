"""Where the pages lead: from a session or a finding to its flow, its ladder and its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.dashboard.verdict.told import told_of
from analyzer.markup import add

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.dashboard.desk import Desk
    from analyzer.dashboard.verdict.told import Failure
    from analyzer.markup import Cell, Element

Record = dict[str, Any]
Way = tuple[str, str | None]
"""What a link says, and where it leads; None: nowhere, and it is left out."""


def way(text: str, href: str | None) -> Cell:
    """Return a cell with a link; with the text alone where it leads nowhere."""
    if href is None:
        return text

    def fill(cell: Element) -> None:
        add(cell, "a", "", text, href=href)

    return fill


def session_ways(desk: Desk, index: int, failure: Failure | None) -> Iterator[Way]:
    """Yield the ways from a session: where it failed first, else to its beginning."""
    row = None if failure is None else failure.row
    if failure is None or failure.step is None:
        yield "steps and story", desk.href(view="flow", session=index, message=None)
    else:
        href = desk.href(view="flow", session=index, message=row, step=failure.step)
        yield "the step that failed", href
    here = "ladder" if row is None else "ladder at that message"
    yield here, desk.href(view="ladder", session=index, message=row)
    yield "messages", desk.href(view="messages", session=index, message=row)
    found = len(desk.case.findings_of(index))
    if found:
        yield f"findings ({found})", desk.href(view="findings", session=index, message=None)
    yield "facts", desk.href(view="sessions", session=index, message=None)


def finding_ways(desk: Desk, finding: Record) -> Iterator[Way]:
    """Yield the ways from a finding to its evidence."""
    row = told_of(desk.case).row(finding["frames"])
    session = finding["session"]
    if row is not None:
        yield "in the ladder", desk.href(view="ladder", session=session, message=row)
        yield "among the messages", desk.href(view="messages", session=session, message=row)
    if session is not None:
        yield "steps and story", desk.href(view="flow", session=session, message=row)
