"""Which commands the page shows, how they are drawn and in which order: as the address says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from analyzer.command_waits import waits_of
from analyzer.dashboard.filtering.shown import chosen_rows, filtered
from analyzer.dashboard.filtering.words import word
from analyzer.dashboard.kept_last import kept_last
from analyzer.filters.command_line import query_of
from analyzer.filters.lexing import FilterError, Lexer
from analyzer.query import Selection, command_test

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.command_waits import Wait
    from analyzer.dashboard.cases import Case
    from analyzer.dashboard.desk import Desk
    from analyzer.filters.lexing import Term

Chart = Literal["spread", "time"]
Measure = Literal["reply", "sip"]
CHARTS: dict[str, str] = {"spread": "by command", "time": "over time"}
MEASURES: dict[str, str] = {"reply": "the reply", "sip": "the SIP answer"}
SCALES: dict[str, str] = {"log": "logarithmic", "linear": "linear"}
ORDERS: dict[str, str] = {"slow": "unanswered and slowest first", "time": "as they were sent"}


@dataclass(frozen=True, slots=True)
class Look:
    """How the page shows the commands."""

    chart: Chart = "spread"
    measure: Measure | None = None
    """Which wait is drawn; None: that for the reply where there are replies."""
    log: bool = True
    order: str = "slow"

    @staticmethod
    def of(more: Mapping[str, str]) -> Look:
        """Return what an address asks for; what nobody understands is passed over."""
        measure = more.get("wait")
        return Look(
            "time" if more.get("chart") == "time" else "spread",
            cast("Measure", measure) if measure in MEASURES else None,
            more.get("scale") != "linear",
            "time" if more.get("order") == "time" else "slow",
        )


def all_waits(case: Case) -> Sequence[Wait]:
    """Return the waits of all commands of a case."""
    return case.once("waits", lambda: waits_of(case.trace))


def chosen_waits(desk: Desk) -> Sequence[Wait]:
    """Return those that session and filter let through.

    A filter that ``xccos commands`` can be asked lets through what it lists. Any other lets a
    command through with its own message, its SIP answer or one of its replies; one that names
    commands wants these alone, not the others in the same envelope.
    """
    selection = desk.selection
    key = (selection.session, selection.filter, selection.zone)
    return kept_last(desk.case, "waits", key, lambda: _chosen(desk))


def _chosen(desk: Desk) -> Sequence[Wait]:
    found = all_waits(desk.case)
    session = desk.selection.session
    if session is not None:
        found = [one for one in found if one.session == session]
    wanted = filtered(desk).filter
    if wanted is None:
        return found
    trace = desk.case.trace
    query = query_of(wanted.terms, desk.zone, trace.began or 0)
    if query is not None:
        listed = frozenset(Selection(trace, query).pair_numbers())
        return [one for one in found if one.pair in listed]
    rows = chosen_rows(desk)
    if rows is not None:
        let = frozenset(rows)
        found = [one for one in found if _is_let(one, let)]
    return _named(found, desk.selection.filter)


def _is_let(wait: Wait, rows: frozenset[int]) -> bool:
    return wait.row in rows or wait.sip_row in rows or not rows.isdisjoint(wait.replies)


def _named(found: Sequence[Wait], text: str) -> Sequence[Wait]:
    names = tuple(value for one in _terms(text) if not one.negated for value in one.texts)
    if not names:
        return found
    test = command_test(names)
    fits = {
        name: any(test(kind, f"{kind}:{name}") for kind in _kinds(name))
        for name in {one.command for one in found}
    }
    return [one for one in found if fits[one.command]]


def _terms(text: str) -> Sequence[Term]:
    """Return what a filter says of commands; nothing where nobody understands it."""
    try:
        return [one for one in Lexer(text).terms() if one.word == "command"]
    except FilterError:
        return ()


def _kinds(name: str) -> Sequence[str]:
    return ("grpchat",) if name == "grpchat" else ("cmd", "rpl")


def with_command(text: str, name: str | None) -> str:
    """Return a filter that asks for this command instead of others; None: for all of them."""
    rest = text
    for one in reversed(_terms(text)):
        if not one.negated:
            rest = f"{rest[: one.at].rstrip()} {rest[one.at + one.length :].lstrip()}"
    plain = rest.strip()
    return plain if name is None else f"{plain} {word('command', name)}".strip()


def asks_for(text: str, name: str) -> bool:
    """Say whether a filter asks for this very command."""
    return any(name in map(str.lower, one.texts) and not one.negated for one in _terms(text))
