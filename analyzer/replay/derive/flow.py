"""Values that flow: what one side says first and is said again by the other, or to somebody else.

The rule: only what looks like an identifier flows (it has a digit, ``@`` or ``://``), and a short
number only between attributes of one name. What a client says is its own: two clients that say the
same have a slot each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.derive.book import said
from analyzer.replay.script import SERVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.replay.derive.book import Book
    from analyzer.replay.derive.marks import Marks
    from analyzer.replay.derive.places import Place
    from analyzer.replay.derive.said import Said
    from analyzer.replay.derive.tokens import Tokens
    from analyzer.replay.script import SlotKind

SHORTEST, LONGEST = 4, 512
"""Characters of a value that flows: shorter ones are everywhere, longer ones are documents."""
SHORT_NUMBER = 5
"""Digits of a number that is an identifier only beside its name."""
STRUCTURE = frozenset({"id", "key", "ver", "seqid", "envid", "code", "type", "version", "content"})
"""Attributes whose values say what something is; ``content`` holds a document."""
WIRE = frozenset({"cseq", "content-type", "content-length", "user-agent", "server", "allow"})
"""Headers without such values."""
GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_PARAM = re.compile(r';[ \t]*([A-Za-z][\w.-]{0,40})[ \t]*=[ \t]*"?([^\s;,<>"]{4,512})')


class Mention(NamedTuple):
    """A value where it is said."""

    marks: Marks
    start: int
    end: int
    value: str
    name: str
    """Of the attribute or parameter."""
    where: str
    one: Said


@dataclass(slots=True)
class Source:
    """A value of one who said it first."""

    mentions: list[Mention] = field(default_factory=list)
    sides: set[tuple[str, str]] = field(default_factory=set)
    """Who said it to whom."""


class Flow:
    """Finds the values that flow, when all else is marked."""

    def __init__(self, book: Book, tokens: Tokens) -> None:
        self._book = book
        self._tokens = tokens
        self._sources: dict[tuple[str, str], Source] = {}
        self._holders: dict[str, list[str]] = {}

    def mark(self, messages: Iterable[Said]) -> None:
        """Mark the values that flow in messages in the order in which they were said."""
        for one in messages:
            for mention in (*_in_headers(one), *_in_body(one)):
                source = self._source(_key(mention), one)
                source.mentions.append(mention)
                source.sides.add((one.by, one.client))
        for source in self._sources.values():
            if len(source.sides) > 1:
                self._slot(source.mentions)

    def _source(self, key: str, one: Said) -> Source:
        """Return whose value it is: the speaker's own, what the other said, or somebody else's."""
        holders = self._holders.setdefault(key, [])
        known = next((one for one in (one.client, SERVER) if one in holders), None)
        if known is None and one.by == SERVER and holders:
            known = holders[0]
        if known is None:
            known = one.by
            holders.append(known)
        return self._sources.setdefault((known, key), Source())

    def _slot(self, mentions: list[Mention]) -> None:
        first = mentions[0]
        kind: SlotKind = (
            "uri" if "://" in first.value or first.value.startswith("sip:") else "opaque"
        )
        slot = said(kind, self._tokens.hidden(first.value), first.one, first.where)
        key = ("flow", first.one.by, first.value, first.one.turn, first.start)
        name = self._book.numbered(key, slot, first.name)
        for mention in mentions:
            mention.marks.claim(mention.start, mention.end, name)


def _key(mention: Mention) -> str:
    short = mention.value.isdecimal() and len(mention.value) <= SHORT_NUMBER
    return f"{mention.name}={mention.value}" if short else mention.value


def _in_headers(one: Said) -> Iterator[Mention]:
    for name, known, marks in (("Request-URI", "", one.start), *one.headers):
        if known in WIRE or ";" not in marks.text:
            continue
        for match in _PARAM.finditer(marks.text):
            start, end = match.span(2)
            if _flows(match[2], match[1]) and marks.is_free(start, end):
                yield Mention(marks, start, end, match[2], match[1], f"{name} {match[1]}", one)


def _in_body(one: Said) -> Iterator[Mention]:
    marks = one.body
    for place in one.places:
        name = place.attribute or place.element
        if marks.is_free(place.start, place.end):
            if _flows(place.value, name):
                yield Mention(marks, place.start, place.end, place.value, name, place.path, one)
        elif name != "content":
            yield from _parts(marks, place, name, one)


def _parts(marks: Marks, place: Place, name: str, one: Said) -> Iterator[Mention]:
    """Yield the GUIDs beside what is marked in a value."""
    for start, end in marks.free(place.start, place.end):
        for match in GUID.finditer(marks.text, start, end):
            yield Mention(marks, *match.span(), match[0], name, place.path, one)


def _flows(value: str, name: str) -> bool:
    if not SHORTEST <= len(value) <= LONGEST or value != value.strip():
        return False
    if name in STRUCTURE:
        return GUID.fullmatch(value) is not None or (
            value.isdecimal() and len(value) > SHORT_NUMBER
        )
    return "@" in value or "://" in value or any(character.isdigit() for character in value)
