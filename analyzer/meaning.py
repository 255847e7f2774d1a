"""From the rows of a trace to its meaning: ``analyse`` is the only entry.

The order is fixed: transactions, hop copies, dialogs, command pairs, sessions. Each stage reads
what the ones before it made and writes nothing into it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from analyzer.collector import paused
from analyzer.commands import Command, Pairer
from analyzer.contents import elements_by_group
from analyzer.dialogs import DialogBuilder
from analyzer.groups import Groups
from analyzer.hops import find_copies
from analyzer.legs import find_legs
from analyzer.model import Analysis
from analyzer.outcomes import OutcomeJudge
from analyzer.roles import Judge
from analyzer.room_reader import RoomReader
from analyzer.sessions.build import SessionBuilder
from analyzer.transactions import freeze, match
from analyzer.visibility import Visibility

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.contents import Element
    from analyzer.model import Transaction
    from analyzer.rows import Rows
    from analyzer.trace import Trace

ROOMLESS = frozenset(
    {"requri", "getserverinfo", "getpref", "setpref", "chansrch", "getinv", "nodespermcreatechild"}
)
"""Commands that name no room: they are not read back for one."""
ROOM_REPLIES = frozenset({"join", "bjoin", "part", "bccontext"})
"""Replies whose rooms are those of their command; the rooms of others are search results."""


def analyse(trace: Trace) -> Analysis:
    """Return transactions, dialogs, command pairs and sessions of a trace."""
    with paused():
        return _analyse(trace)


def _analyse(trace: Trace) -> Analysis:
    rows = trace.rows
    matcher = match(rows, trace.streams)
    copies = find_copies(rows, matcher)
    transactions = freeze(matcher, copies)
    groups = Groups(rows, transactions, find_legs(rows, transactions), copies)
    elements = elements_by_group(rows, groups.group_of, _repeated(transactions, copies))
    visibility = Visibility(trace)
    judge = Judge(trace, elements)
    builder = DialogBuilder(trace, copies, elements, visibility)
    dialogs = builder.build(groups.groups, judge.all(groups.groups, groups.fork_of))
    reader = RoomReader(trace)
    outcomes = OutcomeJudge(trace, transactions, visibility, partial(_rooms, reader, rows.item))
    commands = _commands(rows, builder, elements, (transactions, matcher.of))
    pairs = tuple(
        outcomes.pair(index, one, dialogs[one.dialog], builder.end_rows[one.dialog])
        for index, one in enumerate(commands)
    )
    sessions = SessionBuilder(trace, visibility, groups, dialogs)
    made = sessions.build(transactions, pairs, elements, builder.client_tags, judge.lookups, reader)
    placed = tuple(
        replace(dialog, session=sessions.session_of.get(dialog.index)) for dialog in dialogs
    )
    return Analysis(transactions, placed, pairs, made, matcher.of, groups.group_of, copies)


def _repeated(transactions: Sequence[Transaction], copies: Mapping[int, int]) -> set[int]:
    """Return the rows whose XCCOS was seen before: hop copies and retransmissions."""
    found = set(copies)
    for transaction in transactions:
        if transaction.retransmissions:
            found.update(transaction.retransmissions)
    return found


def _commands(
    rows: Rows,
    builder: DialogBuilder,
    elements: Mapping[int, Sequence[Element]],
    transactions: tuple[Sequence[Transaction], Mapping[int, int]],
) -> list[Command]:
    """Return the commands of all dialogs in order of their rows."""
    commands: list[Command] = []
    for number, found in elements.items():
        if number >= 0:
            pairer = Pairer(rows, number, builder.client_tags[number])
            commands += pairer.run(found, *transactions)
    commands.sort(key=Command.sort_key)
    return commands


def _rooms(reader: RoomReader, first_items: Sequence[int], command: Command) -> tuple[str, ...]:
    """Return the rooms that a command names; of one not captured those of its first reply."""
    element = command.element
    if element is None:
        if command.name not in ROOM_REPLIES:
            return ()
        element = command.answers[0]
    elif command.name in ROOMLESS:
        return ()
    return reader.facts(element.row, element.item - first_items[element.row]).rooms
