"""Which messages a rule hits, from its words.

The rule: without ``said`` or ``heard`` a rule hits what the wrapped end says, except where only one
side can say it: a command comes from a client and a reply from a server, so ``cmd=`` and ``rpl=``
mean the message wherever it passes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from analyzer.replay.faults.rules import Direction, Items, Scope, Selection
from analyzer.replay.faults.words import (
    WordError,
    count,
    listed,
    numbers,
    one_of,
    probability,
    shown,
    statuses,
)
from dissectors.xccos.messages import base_name

if TYPE_CHECKING:
    from collections.abc import Mapping

Words = dict[str, list[str]]
"""The values of a rule's words; of a flag an empty one."""
SELECTING = (
    *("method", "status", "cmd", "rpl", "ntc", "grpchat", "to", "user", "direction"),
    *("said", "heard", "nth", "every", "p", "per"),
)
FLAGS = frozenset({"said", "heard", "grpchat", "before", "inside", "after"})
"""Words that need no value."""

_METHOD = re.compile(r"[A-Za-z][A-Za-z0-9.!%*_+`'~-]{0,30}")  # token, RFC 3261 25.1
_NTH = re.compile(r"([0-9]{1,7})(?:st|nd|rd|th)?")
_DIRECTIONS: Mapping[str, Direction | None] = {"said": "said", "heard": "heard", "both": None}
_SCOPES: Mapping[str, Scope] = {
    "play": "play",
    "user": "user",
    "connection": "connection",
    "dialog": "dialog",
}
_KINDS: tuple[Literal["cmd", "rpl", "ntc", "grpchat"], ...] = ("cmd", "rpl", "ntc", "grpchat")
_ONE_SIDED = ("cmd", "rpl", "ntc")


def last(words: Words, word: str) -> str | None:
    """Return the value of a word; None where it was not given."""
    return words[word][-1] if word in words else None


def selection(words: Words, default: Direction | None = "said") -> Selection:
    """Return which messages are meant; ``default``: the direction where no word decides it."""
    items = _items(words)
    one_sided = items is not None and items.kind in _ONE_SIDED and "status" not in words
    every, status, p = last(words, "every"), last(words, "status"), last(words, "p")
    return Selection(
        direction=_direction(words, None if one_sided and default == "said" else default),
        method=_method(last(words, "method")),
        status=None if status is None else statuses("status", status),
        items=items,
        to=_address(last(words, "to")),
        user=_address(last(words, "user")),
        numbers=() if "nth" not in words else numbers("nth", words["nth"][-1]),
        every=None if every is None else _every(every),
        probability=None if p is None else probability("p", p),
        scope=one_of("per", last(words, "per") or "play", _SCOPES),
    )


def _direction(words: Words, default: Direction | None) -> Direction | None:
    told = [_DIRECTIONS[one] for one in ("said", "heard") if one in words]
    if "direction" in words:
        told.append(one_of("direction", words["direction"][-1], _DIRECTIONS))
    if len(set(told)) > 1:
        raise WordError("said or heard: one of them (direction=both for both)")
    return told[0] if told else default


def _method(text: str | None) -> str | None:
    if text is not None and not _METHOD.fullmatch(text):
        raise WordError(f"method= wants a method such as INFO, not {shown(text)}")
    return None if text is None else text.upper()


def _items(words: Words) -> Items | None:
    given = [kind for kind in _KINDS if kind in words]
    if not given:
        return None
    if len(given) > 1:
        raise WordError(f"{listed(f'{kind}=' for kind in given)}: one of them")
    kind, text = given[0], words[given[0]][-1]
    if kind == "grpchat":
        if text not in ("", "*"):
            raise WordError(f"grpchat has no value (not {shown(text)})")
        return Items(kind, "*")
    if not text:
        raise WordError(f"{kind}= wants a name such as {kind}=join")
    return Items(kind, base_name(text))


def _address(text: str | None) -> str | None:
    return None if text is None else text.strip("<>").lower().removeprefix("sip:")


def _every(text: str) -> int:
    match = _NTH.fullmatch(text)
    return count("every", match[1] if match else text)
