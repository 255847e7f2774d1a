"""Registrations: who signed in where, read back from the REGISTERs of a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.header_text import header_text
from analyzer.legs import answers_of, is_success
from analyzer.roles import plain_uri
from analyzer.states import asks_zero
from analyzer.transactions import FAILURE
from dissectors.sip.fields import parse_name_addr

if TYPE_CHECKING:
    from analyzer.model import Dialog, Transaction
    from analyzer.trace import Trace

SERVER_AGENT = "rtcc/"
"""User-Agent of UCMA, the platform that the services themselves are built on."""
REDIRECT = range(300, 400)


class Registration(NamedTuple):
    """One registration dialog."""

    dialog: Dialog
    transactions: tuple[Transaction, ...]
    """Its REGISTERs, without hop copies."""
    user: str
    """As it compares."""
    epid: str | None
    user_agent: str | None
    server: str | None
    signed_in: int | None
    """Row of the first 2xx."""
    signed_off: int | None
    """Row of the 2xx to a REGISTER with Expires 0."""
    redirected: bool
    """The last answer was a 3xx."""


def read_registration(
    trace: Trace, dialog: Dialog, transactions: tuple[Transaction, ...]
) -> Registration:
    """Read a registration; ``transactions`` are those of the dialog, without hop copies."""
    epid = agent = server = None
    first = next((one.request for one in transactions if one.request is not None), None)
    if first is not None:
        sender = parse_name_addr(header_text(trace, first, "From") or "")
        epid = None if sender is None else sender.epid
        agent = header_text(trace, first, "User-Agent")
    answer = next((row for one in transactions for row in answers_of(one)), None)
    if answer is not None:
        server = header_text(trace, answer, "Server") or header_text(trace, answer, "User-Agent")
    good = [one for one in transactions if is_success(one.status)]
    leaving = [one for one in good if one.request is not None and asks_zero(trace, one.request)]
    staying = [one for one in good if one not in leaving]
    statuses = [one.status for one in transactions if one.status is not None]
    return Registration(
        dialog,
        transactions,
        plain_uri(dialog.client or ""),
        epid,
        agent,
        server,
        staying[0].final if staying else None,
        leaving[-1].final if leaving else None,
        bool(statuses) and statuses[-1] in REDIRECT,
    )


def is_service(registration: Registration, services: set[str]) -> bool:
    """Say whether a registration is that of a service, not of a person."""
    agent = (registration.user_agent or "").lower()
    return registration.user in services or agent.startswith(SERVER_AGENT)


def refused(registration: Registration) -> Transaction | None:
    """Return the transaction whose answer refused the sign-in for good, or None."""
    last = next((one for one in reversed(registration.transactions) if one.status), None)
    if registration.signed_in is not None or last is None or last.status is None:
        return None
    return last if last.status >= FAILURE and last.status not in REDIRECT else None
