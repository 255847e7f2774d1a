"""Words and lanes of the ladder of a comparison."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from analyzer.compare.naming import role_words
from analyzer.ladder.values import SLOW_MS, VERY_SLOW_MS, Lane
from analyzer.times import time_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.compare.values import Comparison, Exchange, Party, Sight
    from analyzer.ladder.values import Heat


def way_text(exchange: Exchange | None, sight: Sight) -> str:
    """Return ``client to Lookup``."""
    other = role_words(exchange.role) if exchange is not None else "server"
    return f"client to {other}" if sight.up else f"{other} to client"


def latency_of(exchange: Exchange | None, sight: Sight) -> tuple[float | None, str]:
    """Return the latency that the message which decides an exchange has, and since what."""
    if exchange is None or exchange.latency_ms is None or not exchange.sights:
        return None, ""
    decisive = "reply 1" if exchange.replies else "final"
    if sight.part != decisive:
        return None, ""
    return exchange.latency_ms, f"{exchange.family} in frame {exchange.sights[0].frame}"


def heat_of(latency: float | None) -> Heat:
    """Return how warm a latency is."""
    if latency is None or latency < SLOW_MS:
        return "quick"
    return "slow" if latency < VERY_SLOW_MS else "very-slow"


def whom_text(party: Party) -> str:
    """Return whose session it is."""
    return party.user or "unknown user"


def what_text(party: Party) -> str:
    """Return capture, session and beginning."""
    began = time_text(party.started, party.digits)
    name = f"{PurePath(party.file).name}, " if party.file else ""
    return f"{name}session {party.session + 1}, from {began}"


def lanes_of(found: Comparison) -> Iterator[Lane]:
    """Yield client and servers of A, then those of B."""
    for name, party in (("A", found.a), ("B", found.b)):
        key = name.lower()
        yield Lane(f"{key}-client", "client", f"{name}: client", whom_text(party))
        yield Lane(f"{key}-server", "server", f"{name}: servers", party.server or "")
