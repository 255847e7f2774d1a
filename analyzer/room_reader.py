"""Which rooms a message speaks of, read back from the capture when they are asked for.

Rows keep no rooms. One pattern over the bytes finds them in the plain envelopes that make up nearly
all traffic; an envelope with several items, entities, comments or CDATA is parsed in full.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from dissectors.model import Malformed
from dissectors.xccos.rooms import failed_rooms, room_names, room_uri, rooms_of

if TYPE_CHECKING:
    from analyzer.trace import Trace


class RoomFacts(NamedTuple):
    """What one item says about rooms, by URI."""

    rooms: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    names: dict[str, str] = {}  # noqa: RUF012  (never written to)


NOTHING = RoomFacts()
# Start tags with their attributes, quotes respected; linear, because every part is possessive.
_TAG = re.compile(
    rb"<(?:[\w.-]++:)?(chanib|chanid|aib|grpchat|msg|ftdb|fib)"
    rb"((?:\s++[\w:.-]++\s*+=\s*+(?:\"[^\"<]*+\"|'[^'<]*+'))*)\s*+/?>"
)
_ATTRIBUTE = re.compile(rb"\s([\w.-]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)')")
_CHAN_URI = re.compile(rb"\schanUri=\"([^\"]++)\"")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))
_OTHERS = (b"&lt;", b"&gt;", b"&quot;", b"&apos;")
_BLANKS = re.compile(rb"[\t\r\n]")
_URI_OF = {b"chanib": b"uri", b"grpchat": b"chanUri", b"msg": b"chanUri", b"ftdb": b"channelUri"}


class RoomReader:
    """Reads room facts of one trace; keeps those of the message read last."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._rows = trace.rows
        self._elements = trace.rows.item_columns["element"]
        self._last = (-1, [NOTHING])

    def facts(self, row: int, position: int) -> RoomFacts:
        """Return what an item says, by its position in its envelope."""
        if self._last[0] != row:
            self._last = (row, self._read(row))
        found = self._last[1]
        return found[position] if position < len(found) else NOTHING

    def _read(self, row: int) -> list[RoomFacts]:
        if self._rows.items[row] == 1:
            raw = self._trace.raw(row)
            at = raw.find(b"\r\n\r\n")
            if at > 0 and not _is_strange(raw, at):
                local = self._rows.strings.values[self._elements[self._rows.item[row]]]
                facts = _chat(raw, at) if local == "grpchat" else _scan(raw, at)
                if facts is not None:
                    return [facts]
        document = self._trace.document(row)
        if document is None or isinstance(document, Malformed):
            return []
        return [
            RoomFacts(rooms_of(item), failed_rooms(item), room_names(item))
            for item in document.items
        ]


def _is_strange(raw: bytes, at: int) -> bool:
    """Say whether a body has comments, CDATA, declarations or zero bytes."""
    # One character is found far sooner than two.
    return (b"!" in raw and raw.find(b"<!", at) >= 0) or raw.find(b"\0", at) >= 0


def _chat(raw: bytes, at: int) -> RoomFacts | None:
    """Return the room of the first item, a chat message: nine tenths of all traffic."""
    tag = _TAG.search(raw, at)
    if tag is None or tag[1] != b"grpchat":
        return None
    found = _CHAN_URI.search(tag[2])
    if found is None or b"&" in found[1] or not found[1].isascii():
        return None
    return RoomFacts((found[1].decode(),))


def _scan(raw: bytes, at: int) -> RoomFacts | None:
    """Return the facts of a plain envelope with one item; None where it must be parsed."""
    rooms: dict[str, None] = {}
    failed: dict[str, None] = {}
    names: dict[str, str] = {}
    for tag in _TAG.finditer(raw, at):
        name, text = tag.groups()
        try:
            attributes = _attributes(text)
        except ValueError:
            return None
        room = _room(name, attributes)
        if room and name == b"fib":
            failed.setdefault(room)
        elif room:
            rooms.setdefault(room)
            if name == b"chanib" and attributes.get(b"name"):
                names.setdefault(room, attributes[b"name"])
    return RoomFacts(tuple(rooms), tuple(failed), names)


def _attributes(text: bytes) -> dict[bytes, str]:
    """Return the attributes of a tag; ValueError where reading them takes more than this."""
    found = _ATTRIBUTE.findall(text)
    if b"&" in text or b"\n" in text or b"\t" in text or b"\r" in text:
        return {key: _plain(one or other) for key, one, other in found}
    return {key: (one or other).decode() for key, one, other in found}


def _plain(value: bytes) -> str:
    """Return an attribute's value; ValueError where reading it takes more than this.

    A UnicodeDecodeError is a ValueError too.
    """
    text = value.decode()
    if "&" in text:
        for entity, character in _ENTITIES:
            text = text.replace(entity, character)
        if value.count(b"&") != value.count(b"&amp;") + sum(map(value.count, _OTHERS)):
            raise ValueError("a reference that only the parser knows")
    if _BLANKS.search(value):
        raise ValueError("blanks that XML turns into spaces")
    return text


def _room(name: bytes, attributes: dict[bytes, str]) -> str | None:
    key = _URI_OF.get(name)
    if key is not None:
        return attributes.get(key) or None
    domain, value = attributes.get(b"domain"), attributes.get(b"value")
    return room_uri(domain, value) if domain and value else None
