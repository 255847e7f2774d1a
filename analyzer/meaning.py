"""From the rows of a trace to its meaning: ``analyse`` is the only entry.

The order is fixed: transactions, hop copies, dialogs, command pairs, sessions. Each stage reads
what the ones before it made and writes nothing into it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.collector import paused
from analyzer.commands import Command, Pairer
from analyzer.contents import Elements
from analyzer.dialogs import DialogBuilder
from analyzer.groups import Groups
from analyzer.hops import find_copies
from analyzer.lazy import Lazy
from analyzer.legs import find_legs
from analyzer.model import Analysis
from analyzer.outcomes import OutcomeJudge
from analyzer.roles import Judge
from analyzer.room_reader import RoomReader
from analyzer.sessions.build import SessionBuilder
from analyzer.sessions.material import Material
from analyzer.states import Events
from analyzer.transactions import freeze, match
from analyzer.visibility import Visibility

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.dialogs import DialogDraft
    from analyzer.trace import Trace
    from analyzer.transaction_table import Transactions


def analyse(trace: Trace) -> Analysis:
    """Return transactions, dialogs, command pairs and sessions of a trace.

    The values outlive the trace: what has to be read back from the capture has been.
    """
    with paused():
        return _analyse(trace, whole=True)


def outline(trace: Trace) -> Analysis:
    """Return the same, of which most is worked out when it is looked at, while the trace is open.

    It is what ``trace.analysis()`` gives from then on.
    """
    with paused():
        known: Analysis | None = trace.__dict__.get("_analysis")
        if known is None:
            known = trace.__dict__["_analysis"] = _analyse(trace, whole=False)
        return known


def _analyse(trace: Trace, *, whole: bool) -> Analysis:
    rows = trace.rows
    transactions = match(rows, trace.streams)
    copies = find_copies(rows, transactions)
    groups = Groups(rows, transactions, find_legs(rows, transactions), copies)
    elements = Elements(rows, groups.group_of, _repeated(transactions, copies))
    visibility, events = Visibility(trace), Events(trace, transactions)
    judge = Judge(trace, elements)
    builder = DialogBuilder(trace, transactions, copies, elements, visibility, events)
    dialogs = builder.build(groups.groups, judge.all(groups.groups, groups.fork_of))
    reader = RoomReader(trace)
    outcomes = OutcomeJudge(trace, transactions, elements, visibility, reader)
    commands = _commands(elements, transactions, dialogs)
    outcomes.judge(commands, dialogs)
    material = Material(
        trace, visibility, transactions, copies, groups, dialogs, elements, events, outcomes,
        commands, judge.lookups, reader,
    )  # fmt: skip
    sessions = SessionBuilder(material)
    found = Analysis(
        freeze(transactions, copies),
        Lazy(len(dialogs), lambda index: builder.value(dialogs[index], sessions.of.get(index))),
        Lazy(len(commands), lambda index: outcomes.pair(commands[index])),
        sessions.build(),
        (transactions.of, groups.group_of, copies),
    )
    if whole:
        found.complete()
        for dialog in dialogs:
            _ = dialog.end
    return found


def _repeated(transactions: Transactions, copies: Mapping[int, int]) -> set[int]:
    """Return the rows whose XCCOS was seen before: hop copies and retransmissions."""
    found = set(copies)
    for more in transactions.more.values():
        found.update(more.retransmissions)
    return found


def _commands(
    elements: Elements, transactions: Transactions, dialogs: Sequence[DialogDraft]
) -> list[Command]:
    """Return the commands of all dialogs in order of their rows."""
    commands: list[Command] = []
    for number, _ in elements.groups():
        if number >= 0:
            pairer = Pairer(elements, transactions)
            commands += pairer.run(number, dialogs[number].client_side.tag)
    commands.sort(key=Command.first)
    return commands
