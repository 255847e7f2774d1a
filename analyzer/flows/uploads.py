"""Uploads: the connection of a client to the URI that a file token came with.

HTTPS shows the server's name (SNI) and nothing more; plain HTTP shows the operation. A connection
belongs to a token by the name of the server, else by its port and the client's address. That there
was none is likely only: a capture may have been filtered.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_left
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urlsplit

from analyzer.lazy import once
from analyzer.others import MAX_OTHERS
from analyzer.times import SECOND
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.commands import Command
    from analyzer.quality import OtherConnection
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace

TOKEN_NS = 30 * 60 * SECOND
"""Lifetime of a token (database schema of Persistent Chat)."""
IDLE_NS = 120 * SECOND
"""A connection that began so long before the token may still be used: HTTP.sys closes idle ones
after two minutes."""
MAX_LOOKED_AT = 512
"""Connections that are looked at for one token."""
SOON_NS = 5 * SECOND
"""Of tokens so soon after one another the uploads may come in any order."""
HTTP_FAILURE = 400
HANDSHAKE, CLIENT_HELLO, SERVER_NAME = 22, 1, 0
ALERT, FATAL = b"\x15", b"\x02"
HELLO_AT = 9
"""Where a ClientHello begins: after the heads of the record and of the handshake (RFC 8446 4)."""
NAME_AT = 5
"""Where the name begins in a list of names: after the lengths of both and its type."""
SHOWN = 4
"""Operations that a sentence lists."""
MOST_MISSING = 2048
"""Bytes of a ClientHello beyond those remembered: with keys of all kinds it has less than that."""
SIP_PORTS = frozenset({5060, 5061, 5062})
"""A front end may be Web service and SIP server at once, under one name."""
PORTS = {"https": 443, "http": 80}

_REQUEST = re.compile(rb"([A-Z]{3,16}) ([^\r\n ]{1,400}) HTTP/1\.[01]\r?\n")
_RESPONSE = re.compile(rb"HTTP/1\.[01] (\d{3})")
_HEADER = re.compile(rb"\r?\n([A-Za-z-]{1,40}):[ \t]*([^\r\n]{0,400})")
_FAULT = re.compile(rb"<(?:\w+:)?faultstring[^>]{0,80}>([^<]{1,200})")

State = Literal["seen", "encrypted", "failed", "absent", "unknown"]


class Token(NamedTuple):
    """A file token, as ``rpl:getftok`` brought it."""

    row: int
    """Row of the reply."""
    time: int
    uri: str
    scheme: str
    host: str
    port: int


class Talk(NamedTuple):
    """What a connection shows of itself in its first bytes."""

    host: str | None
    """SNI, or Host without its port; lower case."""
    operations: tuple[str, ...]
    """Of SOAP requests, else their methods and paths; each once."""
    fault: str | None
    """Why it failed, in words."""


class Upload(NamedTuple):
    """What the capture shows of the upload that a token was for."""

    state: State
    """``seen``: plain HTTP. ``encrypted``: HTTPS. ``failed``: the Web service refused it.
    ``absent``: there is no such connection. ``unknown``: the capture cannot tell."""
    frames: tuple[int, ...]
    time: int | None
    expired: bool
    """The token was older than 30 minutes."""
    detail: str


def token_of(view: SessionView, command: Command) -> Token | None:
    """Return the token that a ``getfutok`` or ``getfdtok`` was answered with."""
    elements = view.material.elements
    for reply in command.answers:
        document = view.trace.document(reply.row)
        if document is None or isinstance(document, Malformed):
            continue
        position = elements.position(reply.element)
        nodes = (
            document.items[position].node.iter("token") if position < len(document.items) else ()
        )
        for node in nodes:
            token = _token(reply.row, view.time(reply.row), node.get("serveruri") or "")
            if token is not None:
                return token
    return None


def _token(row: int, time: int, uri: str) -> Token | None:
    try:
        parts = urlsplit(uri.strip())
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return None
    if port is None or not parts.hostname:
        return None
    return Token(row, time, uri.strip(), parts.scheme, parts.hostname.lower(), port)


class Uploads:
    """The connections of one trace that carry no SIP."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    @once
    def _others(self) -> Sequence[OtherConnection]:
        return self._trace.quality.others

    @once
    def _by_label(self) -> dict[str, list[OtherConnection]]:
        """The connections by the first label of the server's name; the nameless by ``""``."""
        return _grouped(self._others, lambda one: (talk_of(one).host or "").partition(".")[0])

    @once
    def _by_address(self) -> dict[str, list[OtherConnection]]:
        """The connections by the address of the server, with its port."""
        return _grouped(self._others, lambda one: one.responder)

    def of(self, token: Token, client: str, until: int | None = None) -> Upload:
        """Return what the capture shows of the upload that a token was for.

        Args:
            token: as ``token_of`` gives it.
            client: address of the client, ``ip:port``.
            until: when the client asked for its next token, if it did; nanoseconds.
        """
        found = self._match(token, _ip(client), until)
        if found is None:
            if len(self._others) >= MAX_OTHERS:
                return _unseen("unknown", "there are too many connections to tell")
            text = f"no connection to {token.host} (port {token.port}) is in the capture"
            return _unseen("absent", text)
        return _judged(token, found)

    def _match(self, token: Token, client: str, until: int | None) -> OtherConnection | None:
        if until is not None and until - token.time < SOON_NS:
            until = None
        label, begin = token.host.partition(".")[0], token.time - IDLE_NS
        named = [
            one
            for one in _between(self._by_label.get(label, []), begin, until)
            if _same_host(talk_of(one).host, token.host) and _port(one.responder) not in SIP_PORTS
        ]
        nameless = [
            one
            for one in _between(self._by_label.get("", []), begin, until)
            if _ip(one.opener) == client and _port(one.responder) == token.port
        ]
        address = f"[{token.host}]" if ":" in token.host else token.host
        numbered = self._by_address.get(f"{address}:{token.port}", [])
        possible = [*named, *_between(numbered, begin, until), *nameless]
        own = [one for one in possible if _ip(one.opener) == client]
        for group in (own, possible):
            after = [one for one in group if one.time >= token.time]
            if after or group:
                return min(after, key=_time) if after else max(group, key=_time)
        return None


def _grouped(
    others: Sequence[OtherConnection], key: Callable[[OtherConnection], str]
) -> dict[str, list[OtherConnection]]:
    found: dict[str, list[OtherConnection]] = {}
    for one in sorted(others, key=_time):
        found.setdefault(key(one), []).append(one)
    return found


def _between(others: list[OtherConnection], begin: int, end: int | None) -> list[OtherConnection]:
    """Return those that began between two times, of very many the first ones."""
    first = bisect_left(others, begin, key=_time)
    last = len(others) if end is None else bisect_left(others, end, key=_time)
    return others[first : min(last, first + MAX_LOOKED_AT)]


def _unseen(state: State, detail: str) -> Upload:
    return Upload(state, (), None, expired=False, detail=detail)


def _judged(token: Token, found: OtherConnection) -> Upload:
    talk = talk_of(found)
    expired = found.time - token.time > TOKEN_NS
    age = (found.time - token.time) / (60 * SECOND)
    late = f", {age:.0f} minutes after the token was issued (it is good for 30)" if expired else ""
    state: State = "seen" if found.service == "HTTP" else "encrypted"
    frames = found.frames
    if talk.fault is not None:
        text = f"the upload failed: {talk.fault}{late}"
        return Upload("failed", frames, found.time, expired, text)
    if state == "seen":
        shown = ", ".join(talk.operations[:SHOWN])
        text = f"uploaded by HTTP in frame {frames[0]} ({shown}){late}"
    else:
        text = f"uploaded by HTTPS from frame {frames[0]} on, which shows no more{late}"
    return Upload(state, frames, found.time, expired, text)


def _time(one: OtherConnection) -> int:
    return one.time


def _ip(address: str) -> str:
    return address.rpartition(":")[0].strip("[]")


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])


def _same_host(seen: str | None, wanted: str) -> bool:
    """Compare names, of which either may be without its domain."""
    if seen is None:
        return False
    if "." in seen and "." in wanted:
        return seen == wanted
    return seen.partition(".")[0] == wanted.partition(".")[0]


@lru_cache(maxsize=1 << 12)
def talk_of(one: OtherConnection) -> Talk:
    """Return what a connection shows of itself."""
    if one.service == "HTTP":
        return _http(one)
    fault = None
    for data in (*one.said(1), *one.said(0)):
        if data[:1] == ALERT and data[5:6] == FATAL:
            fault = f"TLS alert {int.from_bytes(data[6:7], 'big')}"
    return Talk(next(map(server_name, one.said(0)), None), (), fault)


def _http(one: OtherConnection) -> Talk:
    host, last, operations, fault = None, "", dict[str, None](), None
    for head in one.heads:
        request, response = _REQUEST.match(head.data), _RESPONSE.match(head.data)
        if request is not None:
            named, last = _request(request, head.data)
            host = host or named
            operations.setdefault(last)
        elif response is not None and int(response[1]) >= HTTP_FAILURE and fault is None:
            told = _FAULT.search(head.data)
            reason = "" if told is None else f" ({told[1].decode('utf-8', 'replace').strip()})"
            status = int(response[1])
            fault = f"{last or 'the request'} answered HTTP {status}{reason}"
            fault += f" in frame {head.frame}"
    return Talk(host, tuple(operations), fault)


def _request(request: re.Match[bytes], data: bytes) -> tuple[str | None, str]:
    """Return the host of an HTTP request, and its SOAP operation, else method and path."""
    headers = {name.lower(): value for name, value in reversed(_HEADER.findall(data))}
    host = headers.get(b"host", b"").decode("ascii", "replace").strip().lower()
    action = headers.get(b"soapaction", b"").decode("ascii", "replace").strip(' "\t')
    plain = f"{request[1].decode()} {request[2].decode('ascii', 'replace')}"
    return re.sub(r":\d+$", "", host) or None, action.rpartition("/")[2] or plain


def server_name(data: bytes) -> str | None:
    """Return the name in the SNI of a ClientHello of which the first bytes are given (RFC 6066 3).

    None where there is no ClientHello or no name in it.
    """
    if len(data) < HELLO_AT or data[0] != HANDSHAKE or data[5] != CLIENT_HELLO:
        return None
    import dpkt  # 20 ms that only tokens cost
    from dpkt.ssl import TLSClientHello

    missing = HELLO_AT + int.from_bytes(data[6:9], "big") - len(data)
    try:
        # Zeros read as empty extensions: what was remembered of a long hello is whole before them.
        hello = TLSClientHello(data[HELLO_AT:] + bytes(min(max(missing, 0), MOST_MISSING)))
    except (dpkt.UnpackError, struct.error, ValueError, IndexError):
        return None
    for kind, value in getattr(hello, "extensions", ()):
        if kind == SERVER_NAME and len(value) > NAME_AT:
            name: bytes = value[NAME_AT : NAME_AT + int.from_bytes(value[3:NAME_AT], "big")]
            return name.decode("ascii", "replace").lower()
    return None
