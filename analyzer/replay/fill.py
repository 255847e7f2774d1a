"""Filling: a template and the values of its slots to the bytes of one SIP message.

The rule: a value is data. In an XML body it is escaped for the place it stands in, in a header it
cannot end the line; whatever a slot is given, the message keeps the shape of its template.

Templates are taken apart once and kept: a play of five hundred clients fills the same hundred
templates over and over.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from analyzer.replay.template import LENGTH, SLOT
from dissectors.sip.grammar import field_name
from dissectors.sip.writer import make_header

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from analyzer.replay.template import Template

KEPT = 1 << 12
"""Templates that are kept taken apart: those of the longest scripts that are played live."""
SHOWN = 60
"""Characters of a refused value that the error shows."""

Place = Literal["plain", "text", "attribute", "apostrophes", "cdata"]
"""Where a slot stands in a body: outside XML, in the text of an element, in the value of an
attribute (of one in apostrophes), in a CDATA section."""

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# XML 1.0 section 2.2, production 2: what no escape can say
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})
_ATTRIBUTE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
    | {"\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}
)
# The sections of XML that end with a text of their own, and quoted values within a tag.
_OPENINGS = {"<![CDATA[": "]]>", "<!--": "-->", "<?": "?>"}
_CDATA_END, _CDATA_SPLIT = "]]>", "]]]]><![CDATA[>"


class _Hole(NamedTuple):
    """A slot, and the literal text before it."""

    before: str
    name: str
    place: Place


class _Parts(NamedTuple):
    """A template taken apart."""

    head: tuple[_Hole, ...]
    head_end: str
    body: tuple[_Hole, ...]
    body_end: str
    binary: bytes


def fill_message(template: Template, value: Callable[[str], str]) -> bytes:
    """Return the message of a template, the values of its slots as ``value`` gives them.

    Content-Length is the length of the body, whatever the template says; it stands where the
    template has it, else last.

    Raises:
        ValueError: A value has a control character and stands in the start line or a header, or
            one that XML cannot say and stands in an XML body; or a header is none.
    """
    parts = _parts(template)
    known: dict[str, str] = {}
    body = parts.binary or _filled(parts.body, parts.body_end, value, known)
    length = str(len(body))
    pieces: list[str] = []
    for before, name, _ in parts.head:
        if name == LENGTH:
            given = length
        else:
            given = known[name] if name in known else known.setdefault(name, value(name))
            if _CONTROL.search(given):
                raise ValueError(f"a control character in the value of {name}: {_short(given)}")
        pieces += (before, given)
    pieces.append(parts.head_end)
    return "".join(pieces).encode() + body


def fill_body(template: Template, value: Callable[[str], str]) -> bytes:
    """Return the body of a template alone, as ``fill_message`` fills it."""
    parts = _parts(template)
    return parts.binary or _filled(parts.body, parts.body_end, value, {})


def is_xml(body: str) -> bool:
    """Tell whether a body is filled as XML: its first character that is not blank is ``<``."""
    return body.lstrip("\ufeff \t\r\n")[:1] == "<"


def escape_text(value: str) -> str:
    """Return a value as the text of an XML element; raise ValueError for what XML cannot say."""
    return _legal(value).translate(_TEXT)


def escape_attribute(value: str) -> str:
    """Return a value for an XML attribute in double quotes; raise ValueError as ``escape_text``."""
    return _legal(value).translate(_ATTRIBUTE)


def _filled(
    holes: tuple[_Hole, ...], end: str, value: Callable[[str], str], known: dict[str, str]
) -> bytes:
    pieces: list[str] = []
    for before, name, place in holes:
        given = known[name] if name in known else known.setdefault(name, value(name))
        # Letters and digits, which most values are, mean themselves everywhere.
        itself = place == "plain" or given.isalnum()
        pieces += (before, given if itself else _escaped(given, place, name))
    pieces.append(end)
    return "".join(pieces).encode()


def _escaped(given: str, place: Place, name: str) -> str:
    try:
        if place == "text":
            return escape_text(given)
        if place == "cdata":
            return _legal(given).replace(_CDATA_END, _CDATA_SPLIT)
        escaped = escape_attribute(given)
        return escaped if place == "attribute" else escaped.replace("'", "&apos;")
    except ValueError as error:
        raise ValueError(f"{error} in the value of {name}: {_short(given)}") from None


def _legal(value: str) -> str:
    # Nearly all values are ASCII: str.isascii and isprintable are faster than the search.
    if not (value.isascii() and value.isprintable()) and _NO_XML.search(value):
        raise ValueError("a character that XML cannot say")
    return value


def _short(value: str) -> str:
    return repr(value if len(value) <= SHOWN else value[:SHOWN] + "…")


@lru_cache(maxsize=KEPT)
def _parts(template: Template) -> _Parts:
    """Take a template apart; raise ValueError where it is no message."""
    head = "".join(_head_lines(template)) + "\r\n"
    places = _places(template.body) if is_xml(template.body) else None
    holes, end = _holes(head, None)
    body, body_end = _holes(template.body, places)
    return _Parts(holes, end, body, body_end, template.binary)


def _head_lines(template: Template) -> Iterable[str]:
    """Return the lines of start line and headers, as a template still."""
    # A start line is refused for what a header value is refused for.
    lines = [_line("Start-Line", template.start).partition(": ")[2]]
    has_length = False
    for name, text in template.headers:
        if field_name(name) != "content-length":
            lines.append(_line(name, text))
        elif not has_length:
            has_length = True
            lines.append(_line(name, f"${{{LENGTH}}}"))
    if not has_length:
        lines.append(_line("Content-Length", f"${{{LENGTH}}}"))
    return lines


def _line(name: str, text: str) -> str:
    return make_header(name, text).raw.decode()


def _holes(text: str, places: dict[int, Place] | None) -> tuple[tuple[_Hole, ...], str]:
    """Cut a text at its slots; ``places``: of an XML body, by where the slots begin."""
    holes, literal, at = [], "", 0
    for match in SLOT.finditer(text):
        literal += text[at : match.start()]
        at = match.end()
        if match[1]:
            literal += match[0][1:]
            continue
        place: Place = "plain" if places is None else places[match.start()]
        holes.append(_Hole(literal, match[2], place))
        literal = ""
    return tuple(holes), literal + text[at:]


_MARKS = re.compile(r"<!\[CDATA\[|<!--|<\?|<|>|[\"']|" + SLOT.pattern)


def _places(body: str) -> dict[int, Place]:
    """Return in which place of an XML body each slot stands, by where it begins.

    Lexical only: the body is the script's, and what is not well-formed is escaped all the same.
    """
    places: dict[int, Place] = {}
    end, in_tag = "", False
    for match in _MARKS.finditer(body):
        mark = match[0]
        if mark.startswith("$"):
            places[match.start()] = _place(end, in_tag=in_tag)
        elif end:
            # A section ends with its own mark, of which the last character was found.
            if body.startswith(end, match.end() - len(end)):
                end = ""
        elif not in_tag and mark in _OPENINGS:
            end = _OPENINGS[mark]
        elif in_tag and mark in "\"'":
            end = mark
        elif mark in "<>":
            in_tag = mark == "<"
    return places


def _place(end: str, *, in_tag: bool) -> Place:
    if end == _CDATA_END:
        return "cdata"
    if end == "'":
        return "apostrophes"
    return "attribute" if in_tag else "text"
