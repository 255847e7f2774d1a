"""The slots of bodies: XCCOS by element, other XML and SDP by what stands in it.

The rule: an XCCOS number is a slot by its place, never by its value; ``1`` is everywhere.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from analyzer.replay.derive.book import said

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.replay.derive.book import Book
    from analyzer.replay.derive.chats import Chats
    from analyzer.replay.derive.everywhere import Everywhere
    from analyzer.replay.derive.marks import Marks
    from analyzer.replay.derive.places import Place
    from analyzer.replay.derive.said import Said

_ROOM = re.compile(r"ma-chan://[^/\"'<>\s]{1,253}/([^/\"'<>\s;?&]{1,255})")
_TIME = re.compile(
    r"(?<![\w:.-])\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,12})?)?(?:Z|[+-]\d\d:?\d\d)?(?![\w:.-])"
)
_GRUU = re.compile(r"opaque=user:epid:([\w+/=~-]{6,128})")
_MEDIA_PORT = re.compile(r"^m=[\w-]+ (\d{1,5})\b", re.MULTILINE)
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
ROOM_PARTS = ("chanid", "aib", "fib")
"""Elements with a room's id in ``value`` beside its ``domain``."""


class Bodies:
    """Marks bodies."""

    def __init__(self, book: Book, everywhere: Everywhere, chats: Chats) -> None:
        self._book = book
        self._people = everywhere.people
        self._addresses = everywhere.addresses
        self._secrets = everywhere.secrets
        self._tokens = everywhere.tokens
        self._chats = chats

    def mark(self, one: Said) -> None:
        """Mark the body of a message."""
        marks = one.body
        if not marks.text:
            return
        where = _where(one)
        if one.xccos:
            self._people.note_domains(one)
            self._file_tokens(one)
            self._chats.mark(one)
            self._numbers(one)
            self._rooms(one)
        self._tokens.mark(marks)
        self._secrets.mark_body(marks, one)
        for match in _MEDIA_PORT.finditer(marks.text) if not one.places else ():
            self._addresses.mark_port(marks, match.span(1), one, "SDP m=", own=True)
        self._by_form(one, where)
        self._addresses.mark(marks, one, "SDP" if not one.places else "body")
        self._people.mark(marks, one, where, body=bool(one.places))

    def _numbers(self, one: Said) -> None:
        """Mark envid and seqid: a reply has those of its command in ``commandid``."""
        replied: dict[tuple[str, ...], dict[str, Place]] = {}
        for place in one.places:
            if not place.steps and place.attribute == "envid":
                self._envid(place, one)
            elif place.element == "commandid" and place.attribute:
                replied.setdefault(place.steps, {})[place.attribute] = place
            elif len(place.steps) == 1 and place.attribute == "seqid" and one.by == one.client:
                self._seqid(place, one)
        for parts in replied.values():
            self._replied(parts.get("envid"), parts.get("seqid"), one)

    def _envid(self, place: Place, one: Said) -> None:
        key = ("envid", one.client, one.by, one.voice.connection, place.value)
        here = ("envid", one.turn)
        slot = said("envid", place.value, one, "envid")
        copied = ("envid", one.client, one.by, place.value) if one.voice.hop else None
        name = copied and self._book.find(copied)
        name = name or self._book.said(key, slot, f"{one.turn}.envid")
        if name is not None:
            self._book.alias(("envid", one.client, one.by, place.value), name)
            self._book.alias(here, name)
        one.body.claim(place.start, place.end, name)

    def _seqid(self, place: Place, one: Said) -> None:
        envid = self._book.find(("envid", one.turn))
        slot = said("seqid", place.value, one, f"{place.steps[0]} seqid")
        name = self._book.said(("seqid", envid, place.value), slot, f"{one.turn}.seqid")
        one.body.claim(place.start, place.end, name)

    def _replied(self, envid: Place | None, seqid: Place | None, one: Said) -> None:
        """Mark a ``commandid`` with the slots of the command that it answers."""
        name = envid and self._book.find(("envid", one.client, one.to, envid.value))
        if envid is None or not name:
            return
        one.body.claim(envid.start, envid.end, name)
        if seqid is not None:
            name = self._book.find(("seqid", name, seqid.value))
            one.body.claim(seqid.start, seqid.end, name)

    def _rooms(self, one: Said) -> None:
        marks, where = one.body, _where(one)
        for match in _ROOM.finditer(marks.text):
            self._room(marks, match.span(1), one, where(match.start()))
        parts = {place.steps for place in one.places if place.attribute == "domain"}
        for place in one.places:
            if place.attribute == "value" and place.element in ROOM_PARTS and place.steps in parts:
                self._room(marks, (place.start, place.end), one, place.path)

    def _room(self, marks: Marks, span: tuple[int, int], one: Said, where: str) -> None:
        value = marks.text[slice(*span)]
        slot = said("room", value, one, where)
        marks.claim(*span, self._book.numbered(("room", value), slot, "room"))

    def _file_tokens(self, one: Said) -> None:
        """Mark tokens of files, whose captured value is not kept, and where they are good for."""
        for place in one.places:
            if place.element != "token" or not place.value:
                continue
            if place.attribute == "token":
                name = self._tokens.slot(place.value, one, place.path)
                one.body.claim(place.start, place.end, name)
            elif place.attribute == "serveruri":
                slot = said("uri", self._tokens.hidden(place.value), one, place.path)
                name = self._book.said(("uri", place.value), slot, "file-service.uri")
                one.body.claim(place.start, place.end, name)

    def _by_form(self, one: Said, where: Callable[[int], str]) -> None:
        """Mark what is told by its form: times, GUIDs that are known, GRUUs."""
        marks = one.body
        for match in _TIME.finditer(marks.text):
            if marks.is_free(*match.span()):
                slot = said("time", match[0], one, where(match.start()))
                name = self._book.numbered(("time", match[0]), slot, "time")
                marks.claim(*match.span(), name)
        for match in _GRUU.finditer(marks.text):
            marks.claim(*match.span(1), self._book.find(("gruu", one.client, match[1])))
        for match in _GUID.finditer(marks.text):
            for key in (("instance", one.client, match[0]), ("room", match[0])):
                marks.claim(*match.span(), self._book.find(key))


def _where(one: Said) -> Callable[[int], str]:
    """Return what says which place of a body an offset is in."""
    starts = [place.start for place in one.places]

    def words(at: int) -> str:
        index = bisect_right(starts, at) - 1
        return one.places[index].path if index >= 0 else "body"

    return words
