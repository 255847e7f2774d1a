"""What sessions are made of: the results of the stages before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.commands import Command
    from analyzer.contents import Elements
    from analyzer.dialogs import DialogDraft
    from analyzer.groups import Groups
    from analyzer.outcomes import OutcomeJudge
    from analyzer.room_reader import RoomReader
    from analyzer.states import Events
    from analyzer.trace import Trace
    from analyzer.transaction_table import Transactions
    from analyzer.visibility import Visibility


@dataclass(frozen=True, slots=True)
class Material:
    """The dialogs, commands and transactions of one trace."""

    trace: Trace
    visibility: Visibility
    transactions: Transactions
    copies: Mapping[int, int]
    groups: Groups
    dialogs: Sequence[DialogDraft]
    elements: Elements
    events: Events
    outcomes: OutcomeJudge
    commands: Sequence[Command]
    lookups: Mapping[int, tuple[str, ...]]
    """Rows of ``rpl:requri`` in the trace with the URIs that each brought."""
    reader: RoomReader
