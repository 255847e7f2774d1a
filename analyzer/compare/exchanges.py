"""All exchanges of one session in the order in which they began."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.compare.chat_exchanges import command_exchanges, deliveries, lost_copies
from analyzer.compare.sip_exchanges import sip_exchanges

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.compare.source import Source
    from analyzer.compare.values import Exchange
    from analyzer.flows.values import FlowRun


def exchanges_of(source: Source, runs: Iterable[FlowRun]) -> list[Exchange]:
    """Return the exchanges of a session; ``runs`` are those of all flows of its capture."""
    found = [
        *sip_exchanges(source),
        *command_exchanges(source),
        *deliveries(source),
        *lost_copies(source, runs),
    ]
    found.sort(key=_place)
    return found


def _place(one: Exchange) -> tuple[int, int, int]:
    row = one.sights[0].row if one.sights else -1
    return one.began, row, one.item[1] if one.item is not None else -1
