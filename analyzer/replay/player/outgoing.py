"""Turns to bytes, as they are sent to a live peer.

The rule: the template says what a message is about; everything that belongs to this dialog, this
hop and this transport (Via, From, To, Call-ID, CSeq, Route, Contact, the Request-URI, credentials,
Content-Length) is the live one's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.fill import fill_body
from analyzer.replay.player.calls import DIALOG_METHODS, OWN_CSEQ, record_route, tag_of, with_tag
from analyzer.replay.template import fill, slots_of
from dissectors.model import Malformed
from dissectors.sip.fields import parse_name_addr
from dissectors.sip.grammar import field_name
from dissectors.sip.parse import parse_message
from dissectors.sip.writer import build_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.replay.actions import Address
    from analyzer.replay.player.calls import Call
    from analyzer.replay.template import Template
    from dissectors.sip.messages import SipMessage

Headers = list[tuple[str, str]]

CREDENTIALS = frozenset(
    {"authorization", "proxy-authorization", "www-authenticate", "proxy-authenticate"}
    | {"authentication-info", "proxy-authentication-info"}
)
"""Of the recording; whoever plays has his own."""
MAX_FORWARDS = "70"
"""RFC 3261 section 8.1.1.6."""
_HOST_PORT = re.compile(r"(sips?:(?:[^@;>?]*@)?)([^;>?]+)(.*)", re.DOTALL)
_TRANSPORT = re.compile(r"(;transport=)[A-Za-z]+", re.IGNORECASE)
_GRUU = re.compile(r";\s*(?:temp-|pub-)?gruu=(?:\"[^\"]*\"|[^;,]*)", re.IGNORECASE)
_INSTANCE = re.compile(r";\s*\+sip\.instance=(?:\"[^\"]*\"|[^;,]*)", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Wire(NamedTuple):
    """Where a message goes out."""

    local: Address
    secure: bool

    @property
    def transport(self) -> str:
        """Return the name of the transport in Via."""
        return "TLS" if self.secure else "TCP"

    @property
    def uri(self) -> str:
        """Return a URI by which requests reach this end."""
        return f"sip:{self.local};transport={self.transport.lower()}"


class Draft(NamedTuple):
    """A message before it has credentials and a length."""

    start: str
    headers: Headers
    body: bytes

    def bytes(self, more: Headers | None = None) -> bytes:
        """Return the message; more headers stand before those of the body.

        What a peer said is given back without what would end a line.
        """
        at = next(
            (n for n, (name, _) in enumerate(self.headers) if field_name(name) == "content-type"),
            len(self.headers),
        )
        headers = [*self.headers[:at], *(more or ()), *self.headers[at:]]
        plain = [(name, _CONTROLS.sub(" ", value)) for name, value in headers]
        return build_message(_CONTROLS.sub(" ", self.start), plain, self.body)


class Writer:
    """Writes the messages of one conversation, from one side."""

    def __init__(
        self, value: Callable[[str], str], unknown: Callable[[str], bool], *, server: bool
    ) -> None:
        """Fill slots with ``value``; ``unknown`` are those that the peer has not said yet."""
        self._value = value
        self._unknown = unknown
        self._server = server

    def fill(self, text: str) -> str:
        """Return a text filled, without what would end a header line."""
        return _CONTROLS.sub(" ", fill(text, self._value)) if "${" in text else text

    def request(self, template: Template, call: Call, wire: Wire, branch: str) -> Draft:
        """Return a request of ours; ``call.cseq`` is counted up where it needs a new number."""
        method = template.method
        number = call.cseq if method in OWN_CSEQ else call.next_cseq()
        inside = call.established and method != "REGISTER"
        live = _live_headers(method, number, call, wire, branch, inside=inside)
        headers: Headers = []
        for name, text in template.headers:
            key = field_name(name)
            if key in live:
                headers += live.pop(key)
            elif key == "contact":
                headers.append((name, self._contact(text, wire)))
            elif key not in _LIVE and key not in CREDENTIALS:
                headers += self._passed(name, key, text, call)
        uri = call.routed[0] if inside and call.target else self.uri(template)
        headers += [header for key in _DEMANDED for header in live.pop(key, ())]
        if template.header("Max-Forwards") is None:
            headers.append(("Max-Forwards", MAX_FORWARDS))
        return Draft(f"{method} {uri} SIP/2.0", headers, fill_body(template, self._value))

    def _passed(self, name: str, key: str, text: str, call: Call) -> Headers:
        """Return a header of the template; what a front end added not behind a live proxy."""
        if key == "record-route" and call.proxied:
            return []
        return [(name, self.fill(text))]

    def uri(self, template: Template) -> str:
        """Return the Request-URI of the template, filled."""
        return self.fill(template.start.partition(" ")[2].rpartition(" ")[0])

    def _contact(self, text: str, wire: Wire) -> str:
        """Return our Contact: of a server where it listens, of a client his gruu or his address."""
        if self._server:
            return placed(self.fill(text), wire)
        if any(self._unknown(name) for name in slots_of(text)):
            return f"<{wire.uri}>"
        return _TRANSPORT.sub(rf"\g<1>{wire.transport.lower()}", self.fill(text))

    def response(self, template: Template, call: Call, request: SipMessage, wire: Wire) -> Draft:
        """Return a response of ours (RFC 3261 section 8.2.6)."""
        headers = copied(request, call, template.status or 200)
        direct = len(request.vias) <= 1 and not record_route(request)
        for name, text in template.headers:
            key = field_name(name)
            if key in _LIVE or key in CREDENTIALS:
                continue
            if key == "contact":
                headers.append((name, self._answered_contact(text, request, wire)))
            elif key != "record-route" or direct:
                headers.append((name, self.fill(text)))
        return Draft(self.fill(template.start), headers, fill_body(template, self._value))

    def _answered_contact(self, text: str, request: SipMessage, wire: Wire) -> str:
        """Return the Contact of a response.

        A registrar gives back the binding (RFC 3261 section 10.3), with a gruu only to whom it can
        reach by it: through a proxy that knows none the client had better keep its address.
        """
        if request.method != "REGISTER":
            return self._contact(text, wire)
        filled = self.fill(text)
        asked = request.headers.first("contact")
        if asked is None or parse_name_addr(filled) is None:
            return filled
        bound, bracket, _ = asked.partition(">")
        params = filled.partition(">")[2] if "<" in filled else ""
        if "+sip.instance" not in asked.lower():  # no gruu without one (RFC 5627 section 3.2)
            params = _GRUU.sub("", _INSTANCE.sub("", params))
        answer = f"{bound}>{params}" if bracket else f"<{asked.partition(';')[0]}>{params}"
        return _GRUU.sub("", answer) if len(request.vias) > 1 else answer


_LIVE = frozenset(
    {"via", "from", "to", "call-id", "cseq", "content-length", "route", "transfer-encoding"}
)
"""Headers that are never the template's."""
_DEMANDED = ("via", "from", "to", "call-id", "cseq")
"""RFC 3261 section 8.1.1: a script that people edited may lack them."""


def _live_headers(
    method: str, number: int, call: Call, wire: Wire, branch: str, *, inside: bool
) -> dict[str, Headers]:
    """Return the headers that are ours, by the place of the template's in which they stand."""
    routes = [("Route", one) for one in call.routed[1]] if inside else []
    return {
        "via": [("Via", f"SIP/2.0/{wire.transport} {wire.local};branch={branch}")],
        "from": [("From", call.local)],
        "to": [("To", call.remote)],
        "call-id": [("Call-ID", call.call_id)],
        "cseq": [("CSeq", f"{number} {method}"), *routes],
    }


def copied(request: SipMessage, call: Call, status: int) -> Headers:
    """Return the headers of a response that are the request's."""
    first = request.headers.first
    to = first("to") or ""
    if status > 100:  # RFC 3261 section 8.2.6.2
        to = with_tag(to, tag_of(call.local) or "")
    headers: Headers = [("Via", one) for one in request.headers.all("via")]
    headers += [("From", first("from") or ""), ("To", to)]
    headers += [("Call-ID", first("call-id") or ""), ("CSeq", first("cseq") or "")]
    if request.method in DIALOG_METHODS and status > 100:
        headers += [("Record-Route", one) for one in record_route(request)]
    return headers


def placed(value: str, wire: Wire) -> str:
    """Return a Contact of a server with the address that it really listens at."""
    before, bracket, rest = value.partition("<")
    uri, _, tail = rest.partition(">") if bracket else (value, "", "")
    match = _HOST_PORT.match(uri)
    if match is None:
        return value
    there = _TRANSPORT.sub(rf"\g<1>{wire.transport.lower()}", f"{match[1]}{wire.local}{match[3]}")
    return f"{before}<{there}>{tail}" if bracket else there


def simple_request(method: str, call: Call, wire: Wire, branch: str, more: Headers) -> Draft:
    """Return a request inside a dialog that the script does not have: BYE, ACK, CANCEL, UPDATE."""
    number = call.cseq if method in OWN_CSEQ else call.next_cseq()
    live = _live_headers(method, number, call, wire, branch, inside=True)
    headers = [header for key in _DEMANDED for header in live[key]]
    headers.append(("Max-Forwards", MAX_FORWARDS))
    return Draft(f"{method} {call.routed[0]} SIP/2.0", [*headers, *more], b"")


def simple_response(
    request: SipMessage, call: Call, status: str, more: Headers, body: bytes = b""
) -> Draft:
    """Return a response that the script does not have; ``status``: ``200 OK``."""
    headers = copied(request, call, int(status.partition(" ")[0]))
    return Draft(f"SIP/2.0 {status}", [*headers, *more], body)


_OF_INVITE = frozenset({"via", "max-forwards", "from", "to", "call-id", "route"})
"""What a CANCEL has from its INVITE (RFC 3261 section 9.1)."""


def cancel_of(raw: bytes) -> Draft | None:
    """Return the CANCEL of an INVITE of ours: same Request-URI, branch and number."""
    message = parse_message(raw)
    if isinstance(message, Malformed) or message.cseq is None:
        return None
    headers = [
        (one.name, one.value) for one in message.headers if field_name(one.name) in _OF_INVITE
    ]
    headers.append(("CSeq", f"{message.cseq.number} CANCEL"))
    return Draft(f"CANCEL {message.uri} SIP/2.0", headers, b"")
