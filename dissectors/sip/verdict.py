"""The strict view: is a message what RFC 3261 allows, and if not, what is wrong.

The rule: each entry of ``RULES`` is one general demand of the RFC, a small function from a message
to sentences that name the header and the clause. RFC 4475 and RFC 5118 are the test of them.

Left to framing, and not judged: line ends and a missing empty line at the end (see the notes).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dissectors import notes
from dissectors.model import Malformed
from dissectors.sip.field_grammar import FIELDS, FieldGrammar
from dissectors.sip.grammar import (
    REASON_PHRASE,
    REQUEST_URI,
    TEXT,
    TOKEN_RE,
    field_name,
    number,
)
from dissectors.sip.parse import MANDATORY, SINGLE, parse_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dissectors.sip.messages import SipMessage

STREAM_TRANSPORTS = frozenset({"tcp", "tls"})

_REASON_PHRASE_RE = re.compile(REASON_PHRASE)
_REQUEST_URI_RE = re.compile(REQUEST_URI)
_TEXT_RE = re.compile(TEXT)


class Verdict(NamedTuple):
    """What RFC 3261 says of a message."""

    valid: bool
    problems: tuple[str, ...]
    """One sentence for each thing that is wrong; empty when valid."""


def _start_line(message: SipMessage, _: str | None) -> Iterator[str]:
    if message.status is not None and not 100 <= message.status <= 699:
        yield "Status-Line: the Status-Code is not three digits from 100 to 699 (RFC 3261 7.2)."
    elif message.notes & notes.BAD_START:
        line = "Request-Line" if message.kind == "request" else "Status-Line"
        yield f"{line}: it is not three parts with one space between them (RFC 3261 7.1, 7.2)."


def _reason_phrase(message: SipMessage, _: str | None) -> Iterator[str]:
    if message.reason is not None and not _REASON_PHRASE_RE.fullmatch(message.reason):
        yield "Status-Line: a character that a Reason-Phrase must escape (RFC 3261 25.1)."


def _request_uri(message: SipMessage, _: str | None) -> Iterator[str]:
    uri = message.uri
    if uri is None or _REQUEST_URI_RE.fullmatch(uri):
        return
    if uri.startswith("<"):
        yield 'Request-URI: it must not be enclosed in "<>" (RFC 3261 7.1).'
    elif any(blank in uri for blank in " \t"):
        yield "Request-URI: it must not contain spaces (RFC 3261 7.1)."
    elif _REQUEST_URI_RE.fullmatch(uri.partition("?")[0]):
        yield "Request-URI: it must not have a headers part (RFC 3261 19.1.1)."
    else:
        yield "Request-URI: it is no SIP-URI, SIPS-URI or absoluteURI (RFC 3261 25.1, RFC 5954)."


def _version(message: SipMessage, _: str | None) -> Iterator[str]:
    if message.notes & notes.BAD_VERSION:
        yield f"SIP-Version: {message.version} is not SIP/2.0 (RFC 3261 7.1)."


def _mandatory(message: SipMessage, _: str | None) -> Iterator[str]:
    for name in MANDATORY:
        if name not in message.headers:
            yield f"{name}: the header is mandatory (RFC 3261 8.1.1)."


_SINGLE = (*SINGLE, "Date", "Event", "Expires", "Min-Expires", "MIME-Version", "Retry-After")


def _single(message: SipMessage, _: str | None) -> Iterator[str]:
    for name in _SINGLE:
        if len(message.headers.all(name)) > 1:
            yield f"{name}: the header stands several times (RFC 3261 7.3.1)."


def _header_lines(message: SipMessage, _: str | None) -> Iterator[str]:
    if any(not TOKEN_RE.fullmatch(header.name) for header in message.headers):
        yield "Header line: what stands before the colon is no token (RFC 3261 7.3.1)."
    if message.notes & notes.NOT_UTF8:
        yield "Message: bytes outside the body are not UTF-8 (RFC 3261 7)."


def _field_values(message: SipMessage, _: str | None) -> Iterator[str]:
    for header in message.headers:
        grammar = FIELDS.get(field_name(header.name))
        if grammar is None:
            if not _TEXT_RE.fullmatch(header.value):
                yield f"{header.name}: a control character in the value (RFC 3261 25.1)."
        elif not grammar.pattern.fullmatch(header.value):
            yield f"{header.name}: {_why(header.value, grammar)}"


_QUOTED_RE = re.compile(r'"(?:[^"\\]++|\\.)*"', re.DOTALL)


def _why(value: str, grammar: FieldGrammar) -> str:
    """Say what the likely mistake is in a value that its grammar does not allow."""
    plain = _QUOTED_RE.sub("", value) if value.count('"') > 1 else value
    if '"' in plain:
        return "a quoted string is not closed (RFC 3261 25.1)."
    if re.search(r"[;,][ \t]*+(?:[;,]|\Z)", plain):
        return f"an extraneous separator, a part is empty ({grammar.clause}, 7.3.1)."
    if re.search(r"<[ \t]|[ \t]>", plain):
        return f'blanks inside "<>" around the URI ({grammar.clause}, 25.1).'
    bare = plain.partition("?")
    if "name-addr" in grammar.rule and "<" not in plain and bare[1]:
        return 'a URI with "?" must be enclosed in "<>" (RFC 3261 20).'
    return f"the value is not {grammar.rule} ({grammar.clause})."


# RFC 3261: the largest value of a number, and where that is said.
_LARGEST_SECONDS = 2**32 - 1
_LIMITS = (
    ("Max-Forwards", 255, "20.22"),
    ("Expires", _LARGEST_SECONDS, "20.19"),
    ("Min-Expires", _LARGEST_SECONDS, "20.23"),
)
_LEADING_DIGITS_RE = re.compile(r"[0-9]++")


def _numbers(message: SipMessage, _: str | None) -> Iterator[str]:
    for name, largest, section in _LIMITS:
        if any(_exceeds(value, largest) for value in message.headers.all(name)):
            yield f"{name}: the number exceeds {largest} (RFC 3261 {section})."
    cseqs = message.headers.all("cseq")
    if any(_exceeds(value.partition(" ")[0], 2**31 - 1) for value in cseqs):
        yield "CSeq: the number is not less than 2**31 (RFC 3261 8.1.1.5)."
    retries = map(_LEADING_DIGITS_RE.match, message.headers.all("retry-after"))
    if any(retry and _exceeds(retry[0], _LARGEST_SECONDS) for retry in retries):
        yield f"Retry-After: the number exceeds {_LARGEST_SECONDS} (RFC 3261 20.33, 25.1)."
    lives = (contact.params.get("expires") for contact in message.contacts)
    if any(_exceeds(life or "", _LARGEST_SECONDS) for life in lives):
        yield f"Contact: expires exceeds {_LARGEST_SECONDS} (RFC 3261 20.10, 20.19)."


def _exceeds(text: str, largest: int) -> bool:
    """Say whether digits (any number of them) are more than ``largest``; other text is not."""
    digits = text.strip(" \t")
    if not (digits.isascii() and digits.isdigit()):
        return False
    value = number(digits.lstrip("0") or "0")
    return value is None or value > largest


def _cseq_method(message: SipMessage, _: str | None) -> Iterator[str]:
    if message.notes & notes.CSEQ_MISMATCH:
        yield "CSeq: its method is not that of the request (RFC 3261 8.1.1.5)."


def _content_length(message: SipMessage, transport: str | None) -> Iterator[str]:
    """Judge lengths where the bytes are those of the wire; a text of them has other line ends."""
    if transport is None:
        return
    declared = message.content_length
    if declared is not None and declared > len(message.body):
        yield f"Content-Length: {len(message.body)} bytes are there (RFC 3261 18.3)."
    if transport in STREAM_TRANSPORTS and "Content-Length" not in message.headers:
        yield "Content-Length: mandatory over a stream (RFC 3261 18.3, 20.14)."


RULES: tuple[Callable[[SipMessage, str | None], Iterator[str]], ...] = (
    _start_line,
    _reason_phrase,
    _request_uri,
    _version,
    _mandatory,
    _single,
    _header_lines,
    _field_values,
    _numbers,
    _cseq_method,
    _content_length,
)


def verdict(raw: bytes, transport: str | None) -> Verdict:
    """Judge one message as RFC 3261 does.

    Args:
        raw: The message: the whole datagram for ``udp``, what was framed for ``tcp`` and ``tls``.
        transport: In any case; None for a text whose line ends are not those of the wire (an
            archive, a log), so that nothing can be said about the length of the body.
    """
    name = None if transport is None else transport.lower()
    message = parse_message(raw, stream=name in STREAM_TRANSPORTS)
    if isinstance(message, Malformed):
        return Verdict(
            valid=False, problems=(f"Start line: {message.reason} (RFC 3261 7.1, 7.2).",)
        )
    problems = tuple(problem for rule in RULES for problem in rule(message, name))
    return Verdict(valid=not problems, problems=problems)
