"""Places of a body where only words of people, names and private values stand.

The rule: a place is known by the name of its attribute or element, and what stands there counts
whatever it is; a room called ``data`` is found here, where looking for the word would be ruin.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from analyzer.replay.fill import escape_attribute, escape_text, is_xml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Kind = Literal[
    "user", "name", "domain", "host", "address", "room", "room-name", "text", "epid", "instance",
    "login", "machine", "phone", "file", "preference", "binary",
]  # fmt: skip
"""What a private value is."""

ATTRIBUTES: dict[str, Kind] = {
    "displayname": "name",
    "dispname": "name",
    "authdisp": "name",
    "remotename": "name",
    "fullname": "name",
    "nickname": "name",
    "dn": "name",
    "name": "room-name",  # of people in PEOPLE; see TERMS
    "uname": "login",
    "username": "login",
    "createdby": "login",
    "updatedby": "login",
    "guid": "instance",
    "topic": "text",
    "description": "text",
    "comment": "text",
    "title": "text",
    "criteria": "room-name",  # what is searched for
    "matching": "room-name",
    "content": "preference",  # of pref
    "fileurl": "file",
    "filename": "file",
    "machinename": "machine",
    "subject": "text",
}
"""Attributes with private values, in lower case."""
TERMS = frozenset(
    {"action", "attribute", "category", "event", "feature", "option", "param", "parameter"}
    | {"preference", "property", "provisiongroup", "provisioninggroup", "publication", "set"}
)
"""Elements whose ``name`` or ``title`` is a term of the protocol; of others it is somebody's."""
PEOPLE = frozenset({"contact", "member", "user", "uib", "subscriber", "watcher", "resource"})
"""Elements whose ``name`` is that of a person."""
ELEMENTS: dict[str, Kind] = {
    "chat": "text",
    "html": "text",
    "rtf": "text",
    "story": "text",
    "note": "text",
    "body": "text",
    "subject": "text",
    "location": "text",
    "meetingsubject": "text",
    "meetinglocation": "text",
    "freebusy": "text",
    "topic": "text",
    "description": "text",
    "displayname": "name",
    "givenname": "name",
    "surname": "name",
    "fullname": "name",
    "dn": "name",
    "company": "name",
    "department": "name",
    "office": "name",
    "title": "name",
    "street": "name",
    "city": "name",
    "machinename": "machine",
    "phone": "phone",
    "phonenumber": "phone",
    "fileurl": "file",
    "filename": "file",
}
"""Elements whose text is private, in lower case."""
_TAG = re.compile(
    r"<(?P<prefix>[\w.-]+:)?(?P<name>[\w.-]+)(?P<rest>(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*)>"
)
_ATTRIBUTE = re.compile(
    r"(?P<name>[\w:.-]+)(?P<is>\s*=\s*)(?P<quote>[\"'])(?P<value>.*?)(?P=quote)", re.DOTALL
)
_CDATA = "<![CDATA["
_CDATA_END = "]]>"


class Private(NamedTuple):
    """A private value at its place."""

    kind: Kind
    value: str
    """Without escapes."""
    start: int
    end: int
    """Of what stands between the quotes or tags."""
    attribute: bool


def private_places(body: str) -> Iterator[Private]:
    """Yield the private values of a body that is XML, in order; they may have slots."""
    if not is_xml(body):
        return
    at = 0
    for tag in _TAG.finditer(body):
        if tag.start() < at:  # inside of a private text
            continue
        name = tag["name"].lower()
        yield from _attributes(name, tag["rest"], tag.start("rest"))
        kind = ELEMENTS.get(name)
        if kind is not None and not tag["rest"].endswith("/"):
            for one in _text(kind, body, tag.end()):
                at = one.end
                yield one


def rewritten(body: str, new: Callable[[Private], str]) -> str:
    """Return a body with other private values; what stays the same stays as it is written."""
    pieces: list[str] = []
    at = 0
    for one in private_places(body):
        value = new(one)
        if value != one.value and one.start >= at:
            escaped = escape_attribute(value) if one.attribute else escape_text(value)
            pieces += (body[at : one.start], escaped)
            at = one.end
    return "".join([*pieces, body[at:]])


def _attributes(element: str, rest: str, offset: int) -> Iterator[Private]:
    for found in _ATTRIBUTE.finditer(rest):
        name = found["name"].rpartition(":")[2].lower()
        kind = ATTRIBUTES.get(name)
        if kind is None or element in TERMS or (name == "content" and element != "pref"):
            continue
        if name == "name" and element in PEOPLE:
            kind = "name"
        start, end = offset + found.start("value"), offset + found.end("value")
        if found["value"].strip():
            yield Private(kind, html.unescape(found["value"]), start, end, attribute=True)


def _text(kind: Kind, body: str, start: int) -> Iterator[Private]:
    if body.startswith(_CDATA, start):
        end = body.find(_CDATA_END, start)
        end = len(body) if end < 0 else end + len(_CDATA_END)
        value = body[start + len(_CDATA) : max(end - len(_CDATA_END), start + len(_CDATA))]
    else:
        end = body.find("<", start)
        end = len(body) if end < 0 else end
        value = html.unescape(body[start:end])
    if value.strip():
        yield Private(kind, value, start, end, attribute=False)
