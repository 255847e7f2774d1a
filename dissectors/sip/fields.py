"""Values of header fields, read tolerantly: the parsed value, or None where that cannot be done.

The rule: these functions serve somebody who looks at broken traffic. They take what can be read and
leave judging to ``verdict``. All of them run in linear time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from dissectors.sip.grammar import MAX_DIGITS, number

_BLANK = " \t"

# A quoted string or angle brackets that are never closed reach to the end of the value: looking for
# the end again from each later quote would take quadratic time.
_QUOTED = r'"(?:[^"\\]++|\\.)*(?:"|\\?\Z)'
_COMMA_PART_RE = re.compile(rf'(?:{_QUOTED}|<[^>]*+(?:>|\Z)|[^",<]++)+', re.DOTALL)
_SEMICOLON_PART_RE = re.compile(rf'(?:{_QUOTED}|[^";]++)+', re.DOTALL)
_CLOSED_QUOTED_RE = re.compile(r'"(?:[^"\\]++|\\.)*"', re.DOTALL)
_QUOTED_PAIR_RE = re.compile(r"\\(.)", re.DOTALL)


def split_list(value: str) -> list[str]:
    """Split at the commas outside quotes and angle brackets; blanks and empty parts are dropped."""
    parts = (part.strip(_BLANK) for part in _COMMA_PART_RE.findall(value))
    return [part for part in parts if part]


def unquote(text: str) -> str:
    """Return the content of a quoted string without its escapes; other text unchanged."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    return _QUOTED_PAIR_RE.sub(r"\1", text[1:-1])


class Params(tuple[tuple[str, "str | None"], ...]):
    """Parameters in order: ``(name as written, value without quotes)``; None without a value."""

    __slots__ = ()

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the value of the first parameter of that name, in any case."""
        wanted = name.lower()
        for key, value in self:
            if key.lower() == wanted:
                return value
        return default

    def has(self, name: str) -> bool:
        """Say whether there is a parameter of that name, with or without a value."""
        wanted = name.lower()
        return any(key.lower() == wanted for key, _ in self)


NO_PARAMS = Params()


def parse_params(text: str) -> Params:
    """Read ``name=value;flag;name="quoted"``; empty parts are dropped."""
    params = []
    for part in _SEMICOLON_PART_RE.findall(text):
        name, equals, value = part.partition("=")
        name = name.strip(_BLANK)
        if name or equals:
            params.append((name, unquote(value.strip(_BLANK)) if equals else None))
    return Params(params)


@dataclass(frozen=True, slots=True)
class NameAddr:
    """The value of From, To, Contact, Route: a URI with a display name and header parameters."""

    display: str
    """Without quotes and escapes; empty where there is none."""
    uri: str
    """Without angle brackets and header parameters; the URI's own parameters belong to it."""
    params: Params = NO_PARAMS

    @property
    def tag(self) -> str | None:
        """The tag parameter."""
        return self.params.get("tag")

    @property
    def epid(self) -> str | None:
        """Microsoft's id of the endpoint that a user is signed in at."""
        return self.params.get("epid")


# Outside brackets what follows a semicolon is a header parameter (RFC 3261 20), even when a quoted
# parameter value contains "<".
_BARE_URI_RE = re.compile(r"""[A-Za-z][A-Za-z0-9+.\-]*+:[^\s<>";]*+[ \t]*+(?=;|\Z)""")


def parse_name_addr(value: str) -> NameAddr | None:
    """Read one name-addr or addr-spec with its parameters; None when there is no URI."""
    text = value.strip(_BLANK)
    display, bracket, rest = "", "", text
    quoted = _CLOSED_QUOTED_RE.match(text)
    if quoted is not None:
        between, bracket, rest = text[quoted.end() :].partition("<")
        display = unquote(quoted[0]) + between.rstrip(_BLANK)
    elif not _BARE_URI_RE.match(text):
        display, bracket, rest = text.partition("<")
    if bracket:
        uri, _, tail = rest.partition(">")
        tail = tail.partition(";")[2]
    else:
        display = ""
        uri, _, tail = text.partition(";")
    uri = uri.strip(_BLANK)
    return NameAddr(display.strip(_BLANK), uri, parse_params(tail)) if uri else None


def parse_name_addrs(value: str) -> tuple[NameAddr, ...]:
    """Read a list of addresses (Contact, Route, Record-Route); those without a URI are dropped."""
    return tuple(addr for addr in map(parse_name_addr, split_list(value)) if addr is not None)


@dataclass(frozen=True, slots=True)
class Via:
    """One value of Via: a hop that the request went through."""

    protocol: str
    """``SIP/2.0`` without blanks."""
    transport: str
    """As written: ``TLS``, ``tcp``."""
    host: str
    """IPv6 addresses keep their brackets."""
    port: int | None
    params: Params = NO_PARAMS

    @property
    def branch(self) -> str | None:
        """The branch parameter; Microsoft clients often send none."""
        return self.params.get("branch")

    @property
    def received(self) -> str | None:
        """The address that the request came from (RFC 3261 18.2.1)."""
        return self.params.get("received")

    @property
    def ms_received_port(self) -> int | None:
        """The port that a Microsoft server saw the request come from."""
        return number(self.params.get("ms-received-port") or "")

    @property
    def ms_received_cid(self) -> str | None:
        """The number, in hexadecimal, that a Microsoft server gave the connection."""
        return self.params.get("ms-received-cid")


_VIA_RE = re.compile(
    r"([^ \t/]++)[ \t]*+/[ \t]*+([^ \t/]++)[ \t]*+/[ \t]*+([^ \t/;]++)[ \t]++"
    r"(\[[^\]]*+\]|[^:; \t]++)[ \t]*+(?::[ \t]*+([0-9]{1,10}+)[ \t]*+)?(?=;|\Z)"
)


def parse_via(value: str) -> Via | None:
    """Read one via-parm (the value between commas)."""
    text = value.strip(_BLANK)
    match = _VIA_RE.match(text)
    if match is None:
        return None
    name, version, transport, host, port = match.groups()
    params = parse_params(text[match.end() :])
    return Via(f"{name}/{version}", transport, host, int(port) if port else None, params)


def parse_vias(value: str) -> tuple[Via, ...]:
    """Read a list of via-parms; those that cannot be read are dropped."""
    return tuple(via for via in map(parse_via, split_list(value)) if via is not None)


class CSeq(NamedTuple):
    """The value of CSeq."""

    number: int
    method: str


_CSEQ_RE = re.compile(rf"([0-9]{{1,{MAX_DIGITS}}}+)[ \t]++([^ \t]++)")


def parse_cseq(value: str) -> CSeq | None:
    """Read a number and a method; leading zeros are allowed, the method keeps its case."""
    match = _CSEQ_RE.fullmatch(value.strip(_BLANK))
    return CSeq(int(match[1]), match[2]) if match else None


class MediaType(NamedTuple):
    """The value of Content-Type."""

    type: str
    """Lower case."""
    subtype: str
    """Lower case."""
    params: Params


def parse_content_type(value: str) -> MediaType | None:
    """Read a media type with its parameters."""
    media, _, tail = value.partition(";")
    kind, slash, subtype = (part.strip(_BLANK).lower() for part in media.partition("/"))
    if not (kind and slash and subtype):
        return None
    return MediaType(kind, subtype, parse_params(tail))


def parse_seconds(value: str) -> int | None:
    """Read delta-seconds (Expires, Min-Expires, Session-Expires), parameters left aside."""
    return number(value.partition(";")[0].strip(_BLANK))


class RetryAfter(NamedTuple):
    """The value of Retry-After."""

    seconds: int
    comment: str
    """Without the parentheses."""
    params: Params


_RETRY_AFTER_RE = re.compile(rf"([0-9]{{1,{MAX_DIGITS}}}+)[ \t]*+(?:\((.*)\)[ \t]*+)?(?=;|\Z)")


def parse_retry_after(value: str) -> RetryAfter | None:
    """Read seconds, an optional comment and parameters."""
    text = value.strip(_BLANK)
    match = _RETRY_AFTER_RE.match(text)
    if match is None:
        return None
    return RetryAfter(int(match[1]), match[2] or "", parse_params(text[match.end() :]))


class Warn(NamedTuple):
    """One value of Warning."""

    code: int
    agent: str
    text: str


_WARN_RE = re.compile(rf"([0-9]{{1,{MAX_DIGITS}}}+)[ \t]++([^ \t]++)(?:[ \t]++(.++))?", re.DOTALL)


def parse_warning(value: str) -> Warn | None:
    """Read one warning-value (the value between commas)."""
    match = _WARN_RE.fullmatch(value.strip(_BLANK))
    return Warn(int(match[1]), match[2], unquote(match[3] or "")) if match else None


def parse_warnings(value: str) -> tuple[Warn, ...]:
    """Read a list of warning-values; those that cannot be read are dropped."""
    return tuple(warn for warn in map(parse_warning, split_list(value)) if warn is not None)
