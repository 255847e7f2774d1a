"""People and domains of a recording: found before the first slot is named.

The rule: an address of record is a slot wherever it stands in the case of the wire; a domain is one
where it is a domain: behind ``@``, as the end of a host name, in a room's URI.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.replay.derive.book import said
from analyzer.replay.script import SERVER, Slot
from analyzer.roles import LOOKUP_USERS, plain_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from analyzer.replay.derive.book import Book
    from analyzer.replay.derive.marks import Marks
    from analyzer.replay.derive.said import Said

ADDRESS = re.compile(
    r"(?<![\w.%+~!&'*=-])[A-Za-z0-9_][\w.%+~!&'*-]{0,63}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?",
    re.ASCII,
)
NUMERIC = re.compile(r"[0-9.]+")
MAX_DOMAINS = 64
"""Domains of users and rooms: a deployment has a handful."""
ROOM_DOMAIN = re.compile(
    r'ma-c(?:han|at)://([A-Za-z0-9][A-Za-z0-9.-]{0,252})/|domain="([^"]{1,253})"'
)


def address_of(uri: str) -> str:
    """Return a SIP URI without its scheme and parameters, in the case of the wire."""
    plain = uri.partition(";")[0].partition("?")[0].strip("<> ")
    scheme, colon, rest = plain.partition(":")
    return rest if colon and scheme.lower() in ("sip", "sips", "tel", "im") else plain


class People:
    """Marks addresses of record and domains."""

    def __init__(self, book: Book, users: dict[str, str], services: Iterable[str]) -> None:
        """Take the URIs of the clients' users, and of the services that they spoke with."""
        self._book = book
        self._services = {plain_uri(uri).removeprefix("sip:") for uri in services}
        self._services -= {address_of(uri).lower() for uri in users.values()}
        self._users: dict[str, tuple[str, str]] = {}
        """Address in lower case: as it was first written, and its slot."""
        self._by_convention: set[str] = set()
        """Services whose name a client knew without being told."""
        self._domains: dict[str, str] = {}
        self._search: re.Pattern[str] | None = None
        for client, uri in users.items():
            self._client(client, address_of(uri))

    def _client(self, client: str, address: str) -> None:
        slot = Slot("", "user", address, client, None, "address of record")
        name = self._book.said(("user", client), slot, f"{client}.user")
        if name is not None:
            self._users.setdefault(address.lower(), (address, name))
            self.domain(address.rpartition("@")[2] if "@" in address else "", client, name)

    def domain(self, domain: str, by: str | None, part_of: str | None = None) -> str | None:
        """Return the slot of a domain, a new one where there is none; None for what is none."""
        key = ("domain", domain)
        known = self._book.find(key)
        if known or not domain or NUMERIC.fullmatch(domain) or len(self._domains) >= MAX_DOMAINS:
            return known
        slot = Slot("", "domain", domain, by, None, "domain", part_of or self._same(domain))
        name = self._book.numbered(key, slot, "domain")
        if name is not None:
            self._domains[domain] = name
            self._search = None
        return name

    def _same(self, domain: str) -> str | None:
        """Return the user whose domain it is in another case (RFC 3261 section 19.1.4)."""
        lower = domain.lower()
        same = (name for known, name in self._domains.items() if known.lower() == lower)
        return next((self._book.slot(name).part_of for name in same), None)

    def note_domains(self, one: Said) -> None:
        """Take note of the domains of rooms that a body names."""
        for match in ROOM_DOMAIN.finditer(one.body.text) if one.xccos else ():
            self.domain(match[1] or match[2], one.by)

    def mark(self, marks: Marks, one: Said, where: Callable[[int], str], *, body: bool) -> None:
        """Mark the addresses and the domains of a text; ``where`` says what stands at a place."""
        if "@" in marks.text:
            for match in ADDRESS.finditer(marks.text):
                if marks.is_free(*match.span()):
                    name = self._address(match[0], one, where(match.start()), body=body)
                    marks.claim(*match.span(), name)
        self.mark_domains(marks)

    def mark_domains(self, marks: Marks) -> None:
        """Mark the domains of a text."""
        for match in self._domain_pattern().finditer(marks.text):
            marks.claim(match.start(), match.end(), self._domains[match[0]])

    def _domain_pattern(self) -> re.Pattern[str]:
        """Return what finds the domains, a longer one before its end."""
        if self._search is None:
            longest = sorted(self._domains, key=len, reverse=True)
            whole = [re.escape(one) for one in longest if "." in one]
            short = [re.escape(one) for one in longest if "." not in one]
            ends = r"(?![\w-]|\.[A-Za-z0-9])"
            parts = []
            if whole:
                parts.append(rf"(?<![\w-])(?:{'|'.join(whole)}){ends}")
            if short:  # a bare word is a domain behind an @ or in a room's URI alone
                parts.append(rf"(?:(?<=@)|(?<=://)|(?<=domain=\"))(?:{'|'.join(short)}){ends}")
            self._search = re.compile("|".join(parts) or r"(?!)", re.ASCII)
        return self._search

    def _address(self, address: str, one: Said, where: str, *, body: bool) -> str | None:
        lower = address.lower()
        known = self._users.get(lower)
        if known is not None:
            return known[1] if known[0] == address else None
        if lower in self._services:
            return self._service(address, one, where, body=body)
        slot = Slot("", "user", address, where=where)
        name = self._book.numbered(("user", lower), slot, "user")
        if name is not None:
            self._users[lower] = (address, name)
        return name

    def _service(self, address: str, one: Said, where: str, *, body: bool) -> str | None:
        """Return the slot of a service's address: what a server says first, a client learns."""
        lower = address.lower()
        key = ("service", lower)
        known = self._book.find(key)
        if known is not None:
            return known if self._book.slot(known).value == address else None
        if lower in self._by_convention:
            return None
        if one.by == SERVER and one.live and body:
            return self._book.numbered(key, said("uri", address, one, where), "uri")
        if lower.partition("@")[0] in LOOKUP_USERS:
            self._by_convention.add(lower)
            return None  # its domain alone is a slot
        return self._book.numbered(key, Slot("", "uri", address, where=where), "uri")
