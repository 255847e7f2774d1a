"""Which rooms an item speaks of, and the posts in a reply with history.

The rule that matters: room URIs are compared exactly as they stand. Whether servers treat their
case as equal is not known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from dissectors.xccos.messages import base_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dissectors.xccos.messages import Element, Item

SCHEME = "ma-chan://"

# Attributes that hold a room, by element.
_URI_ATTRIBUTES = {"grpchat": "chanUri", "msg": "chanUri", "chanib": "uri", "ftdb": "channelUri"}
# Elements with the parts of a room URI in ``domain`` and ``value``. An ``aib`` inside ``chanib``
# has no domain; its value lists users.
_PARTED = ("chanid", "aib")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TS = re.compile(
    r"\s*(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?"
    r"\s*(?:([Zz])|([+-])(\d\d):?(\d\d))?\s*",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Post:
    """A chat message, live or out of the history."""

    author: str | None
    ts: str | None
    """As on the wire; ``parse_ts`` reads it."""
    text: str | None
    room: str | None
    """Its own ``chanUri``, else that of the ``chanib`` around it."""
    element: Element


def room_uri(domain: str, value: str) -> str:
    """Return the URI of a room from its two parts."""
    return f"{SCHEME}{domain}/{value}"


def rooms_of(item: Item) -> tuple[str, ...]:
    """Return the room URIs that an item speaks of, in document order, each once.

    Rooms that could not be joined are not among them unless something else names them, see
    ``failed_rooms``.
    """
    found = (_room(node) for node in item.node.iter())
    return tuple(dict.fromkeys(room for room in found if room is not None))


def failed_rooms(item: Item) -> tuple[str, ...]:
    """Return the rooms of the failure info blocks (``fib``), in document order, each once."""
    found = (_parted(node) for node in item.node.iter("fib"))
    return tuple(dict.fromkeys(room for room in found if room is not None))


def room_names(item: Item) -> dict[str, str]:
    """Return the name of each room that a ``chanib`` gives one, by room URI; the first counts."""
    names: dict[str, str] = {}
    for node in item.node.iter("chanib"):
        uri, name = node.get("uri"), node.get("name")
        if uri and name:
            names.setdefault(uri, name)
    return names


def posts_of(item: Item) -> tuple[Post, ...]:
    """Return the history in an item: its ``msg`` elements with the id ``grpchat``, in order."""
    return tuple(_posts(item.node, None))


def post_of(item: Item) -> Post | None:
    """Return a live chat message as a post; None for any other item."""
    return _post(item.node, None) if item.kind == "chat" else None


def parse_ts(text: str) -> int | None:
    """Return nanoseconds since 1970 UTC of an ISO 8601 time; None when it is not one.

    Any number of fractional digits is read and cut after nine. A time without a zone is UTC, as
    all time stamps of these servers are.
    """
    found = _TS.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, _, sign, hours, minutes = found.groups("0")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    try:
        date = datetime(int(year), int(month), int(day), tzinfo=UTC)
        whole = date.replace(hour=int(hour), minute=int(minute), second=int(second))
    except ValueError:
        return None
    since = whole - _EPOCH + (offset if sign == "-" else -offset)
    seconds = since.days * 86_400 + since.seconds
    return seconds * 1_000_000_000 + int(fraction[:9].ljust(9, "0"))


def _room(node: Element) -> str | None:
    attribute = _URI_ATTRIBUTES.get(node.name)
    if attribute is not None:
        return node.get(attribute) or None
    return _parted(node) if node.name in _PARTED else None


def _parted(node: Element) -> str | None:
    domain, value = node.get("domain"), node.get("value")
    return room_uri(domain, value) if domain and value else None


def _posts(node: Element, room: str | None) -> Iterator[Post]:
    for child in node.children:
        if child.name == "msg" and base_name(child.get("id") or "grpchat") == "grpchat":
            yield _post(child, room)
        else:
            yield from _posts(child, child.get("uri") if child.name == "chanib" else room)


def _post(node: Element, room: str | None) -> Post:
    chat = node.find("chat")
    text = None if chat is None else chat.content()
    return Post(node.get("author"), node.get("ts"), text, node.get("chanUri") or room, node)
