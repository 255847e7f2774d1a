"""Registrations: who signed in where, read back from the REGISTERs of a trace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from analyzer.header_text import HeaderReader
from analyzer.legs import is_success
from analyzer.roles import plain_uri
from analyzer.transaction_table import FAILURE
from dissectors.sip.fields import parse_name_addr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.dialogs import DialogDraft
    from analyzer.states import Events
    from analyzer.trace import Trace
    from analyzer.transaction_table import Transactions

SERVER_AGENT = "rtcc/"
"""User-Agent of UCMA, the platform that the services themselves are built on."""
REDIRECT = range(300, 400)


EPID = re.compile(r'(?:"[^"\\]*+" ?)?<[^<>"\s]++>;tag=[\w.-]++;epid=(\w++)', re.ASCII)
"""``From`` as Microsoft clients write it; any other is parsed."""


class Registration(NamedTuple):
    """One registration dialog."""

    dialog: DialogDraft
    transactions: Sequence[int]
    """Its REGISTERs, without hop copies."""
    user: str
    """As it compares."""
    epid: str | None
    user_agent: str | None
    answer: int
    """Row of the first answer; -1 without."""
    signed_in: int | None
    """Row of the first 2xx."""
    signed_off: int | None
    """Row of the 2xx to a REGISTER with Expires 0."""
    redirected: bool
    """The last answer was a 3xx."""


def read_registration(
    trace: Trace, found: Transactions, events: Events, dialog: DialogDraft
) -> Registration:
    """Read a registration dialog back."""
    epid = agent = None
    transactions = dialog.group.transactions
    request, final = found.request, found.final
    first = next((request[one] for one in transactions if request[one] >= 0), -1)
    if first >= 0:
        headers = HeaderReader(trace, first)
        epid = _epid(headers.text("From") or "")
        agent = headers.text("User-Agent")
    answer = next((row for one in transactions for row in found.answers(one)), -1)
    staying: list[int] = []
    leaving: list[int] = []
    for one in transactions:
        if is_success(found.status(one)):
            leaves = request[one] >= 0 and events.asks_zero(request[one])
            (leaving if leaves else staying).append(final[one])
    statuses = [status for one in transactions if (status := found.status(one)) is not None]
    return Registration(
        dialog,
        transactions,
        plain_uri(dialog.client or ""),
        epid,
        agent,
        answer,
        staying[0] if staying else None,
        leaving[-1] if leaving else None,
        bool(statuses) and statuses[-1] in REDIRECT,
    )


def _epid(sender: str) -> str | None:
    plain = EPID.fullmatch(sender)
    if plain is not None:
        return plain[1]
    address = parse_name_addr(sender)
    return None if address is None else address.epid


def server_of(trace: Trace, registration: Registration) -> str | None:
    """Return ``Server``, else ``User-Agent``, of the first answer."""
    if registration.answer < 0:
        return None
    headers = HeaderReader(trace, registration.answer)
    return headers.text("Server") or headers.text("User-Agent")


def is_service(registration: Registration, services: set[str]) -> bool:
    """Say whether a registration is that of a service, not of a person."""
    agent = (registration.user_agent or "").lower()
    return registration.user in services or agent.startswith(SERVER_AGENT)


def refused(registration: Registration, found: Transactions) -> int | None:
    """Return the transaction whose answer refused the sign-in for good, or None."""
    last = next((one for one in reversed(registration.transactions) if found.status(one)), None)
    status = None if last is None else found.status(last)
    if registration.signed_in is not None or status is None:
        return None
    return last if status >= FAILURE and status not in REDIRECT else None
