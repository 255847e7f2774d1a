"""Messages taken apart into the texts that a template has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.replay.derive.marks import Marks
from analyzer.replay.derive.places import places_of
from analyzer.replay.template import LENGTH, Template
from dissectors.model import Malformed
from dissectors.sip.grammar import TOKEN_RE, field_name
from dissectors.xccos.sniff import is_xccos
from dissectors.xccos.xml import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.replay.derive.said import Said
    from dissectors.sip.messages import SipMessage

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
MAX_PLACES = 100_000
"""Attributes and texts of one body: the greatest list of rooms known has a tenth of them."""


def take(one: Said) -> None:
    """Fill in the texts of a message: start line, headers and body."""
    message = one.message
    one.start = Marks(_line(message.start_line.decode("utf-8", "replace")))
    one.headers = [
        (header.name, field_name(header.name), Marks(_line(header.value)))
        for header in message.headers
        if TOKEN_RE.fullmatch(header.name)
    ]
    text = _text(message.body)
    if text is None:
        one.binary = message.body
        return
    one.body = Marks(text)
    _take_xml(one, message)


def _take_xml(one: Said, message: SipMessage) -> None:
    if message.body.lstrip()[:1] != b"<" or isinstance(
        parse(message.body, message.content_type), Malformed
    ):
        return
    places = []
    for place in places_of(one.body.text):
        places.append(place)
        if len(places) >= MAX_PLACES:
            break
    one.places = tuple(places)
    one.xccos = is_xccos(message.body)


def _line(text: str) -> str:
    """Return a text that can be a line: no control characters but tabs."""
    return _CONTROL.sub(" ", text)


def _text(body: bytes) -> str | None:
    """Return a body as text; None where it is none."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def template(one: Said) -> Template:
    """Return the template of a message whose slots are marked."""
    return Template(one.start.template(), tuple(_headers(one)), one.body.template(), one.binary)


def _headers(one: Said) -> Iterator[tuple[str, str]]:
    for name, known, marks in one.headers:
        yield name, f"${{{LENGTH}}}" if known == "content-length" else marks.template()
