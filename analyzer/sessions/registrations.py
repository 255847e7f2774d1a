"""Registrations: who signed in where, read back from the REGISTERs of a trace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.header_text import HeaderReader
from analyzer.lazy import once
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


class Registration:
    """One registration dialog."""

    def __init__(
        self, trace: Trace, found: Transactions, events: Events, dialog: DialogDraft
    ) -> None:
        """Read it back as far as sessions are told apart by it."""
        self.dialog = dialog
        self.transactions: Sequence[int] = dialog.group.transactions
        """Its REGISTERs, without hop copies."""
        self.user = plain_uri(dialog.client or "")
        """As it compares."""
        self.epid: str | None = None
        self.user_agent: str | None = None
        self._found = found
        self._events = events
        request = found.request
        first = next((request[one] for one in self.transactions if request[one] >= 0), -1)
        if first >= 0:
            headers = HeaderReader(trace, first)
            self.epid = _epid(headers.text("From") or "")
            self.user_agent = headers.text("User-Agent")

    @once
    def answer(self) -> int:
        """Row of the first answer; -1 without."""
        found = self._found
        return next((row for one in self.transactions for row in found.answers(one)), -1)

    @once
    def _successes(self) -> tuple[list[int], list[int]]:
        """Rows of the 2xx, and of those to a REGISTER with Expires 0."""
        request, final = self._found.request, self._found.final
        staying: list[int] = []
        leaving: list[int] = []
        for one in self.transactions:
            if is_success(self._found.status(one)):
                leaves = request[one] >= 0 and self._events.asks_zero(request[one])
                (leaving if leaves else staying).append(final[one])
        return staying, leaving

    @property
    def signed_in(self) -> int | None:
        """Row of the first 2xx."""
        return next(iter(self._successes[0]), None)

    @property
    def signed_off(self) -> int | None:
        """Row of the 2xx to a REGISTER with Expires 0."""
        return next(reversed(self._successes[1]), None)

    @once
    def redirected(self) -> bool:
        """The last answer was a 3xx."""
        status_of = self._found.status
        statuses = [status for one in self.transactions if (status := status_of(one)) is not None]
        return bool(statuses) and statuses[-1] in REDIRECT


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
