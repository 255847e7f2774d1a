"""From the rows of a trace to its meaning: ``analyse`` is the only entry.

The order is fixed: transactions, hop copies, dialogs, command pairs, sessions. Each stage reads what
the ones before it made and writes nothing into it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.commands import Pairer
from analyzer.contents import elements_by_group
from analyzer.dialogs import DialogBuilder
from analyzer.groups import Groups
from analyzer.hops import find_copies
from analyzer.legs import find_legs
from analyzer.model import Analysis
from analyzer.outcomes import OutcomeJudge
from analyzer.roles import Judge
from analyzer.room_reader import RoomReader
from analyzer.transactions import freeze, match
from analyzer.visibility import Visibility

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.commands import Command
    from analyzer.contents import Element
    from analyzer.model import CommandPair, Dialog, Transaction
    from analyzer.trace import Trace
