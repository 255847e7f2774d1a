"""Which frames hold what a command shows: those a display filter has to name.

The rule that matters: every frame that brought bytes of a message counts, not only the one that
completes it, so that what is exported from Wireshark is whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.diagnostics.rule import Finding
    from analyzer.flows.values import FlowRun
    from analyzer.model import CommandPair, Dialog, Session, Transaction
    from analyzer.trace import Trace


def of_rows(trace: Trace, rows: Iterable[int]) -> Iterator[int]:
    """Yield the frames that brought bytes of these messages."""
    for row in rows:
        yield from trace.frames(row)


def of_message(trace: Trace, row: int) -> Iterator[int]:
    """Yield the frames of one message."""
    return of_rows(trace, (row,))


def of_pair(trace: Trace, pair: CommandPair) -> Iterator[int]:
    """Yield the frames of a command or post, of the SIP answer to it and of its replies."""
    rows = [reply.row for reply in pair.replies]
    if pair.row is not None:
        rows.append(pair.row)
    if pair.transaction is not None:
        final = trace.analysis().transactions[pair.transaction].final
        rows += [] if final is None else [final]
    return of_rows(trace, rows)


def of_dialog(trace: Trace, dialog: Dialog) -> Iterator[int]:
    """Yield the frames of a dialog on the connection nearest to the client, as its list counts."""
    return of_rows(trace, dialog.rows)


def of_session(trace: Trace, session: Session) -> Iterator[int]:
    """Yield the frames of the dialogs of a session, and of its requests outside dialogs."""
    analysis = trace.analysis()
    for join in session.joins:
        yield from of_dialog(trace, analysis.dialogs[join.dialog])
    for index in session.services:
        yield from of_rows(trace, _rows_of(analysis.transactions[index]))


def _rows_of(one: Transaction) -> Iterator[int]:
    yield from (row for row in (one.request, one.final) if row is not None)
    yield from (*one.retransmissions, *one.provisional, *one.repeated_finals, *one.acks)


def of_run(trace: Trace, run: FlowRun) -> Iterator[int]:
    """Yield the frames of the steps of a flow, of its post, and of the copies of that."""
    for step in run.steps:
        yield from step.frames
    yield from of_rows(trace, (copy.row for copy in run.copies if copy.row is not None))
    yield from of_rows(trace, () if run.row is None else (run.row,))


def of_finding(_: Trace, finding: Finding) -> Iterator[int]:
    """Yield the frames that a finding rests on."""
    return iter(finding.frames)
