"""Header fields that matter, as values that compare: what varies from call to call is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dissectors.sip.fields import parse_content_type, parse_seconds, split_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.compare.values import Thresholds, Weight
    from dissectors.sip.messages import Headers, SipMessage

Value = tuple[str, ...]
"""What a header says, in an order of its own; empty where it is absent."""


class Differs(NamedTuple):
    """A field that differs."""

    name: str
    weight: Weight
    a: str
    b: str


def _plain(headers: Headers, name: str) -> Value:
    return tuple(value.strip() for value in headers.all(name) if value.strip())[:1]


def _token(headers: Headers, name: str) -> Value:
    """Return the first word: ``registration``, ``active``."""
    return tuple(value.partition(";")[0].strip().lower() for value in headers.all(name))[:1]


def _set(headers: Headers, name: str) -> Value:
    """Return the words of a list over all headers of its name: order and cutting are free."""
    words = (word for value in headers.all(name) for word in split_list(value))
    return tuple(sorted({word.partition(";")[0].strip().lower() for word in words} - {""}))


def _schemes(*names: str) -> Callable[[Headers, str], Value]:
    def read(headers: Headers, _: str) -> Value:
        words = (value.split(None, 1) for name in names for value in headers.all(name))
        return tuple(sorted({word[0].upper() for word in words if word}))

    return read


def _media(headers: Headers, name: str) -> Value:
    found = parse_content_type(headers.first(name) or "")
    return () if found is None else (f"{found.type}/{found.subtype}".lower(),)


def _charset(headers: Headers, name: str) -> Value:
    found = parse_content_type(headers.first(name) or "")
    charset = None if found is None else found.params.get("charset")
    return () if charset is None else (charset.strip('"').lower(),)


FIELDS: tuple[tuple[str, str, Weight, Callable[[Headers, str], Value]], ...] = (
    ("User-Agent", "user-agent", "minor", _plain),
    ("Server", "server", "minor", _plain),
    ("Event", "event", "minor", _token),
    ("Subscription-State", "subscription-state", "minor", _token),
    ("Supported", "supported", "minor", _set),
    ("Require", "require", "minor", _set),
    ("Proxy-Require", "proxy-require", "minor", _set),
    ("Allow", "allow", "minor", _set),
    ("Allow-Events", "allow-events", "minor", _set),
    ("Accept", "accept", "minor", _set),
    ("Content-Type", "content-type", "minor", _media),
    ("charset of Content-Type", "content-type", "trivial", _charset),
    ("authentication offered", "", "minor", _schemes("www-authenticate", "proxy-authenticate")),
    ("authentication used", "", "minor", _schemes(
        "authorization", "proxy-authorization", "authentication-info", "proxy-authentication-info"
    )),
)  # fmt: skip
"""What is shown, the header, the weight of a difference, and what is read of it."""
LIFETIMES = ("Expires", "Session-Expires")
"""Headers with seconds, of which only the size compares."""
NONE = "none"


def differing(a: SipMessage, b: SipMessage, thresholds: Thresholds) -> Iterator[Differs]:
    """Yield the fields in which two messages differ."""
    for name, header, weight, read in FIELDS:
        one, two = read(a.headers, header), read(b.headers, header)
        if one != two:
            yield Differs(name, weight, *_shown(one, two))
    for name in LIFETIMES:
        left, right = _lifetime(a.headers, name), _lifetime(b.headers, name)
        if left != right and not _alike(left, right, thresholds.expires_factor):
            yield Differs(name, "minor", _seconds(left), _seconds(right))


def _lifetime(headers: Headers, name: str) -> int | None:
    return parse_seconds((headers.first(name) or "").partition(";")[0].strip())


def _alike(a: int | None, b: int | None, factor: float) -> bool:
    return bool(a and b) and max(a or 0, b or 0) < factor * min(a or 0, b or 0)


def _seconds(value: int | None) -> str:
    return NONE if value is None else f"{value} s"


def _shown(a: Value, b: Value) -> tuple[str, str]:
    """Return both values; of two lists only what the other one does not have."""
    if len(a) < 2 and len(b) < 2:
        return ", ".join(a) or NONE, ", ".join(b) or NONE
    return _more(a, b), _more(b, a)


def _more(own: Value, other: Value) -> str:
    more = [word for word in own if word not in other]
    if not own:
        return NONE
    return f"also {', '.join(more)}" if more else "not that"
