"""Whether a message is one that a rule means, and which one of them it is.

The rule: every rule counts for itself and draws from its own random numbers, so that one more rule
changes nothing of what the others do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from random import Random  # noqa: TID251  (seeded: a run can be repeated)
from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.faults.rules import Answer, Corrupt, Oversized, Rule, WrongCommandId
from analyzer.replay.heard import Heard, hear
from dissectors.model import Malformed

if TYPE_CHECKING:
    from analyzer.replay.faults.rules import Direction, Items, Selection
    from dissectors.sip.fields import NameAddr
    from dissectors.xccos.messages import Item

MAX_COUNTED = 10_000
"""Users, connections or dialogs that a rule counts for; all further ones are counted together."""
MAX_REQUESTS = 4096
"""Requests remembered for the sake of their responses; then the oldest is forgotten."""
MAX_NAMED = 3
"""Items of a message that a note names."""
MAX_NAME = 160

Key = tuple[str, int, str]
"""Call-ID, and number and method of CSeq: what a response has of its request."""


class Seen(NamedTuple):
    """A message that passes the wrapper."""

    raw: bytes
    connection: int
    opened: bool
    """The wrapped end opened the connection: it is the client's."""
    direction: Direction
    heard: Heard
    items: tuple[Item, ...]
    """Its own, or of a response those of its request."""

    @property
    def key(self) -> Key:
        """What joins a response to its request."""
        cseq = self.heard.message.cseq
        number, method = (cseq.number, cseq.method) if cseq else (-1, "")
        return self.heard.message.call_id or "", number, method


class Requests:
    """What requests carried, so that their responses can be meant by it."""

    def __init__(self) -> None:
        self._items: dict[Key, tuple[Item, ...]] = {}

    def see(
        self, raw: bytes, connection: int, direction: Direction, *, opened: bool
    ) -> Seen | None:
        """Take a message apart; None for what is no SIP message."""
        heard = hear(raw)
        if isinstance(heard, Malformed):
            return None
        seen = Seen(raw, connection, opened, direction, heard, heard.items)
        if not heard.is_request:
            return seen._replace(items=self._items.get(seen.key, ()))
        if heard.items:
            self._items[seen.key] = heard.items
            if len(self._items) > MAX_REQUESTS:
                del self._items[next(iter(self._items))]
        return seen


class Answered:
    """INVITEs that were answered in place of the play: it must not see their ACK."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, int], None] = {}

    def add(self, seen: Seen) -> None:
        """Take note of a request that was answered."""
        if seen.heard.method == "INVITE":
            self._keys[seen.key[:2]] = None
            if len(self._keys) > MAX_REQUESTS:
                del self._keys[next(iter(self._keys))]

    def is_ack(self, seen: Seen) -> bool:
        """Return whether a message is the ACK of one of them."""
        return seen.heard.method == "ACK" and seen.key[:2] in self._keys


@dataclass(slots=True)
class Counter:
    """One rule, with what it has counted so far."""

    rule: Rule
    chance: Random
    counted: dict[str, int]
    hits: int = 0
    other_way: int = 0
    """Messages that it would have meant, had they gone the other way."""

    def takes(self, seen: Seen) -> bool:
        """Count a message; return whether the rule hits it."""
        select = self.rule.select
        if not (_means(select, seen) and _can(self.rule, seen.heard)):
            return False
        if select.direction not in (None, seen.direction):
            self.other_way += 1
            return False
        number = self._count(_scope(select.scope, seen))
        if select.numbers and not any(one.has(number) for one in select.numbers):
            return False
        if select.every is not None and number % select.every:
            return False
        drawn = select.probability is None or self.chance.random() < select.probability
        self.hits += drawn
        return drawn

    def _count(self, scope: str) -> int:
        if scope not in self.counted and len(self.counted) >= MAX_COUNTED:
            scope = ""
        number = self.counted[scope] = self.counted.get(scope, 0) + 1
        return number


def counter(rule: Rule, seed: int, index: int) -> Counter:
    """Return the counter of a rule, which is the ``index``-th of its play."""
    return Counter(rule, Random(f"{seed}/{index}"), {})  # noqa: S311  (chance, no secret)


def _means(select: Selection, seen: Seen) -> bool:
    heard = seen.heard
    return (
        (select.method is None or select.method == heard.method)
        and _has_status(select, heard)
        and (select.items is None or any(_is(item, select.items) for item in seen.items))
        and (select.to is None or _like(select.to, _address(heard.message.to)))
        and (
            select.user is None
            or _like(select.user, _address(heard.message.from_))
            or _like(select.user, _address(heard.message.to))
        )
    )


def _has_status(select: Selection, heard: Heard) -> bool:
    """A response is meant where ``status`` says so, or where nothing of its request is told."""
    status = heard.message.status
    if select.status is not None:
        return status is not None and select.status.has(status)
    return status is None or (select.items is None and select.method is None)


def _can(rule: Rule, heard: Heard) -> bool:
    """Return whether a message has what the fault changes."""
    match rule.fault:
        case WrongCommandId():
            return any(item.commandid is not None for item in heard.items)
        case Oversized(body):
            return 0 < len(heard.message.body) < body
        case Corrupt("body"):
            return bool(heard.message.body)
        case Answer():  # there is no response to an ACK (RFC 3261 17.1.1.3)
            return heard.is_request and heard.method != "ACK"
        case _:
            return True


def _is(item: Item, items: Items) -> bool:
    return item.element.lower() == items.kind and _like(items.pattern, item.name)


def _address(address: NameAddr | None) -> str:
    uri = "" if address is None else address.uri.partition(";")[0]
    return uri.lower().removeprefix("sip:")


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(translate(text))


def _like(pattern: str, text: str) -> bool:
    return _pattern(pattern).match(text) is not None


def _scope(scope: str, seen: Seen) -> str:
    message = seen.heard.message
    match scope:
        case "user":
            from_client = (seen.direction == "said") == seen.opened
            return _address(message.from_ if from_client == seen.heard.is_request else message.to)
        case "connection":
            return str(seen.connection)
        case "dialog":
            return message.call_id or ""
        case _:
            return "all"


def named(seen: Seen) -> str:
    """Return a message in a few words: ``INFO cmd:join from alice@contoso.com``."""
    message = seen.heard.message
    what = message.method or f"{message.status} to {seen.heard.method}"
    items = " ".join(item.id or item.element for item in seen.items[:MAX_NAMED])
    told = f"{what} {items}".strip() + f" from {_address(message.from_)}"
    return "".join(one if one.isprintable() else "?" for one in told[:MAX_NAME])
