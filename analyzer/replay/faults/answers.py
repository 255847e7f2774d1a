"""Responses that a fault gives in place of the play (RFC 3261 8.2.6).

The rule: Via, From, To, Call-ID and CSeq are those of the request; a To without a tag gets one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.replay.faults.words import WordError, shown
from dissectors.sip.fields import parse_name_addr
from dissectors.sip.grammar import field_name
from dissectors.sip.writer import build_message, make_header

if TYPE_CHECKING:
    from analyzer.replay.faults.rules import Answer
    from dissectors.sip.messages import SipMessage

REASONS = {
    200: "OK", 202: "Accepted", 300: "Multiple Choices", 301: "Moved Permanently",
    302: "Moved Temporarily", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
    407: "Proxy Authentication Required", 408: "Request Timeout", 413: "Request Entity Too Large",
    415: "Unsupported Media Type", 420: "Bad Extension", 421: "Extension Required",
    480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 486: "Busy Here",
    487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event",
    491: "Request Pending", 500: "Server Internal Error", 501: "Not Implemented",
    502: "Bad Gateway", 503: "Service Unavailable", 504: "Server Time-out",
    513: "Message Too Large", 600: "Busy Everywhere", 603: "Decline",
}  # fmt: skip
"""Reason phrases of RFC 3261 21 and RFC 6665 8.3."""
_COPIED = ("via", "from", "to", "call-id", "cseq")
_OWN = frozenset({*_COPIED, "content-length"})
HOST = "${host}"


def check_header(name: str, value: str) -> None:
    """Refuse a header that cannot be written, or that every response has of its own.

    Raises:
        ValueError: one line.
    """
    if field_name(name) in _OWN:
        raise WordError(f"header={name}: it follows from the request")
    try:
        make_header(name, value)
    except ValueError:
        raise WordError(f"cannot write the header {shown(f'{name}: {value}')}") from None


def response_to(request: SipMessage, answer: Answer, tag: str) -> bytes:
    """Return the answer to a request; ``tag``: of To, where the request has none.

    Raises:
        ValueError: the request has a header that cannot be written again.
    """
    to = parse_name_addr(request.headers.first("to") or "")
    headers: list[tuple[str, str]] = []
    for name in _COPIED:
        for value in request.headers.all(name):
            tagless = name == "to" and to is not None and to.tag is None
            headers.append((_SPELLED[name], f"{value};tag={tag}" if tagless else value))
    host = _host(to.uri if to is not None else "")
    headers += [(name, value.replace(HOST, host)) for name, value in answer.headers]
    return build_message(f"SIP/2.0 {answer.status} {answer.reason}", headers)


_SPELLED = {
    "via": "Via", "from": "From", "to": "To", "call-id": "Call-ID", "cseq": "CSeq",
}  # fmt: skip


def _host(uri: str) -> str:
    """Return the host of a URI for a quoted string; a harmless one where there is none."""
    host = uri.partition("@")[2].partition(";")[0].partition(":")[0]
    plain = host.isascii() and host.replace(".", "").replace("-", "").isalnum()
    return host if plain else "localhost"
