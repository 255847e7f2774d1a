"""The slots of start line and headers: identifiers by name of the header that holds them.

The rule: who decides a value is who says it first by the rules of SIP: a Call-ID and a From tag the
caller, a To tag whoever answers, a Contact its sender, an Expires in an answer the server.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.replay.derive.book import said
from analyzer.replay.script import SERVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.replay.derive.book import Book
    from analyzer.replay.derive.everywhere import Everywhere
    from analyzer.replay.derive.marks import Marks
    from analyzer.replay.derive.said import Said

_TAG = re.compile(r";[ \t]*tag[ \t]*=[ \t]*([^\s;,<>]+)", re.IGNORECASE)
_EPID = re.compile(r";[ \t]*epid[ \t]*=[ \t]*([^\s;,<>]+)", re.IGNORECASE)
_BRANCH = re.compile(r";[ \t]*branch[ \t]*=[ \t]*([^\s;,<>]+)", re.IGNORECASE)
_RECEIVED_PORT = re.compile(
    r";[ \t]*(?:ms-received-port|rport)[ \t]*=[ \t]*(\d{1,5})", re.IGNORECASE
)
_CID = re.compile(r";[ \t]*ms-received-cid[ \t]*=[ \t]*([0-9A-Fa-f]{1,32})", re.IGNORECASE)
_INSTANCE = re.compile(
    r"sip\.instance[ \t]*=[ \t]*\"?<?(?:urn:uuid:)?([0-9A-Za-z-]{8,64})", re.IGNORECASE
)
_GRUU = re.compile(r"opaque=(?:user:epid|srvr:\w{1,64}|app:[\w:]{1,64}):([\w+/=~-]{6,128})")
_URI = re.compile(r"<([^<>\s]{4,1024})>")
_BARE_URI = re.compile(r"[ \t]*(sips?:[^<>\s,]{1,1024}?)(?=[;,]|[ \t]*$)")
_EXPIRES = re.compile(r";[ \t]*expires[ \t]*=[ \t]*([1-9]\d{0,9})", re.IGNORECASE)
_SECONDS = re.compile(r"[ \t]*([1-9]\d{0,9})(?=[ \t]*(?:;|$))")
_NUMBER = re.compile(r"[ \t]*(\d{1,10})")
_CALL_ID = re.compile(r"\S{1,1024}")
_RFC_1123 = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d? [A-Z][a-z]{2} \d{4} [\d:]{8} \w{3}")


class Headers:
    """Marks start line and headers."""

    def __init__(self, book: Book, everywhere: Everywhere) -> None:
        self._book = book
        self._people = everywhere.people
        self._addresses = everywhere.addresses
        self._secrets = everywhere.secrets
        self._tokens = everywhere.tokens
        self._rules: dict[str, Callable[[str, Marks, Said], None]] = {
            "call-id": self._call_id,
            "cseq": self._cseq,
            "from": self._party,
            "to": self._party,
            "via": self._via,
            "contact": self._contact,
            "record-route": self._route,
            "route": self._route,
            "expires": self._expires,
            "session-expires": self._expires,
            "subscription-state": self._expires,
            "date": self._date,
            "ms-piggyback-cseq": self._piggyback,
        }

    def mark(self, one: Said) -> None:
        """Mark all of a message but its body."""
        self._start(one)
        for name, known, marks in one.headers:
            if known == "content-length":
                continue
            self._secrets.mark_header(name, known, marks, one)
            rule = self._rules.get(known)
            if rule is not None:
                rule(name, marks, one)
            self._common(name, marks, one)

    def _common(self, where: str, marks: Marks, one: Said) -> None:
        """Mark what may stand in any header."""
        self._tokens.mark(marks)
        self._gruu(where, marks, one)
        self._cid(where, marks, one)
        for match in _EPID.finditer(marks.text) if "epid" in marks.text else ():
            marks.claim(*match.span(1), self._book.find(("epid", one.client, match[1])))
        self._addresses.mark(marks, one, where)
        self._people.mark(marks, one, lambda _: where, body=False)

    def _start(self, one: Said) -> None:
        if not one.is_request:
            return
        marks = one.start
        start = marks.text.find(" ") + 1
        end = marks.text.rfind(" ")
        uri = marks.text[start:end]
        for key in (("contact", one.dialog, uri), ("route", one.dialog, uri)):
            marks.claim(start, end, self._book.find(key))
        self._common("Request-URI", marks, one)

    def _call_id(self, name: str, marks: Marks, one: Said) -> None:
        match = _CALL_ID.search(marks.text)
        if match is None:
            return
        value = match[0]
        slot = said("call-id", value, one, name, one.asker)
        found = self._book.said(("call-id", one.dialog, value), slot, f"{one.dialog}.call-id")
        if found is not None and self._book.find(("call-id", one.dialog)) is None:
            self._book.alias(("call-id", one.dialog), found)
        marks.claim(*match.span(), found)

    def _cseq(self, name: str, marks: Marks, one: Said) -> None:
        match = _NUMBER.match(marks.text)
        if match is not None:
            marks.claim(*match.span(1), self._number(match[1], one, name))

    def _number(self, number: str, one: Said, where: str) -> str | None:
        """Return the slot of a CSeq number: one for each request of a side of a dialog."""
        key = ("cseq", one.dialog, one.asker, int(number))
        slot = said("cseq", number, one, where, one.asker)
        return self._book.said(key, slot, f"{one.turn}.cseq")

    def _piggyback(self, _: str, marks: Marks, one: Said) -> None:
        """Mark the number of the SUBSCRIBE whose first notification an answer carries."""
        match = _NUMBER.match(marks.text)
        if match is not None:
            key = ("cseq", one.dialog, one.asker, int(match[1]))
            marks.claim(*match.span(1), self._book.find(key))

    def _party(self, name: str, marks: Marks, one: Said) -> None:
        """Mark tag and epid of From and To, which are their owner's."""
        is_from = name.lower() in ("from", "f")
        owner = one.asker if is_from else one.asked_party
        side = "client" if owner == one.client else "server"
        for match in _TAG.finditer(marks.text):
            slot = said("tag", match[1], one, f"{name} tag", owner)
            key = ("tag", one.dialog, match[1])
            marks.claim(*match.span(1), self._book.said(key, slot, f"{one.dialog}.{side}-tag"))
        for match in _EPID.finditer(marks.text):
            slot = said("epid", match[1], one, f"{name} epid", owner)
            stem = one.client if owner == one.client else one.dialog
            name_of = self._book.said(("epid", one.client, match[1]), slot, f"{stem}.epid")
            marks.claim(*match.span(1), name_of)

    def _via(self, name: str, marks: Marks, one: Said) -> None:
        for match in _BRANCH.finditer(marks.text):
            slot = said("branch", match[1], one, f"{name} branch", one.asker)
            key = ("branch", one.client, one.dialog, match[1])
            marks.claim(*match.span(1), self._book.said(key, slot, f"{one.turn}.branch"))
        for match in _RECEIVED_PORT.finditer(marks.text):
            self._addresses.mark_port(marks, match.span(1), one, f"{name} ms-received-port")

    def _cid(self, name: str, marks: Marks, one: Said) -> None:
        for match in _CID.finditer(marks.text) if "ms-received-cid" in marks.text else ():
            slot = said("opaque", match[1], one, f"{name} ms-received-cid", SERVER)
            key = ("cid", one.client, match[1])
            marks.claim(*match.span(1), self._book.said(key, slot, f"{one.client}.cid"))

    def _contact(self, name: str, marks: Marks, one: Said) -> None:
        for match in _INSTANCE.finditer(marks.text):
            slot = said("instance", match[1], one, f"{name} +sip.instance", one.client)
            key = ("instance", one.client, match[1])
            marks.claim(*match.span(1), self._book.said(key, slot, f"{one.client}.instance"))
        if one.by != SERVER:
            return
        self._seconds(_EXPIRES, name, marks, one)
        if one.method != "REGISTER" or not _is_success(one):
            self._uris("contact", name, marks, one)

    def _route(self, name: str, marks: Marks, one: Said) -> None:
        self._uris("route", name, marks, one)

    def _uris(self, kind: str, name: str, marks: Marks, one: Said) -> None:
        """Mark the URIs that a server is reached by: its Contact, or the route to it."""
        found = list(_URI.finditer(marks.text)) or list(_BARE_URI.finditer(marks.text))
        for match in found:
            if not marks.is_free(*match.span(1)):
                continue
            slot = said("contact" if kind == "contact" else "uri", match[1], one, name, SERVER)
            key = (kind, one.dialog, match[1])
            marks.claim(*match.span(1), self._book.said(key, slot, f"{one.dialog}.{kind}"))

    def _gruu(self, name: str, marks: Marks, one: Said) -> None:
        """Mark what tells a GRUU from others; it is the server that gives it."""
        if "opaque=" not in marks.text:
            return
        for match in _GRUU.finditer(marks.text):
            owner = SERVER if one.by == SERVER else None
            slot = said("contact", match[1], one, f"{name} gruu", owner or SERVER)
            key = ("gruu", one.client, match[1])
            marks.claim(*match.span(1), self._book.said(key, slot, f"{one.client}.gruu"))

    def _expires(self, name: str, marks: Marks, one: Said) -> None:
        if one.by == SERVER:
            self._seconds(
                _SECONDS if name.lower() != "subscription-state" else _EXPIRES, name, marks, one
            )

    def _seconds(self, pattern: re.Pattern[str], name: str, marks: Marks, one: Said) -> None:
        """Mark an expiry that the server sets; 0 is an end, and stays."""
        for match in pattern.finditer(marks.text):
            slot = said("expiry", match[1], one, name)
            session = name.lower() in ("session-expires", "x")
            stem = f"{one.turn}.session-expires" if session else f"{one.turn}.expires"
            key = ("expiry", one.turn, match[1])
            marks.claim(*match.span(1), self._book.said(key, slot, stem))

    def _date(self, name: str, marks: Marks, one: Said) -> None:
        match = _RFC_1123.search(marks.text)
        if match is not None:
            slot = said("date", match[0], one, name)
            found = self._book.said(("date", one.turn, match[0]), slot, f"{one.turn}.date")
            marks.claim(*match.span(), found)


def _is_success(one: Said) -> bool:
    return one.message.status is not None and one.message.status // 100 == 2
