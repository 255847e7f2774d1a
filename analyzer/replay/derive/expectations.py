"""What the listener holds a message against: what matters by meaning, and is not volatile.

The rule: what is learned from a message is not expected of it; a slot that is said here for the
first time is therefore no expectation.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from analyzer.replay.derive.links import LET_IN
from analyzer.replay.script import FRESH, Expectation
from analyzer.replay.template import slots_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.replay.derive.book import Book
    from analyzer.replay.derive.places import Place
    from analyzer.replay.derive.said import Said

MAX_EXPECTED = 64
"""Of one message: a search for rooms may bring a thousand of them."""
IN_COMMANDS = frozenset(
    {("chanid", "value"), ("chanib", "uri"), ("ftdb", "channelUri"), ("qib", "qtype")}
    | {("qib", "criteria"), ("last", "cnt"), ("pref", "label")}
)
IN_REPLIES = frozenset({("resp", "code"), ("chanib", "uri"), ("uib", "uri"), ("fib", "value")})
IN_NOTICES = frozenset({("uib", "uri"), ("chanib", "uri"), ("aib", "value")})
IN_CHATS = frozenset({("grpchat", "chanUri"), ("grpchat", "author"), ("chat", None)})
BY_KIND = {"cmd": IN_COMMANDS, "rpl": IN_REPLIES, "ntc": IN_NOTICES, "grpchat": IN_CHATS}


def expectations(one: Said, book: Book) -> tuple[Expectation, ...]:
    """Return what is expected of a message."""
    if one.message.status is not None:
        return (Expectation("status", str(one.message.status)),)
    return (Expectation("method", one.method), *islice(_of_body(one, book), MAX_EXPECTED))


def _of_body(one: Said, book: Book) -> Iterator[Expectation]:
    for place in one.places if one.xccos else ():
        if not place.steps or not _matters(place):
            continue
        text = one.body.template(place.start, place.end)
        names = slots_of(text)
        slots = [book.slot(name) for name in names]
        learned = any(slot.turn == one.turn or slot.kind in FRESH for slot in slots)
        # An escape of XML has no place in an expectation, which holds plain values.
        plain = place.value if not names else text
        if not learned and (not names or "&" not in text):
            yield Expectation(f"xccos/{place.path}", plain)


def _matters(place: Place) -> bool:
    item = place.steps[0].partition("[")[0].lower()
    kind = item.partition(":")[0]
    if len(place.steps) == 1 and place.attribute == "id":
        return kind in BY_KIND
    if item in LET_IN and place.element == "uib":
        return False  # who else is in the room is not the case's
    return (place.element, place.attribute) in BY_KIND.get(kind, ())
