"""An account as a record: the contract of ``xccos replay --json`` (docs/schema)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.replay.results import Verdict
    from analyzer.replay.told.account import Account, End, Spread

Record = dict[str, Any]
FORMAT = 1
"""Of the document; raised when a key is removed or gets another meaning."""


def account_record(account: Account, departures: list[Record] | None = None) -> Record:
    """Return what a play came to.

    Args:
        account: of the play.
        departures: where it left the original (``analyzer.replay.departure``); None: not compared.
    """
    return {
        "format": FORMAT,
        "script": account.script,
        "title": account.title,
        "held": account.held,
        "seconds": _rounded(account.seconds),
        "ends": [_end(end) for end in account.ends],
        "remarks": list(account.remarks),
        "departures": departures,
    }


def _end(end: End) -> Record:
    return {
        "role": end.role,
        "held": end.held,
        "complete": end.complete,
        "played": end.played,
        "counts": dict(end.counts),
        "verdicts": [_verdict(verdict) for verdict in end.verdicts],
        "verdicts_left_out": end.left_out,
        "latencies": [_spread(spread) for spread in end.spreads],
        "notes": list(end.notes),
    }


def _verdict(verdict: Verdict) -> Record:
    return {
        "turn": verdict.turn,
        "client": verdict.client,
        "user": verdict.user,
        "what": verdict.what,
        "status": verdict.status,
        "good": verdict.good,
        "differences": [one._asdict() for one in verdict.differences],
        "detail": verdict.detail or None,
        "at": _rounded(verdict.at),
    }


def _spread(spread: Spread) -> Record:
    return {
        "what": spread.what,
        "count": spread.answers,
        "p50_ms": _milliseconds(spread.p50),
        "p95_ms": _milliseconds(spread.p95),
        "p99_ms": _milliseconds(spread.p99),
        "max_ms": _milliseconds(spread.most),
    }


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
