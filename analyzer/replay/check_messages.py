"""Whether templates, filled as recorded, are messages, and hold what is expected of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.replay.fields import parse_path, read_field
from analyzer.replay.fill import fill_message, is_xml
from analyzer.replay.heard import hear
from analyzer.replay.problem import error, warning
from analyzer.replay.script_reading import MAX_BODY
from analyzer.replay.template import LENGTH, fill
from dissectors.model import Malformed
from dissectors.xccos.sniff import is_xccos
from dissectors.xccos.xml import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from analyzer.replay.heard import Heard
    from analyzer.replay.problem import Problem
    from analyzer.replay.script import Slot, Turn

SHOWN = 60
"""Characters of a value that a sentence shows."""


def check_message(turn: Turn, slots: Mapping[str, Slot]) -> Iterator[Problem]:
    """Yield what is wrong with one turn's message and expectations."""
    place = f"turn {turn.id}"
    message = turn.message
    if message.body and message.binary:
        yield error(place, "has a body of text and a binary one")
    length = message.header("Content-Length")
    if length is not None and length.strip() != f"${{{LENGTH}}}":
        yield warning(place, f"has its Content-Length written out; ${{{LENGTH}}} is always right")

    def value(name: str) -> str:
        return slots[name].value if name in slots else ""

    try:
        raw = fill_message(message, value)
    except ValueError as problem:
        yield error(place, f"is no SIP message: {problem}")
        return
    heard = hear(raw)
    if isinstance(heard, Malformed):
        yield error(place, f"is no SIP message: {heard.reason}")
        return
    yield from _head(place, turn, heard)
    yield from _body(place, turn, heard)
    for at, one in enumerate(turn.expect):
        expected = fill(one.equals, value)
        yield from _expectation(f"{place}: expect[{at}]", one.path, expected, heard)


def _head(place: str, turn: Turn, heard: Heard) -> Iterator[Problem]:
    message = heard.message
    for name in ("Call-ID", "CSeq", "From", "To", "Via"):  # RFC 3261 8.1.1
        if name not in message.headers:
            yield warning(place, f"has no {name}")
    method = (message.cseq_method or "").upper()
    if turn.is_request and method and method != (message.method or "").upper():
        yield warning(place, f"is a {message.method}, and its CSeq says {method}")


def _body(place: str, turn: Turn, heard: Heard) -> Iterator[Problem]:
    body = heard.message.body
    if len(body) > MAX_BODY:
        yield error(place, f"has a body of {len(body)} bytes; {MAX_BODY} at most are read")
    if heard.root is not None or not is_xml(turn.message.body):
        return
    parsed = parse(body, heard.message.content_type)
    if isinstance(parsed, Malformed):
        # It may be the very fault that the script is about.
        kind = "XCCOS" if is_xccos(body) else "XML"
        yield warning(place, f"has an {kind} body that is not well-formed: {parsed.reason}")


def _expectation(place: str, path: str, expected: str, heard: Heard) -> Iterator[Problem]:
    try:
        parse_path(path)
        found = read_field(path, heard)
    except ValueError as problem:
        yield error(place, str(problem))
        return
    if found is None:
        yield warning(place, f"expects {path}, which the message of this turn does not have")
    elif found != expected:
        told = f"{_short(expected)}, and the message of this turn has {_short(found)}"
        yield warning(place, f"expects {path} to be {told}")


def _short(text: str) -> str:
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")
