"""Servers: what several users together tell of a service."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from analyzer.diagnostics.refusals import UNAVAILABLE
from analyzer.diagnostics.rule import Hit, Rule
from analyzer.header_text import HeaderReader
from analyzer.legs import is_success
from analyzer.roles import LOOKUP_USERS, plain_uri, user_part
from analyzer.times import SECOND, duration_text
from analyzer.views.numbers import amount, frames_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.diagnostics.rule import Case

TOGETHER_NS = 60 * SECOND
"""Troubles of several users so close together have one reason."""
RETURNS = 2
"""Registrations anew of one lookup account, beyond the first of each server, that are flapping."""
FLAPPING_NS = 1800 * SECOND
"""Within this time; a refresh comes every hour or two."""
SHOWN_ROWS = 200
"""Messages of one finding: a server in trouble has thousands."""


class Trouble(NamedTuple):
    """One request of one user that was refused or not answered."""

    time: int
    row: int
    user: str
    refused: bool


def in_trouble(case: Case) -> Iterator[Hit]:
    """Row 21: refusals and silence for several users at once."""
    troubles = sorted(_troubles(case))
    begin = 0
    while begin < len(troubles):
        end = begin + 1
        while end < len(troubles) and troubles[end].time - troubles[end - 1].time <= TOGETHER_NS:
            end += 1
        users = dict.fromkeys(one.user for one in troubles[begin:end])
        if len(users) > 1 and end - begin >= case.thresholds.overload_burst:
            yield _trouble(case, troubles[begin:end], list(users))
        begin = end


def _troubles(case: Case) -> Iterator[Trouble]:
    for refusals in case.refusals.values():
        for one in refusals:
            if one.status == UNAVAILABLE and one.by_client:
                user = case.user(one.session)
                yield Trouble(case.time(one.rows[0]), one.rows[0], user, refused=True)
    for view in case.sessions:
        for command in view.commands:
            if command.outcome == "unanswered":
                user = case.user(view.index)
                yield Trouble(view.time(command.row), command.row, user, refused=False)


def _trouble(case: Case, troubles: Sequence[Trouble], users: Sequence[str]) -> Hit:
    refused = sum(one.refused for one in troubles)
    told = [
        f"{amount(refused, 'request')} answered 503" if refused else "",
        f"{amount(len(troubles) - refused, 'command')} without reply"
        if refused < len(troubles)
        else "",
    ]
    rows = tuple(one.row for one in troubles[:SHOWN_ROWS])
    lasted = duration_text(troubles[-1].time - troubles[0].time)
    more = "" if len(users) <= 5 else f" and {len(users) - 5} more"
    text = (
        f"the service was in trouble for {len(users)} users at once ({', '.join(users[:5])}{more}):"
        f" {' and '.join(part for part in told if part)} within {lasted} "
        f"({frames_text(map(case.frame, rows))})"
    )
    return Hit(text, rows, None, "likely")


class Registered(NamedTuple):
    """An accepted REGISTER of a lookup account."""

    time: int
    row: int
    host: str
    call: int
    leaves: bool


def flapping(case: Case) -> Iterator[Hit]:
    """Row 8: chat servers register one lookup account again and again."""
    for account, found in _lookup_accounts(case).items():
        returns, hosts = _returns(found), {one.host for one in found}
        times = [one.time for one in returns]
        for k, one in enumerate(returns):
            close = returns[k : bisect_right(times, one.time + FLAPPING_NS)]
            if len(close) >= RETURNS:
                rows = tuple(each.row for each in found[:SHOWN_ROWS])
                left = sum(each.leaves for each in found)
                text = (
                    f"the lookup account {account} is flapping: {amount(len(hosts), 'server')} "
                    f"({', '.join(sorted(hosts)[:5])}) registered it anew "
                    f"{amount(len(returns), 'time')} and took it back {amount(left, 'time')} "
                    f"({frames_text(map(case.frame, rows))})"
                )
                yield Hit(text, rows, None, "likely", user=account)
                break


def _lookup_accounts(case: Case) -> dict[str, list[Registered]]:
    """Return the accepted registrations of lookup accounts, in order."""
    found: dict[str, list[Registered]] = {}
    for row, account in _lookup_registers(case):
        known = case.analysis.transactions[case.analysis.transaction_of[row]]
        if known.request != row or known.copy_of is not None or not is_success(known.status):
            continue
        headers = HeaderReader(case.trace, row)
        zero = (headers.text("Expires") or "").strip() == "0"
        leaves = zero or "expires=0" in (headers.text("Contact") or "").replace(" ", "")
        host = case.trace.streams[case.rows.stream[row]].src.rpartition(":")[0]
        call = case.rows.call_id[row]
        found.setdefault(account, []).append(Registered(case.time(row), row, host, call, leaves))
    return found


def _lookup_registers(case: Case) -> list[tuple[int, str]]:
    """Return the REGISTERs of lookup accounts, each with its account."""
    rows = case.rows
    value, register = rows.strings.values, rows.strings.find("REGISTER")
    if register is None:
        return []
    asked = [
        (row, rows.from_uri[row])
        for row, method in enumerate(rows.method)
        if method == register and rows.status[row] < 0
    ]
    uris = {number: plain_uri(value[number] or "") for _, number in asked}
    known = {
        plain_uri(one.service or "") for view in case.sessions for one in view.of_role("lookup")
    }
    lookups = {
        number: uri
        for number, uri in uris.items()
        if user_part(uri) in LOOKUP_USERS or (uri and uri in known)
    }
    return [(row, lookups[number]) for row, number in asked if number in lookups]


def _returns(found: Sequence[Registered]) -> list[Registered]:
    """Return the registrations by which a server came back after it had been there."""
    calls: dict[str, int] = {}
    returns = []
    for one in found:
        if one.leaves:
            calls[one.host] = -1
        elif calls.setdefault(one.host, one.call) != one.call:
            calls[one.host] = one.call
            returns.append(one)
    return returns


RULES: tuple[Rule, ...] = (
    Rule(
        "GC106",
        "warning",
        "Lookup account flapping",
        "All chat servers of a pool register the same lookup account. Where the pool allows fewer "
        "endpoints of a user than there are chat servers, they push one another out, and lookups "
        "fail now and then.",
        "Raise the limit of endpoints (multiple points of presence) of the pool above the number "
        "of chat servers; look for events of the source OCS MGC.",
        "Microsoft: Effect of Multiple Points of Presence on Group Chat",
        flapping,
    ),
    Rule(
        "GC701",
        "warning",
        "Service in trouble for several users",
        "Several users get 503 or no replies at the same time: it is the service, not a client. A "
        "lost or overloaded database shows like this.",
        "Look at the chat server and its database at that time (event 53530: connection to the "
        "database lost).",
        "Microsoft: Persistent Chat database connection was lost (event 53530)",
        in_trouble,
    ),
)
