"""What of a received message is kept: where a slot stands in it, as a POSIX regular expression.

The rule: an expression is only written when it finds the recorded value in the recorded message;
otherwise the slot keeps its recorded value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.fill import escape_attribute, is_xml
from analyzer.replay.sipp.syntax import posix
from analyzer.replay.template import SLOT, fill, slots_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from analyzer.replay.template import Template

MIN_CONTEXT = 3
"""Characters before a slot that tell its place: ``d="`` stands in any body, ``id="`` in many."""
MAX_CONTEXT = 40
ENVID = 'xccos[^>]* envid="([^"]*)"'
"""The envid of an envelope, whatever else its root element has."""

# No bracket expression can begin with ^, and SIPp's reader takes \ for an escape of its own.
_UNSAYABLE = re.compile(r"[\\^\r\n\x00-\x1f]")
MINDED = frozenset(
    {"via", "call-id", "cseq", "record-route", "route", "content-length"}
    # Of one occasion, and secret: SIPp can make none of NTLM's and Kerberos' anew.
    | {"authorization", "proxy-authorization", "authentication-info", "proxy-authentication-info"}
    | {"www-authenticate", "proxy-authenticate"}
)
"""Headers that SIPp minds itself, or that a scenario has not."""
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,200}")
"""A token (RFC 3261 section 25.1)."""


class Capture(NamedTuple):
    """Where a slot is found."""

    slot: str
    pattern: str
    where: str
    """``body``, ``msg`` (the start line), or the name of a header."""


def is_kept(header: str) -> bool:
    """Return whether a scenario has a header of this name as the recording has it."""
    return header.lower() not in MINDED and _NAME.fullmatch(header) is not None


def captures_of(
    message: Template, wanted: Collection[str], recorded: Callable[[str], str]
) -> list[Capture]:
    """Return where a message that is heard says the wanted slots."""
    found: dict[str, Capture] = {}
    places = [
        *(one for one in message.headers if is_kept(one[0])),
        ("body", message.body),
        ("msg", message.start),
    ]
    for where, text in places:
        for name in slots_of(text):
            if name in wanted and name not in found:
                xml = where == "body" and is_xml(text)
                pattern = _pattern(name, text, recorded if not xml else _escaped(recorded))
                if pattern is not None:
                    found[name] = Capture(name, pattern, where)
    return list(found.values())


def _escaped(recorded: Callable[[str], str]) -> Callable[[str], str]:
    return lambda name: escape_attribute(recorded(name))


def _pattern(name: str, text: str, recorded: Callable[[str], str]) -> str | None:
    """Return the expression whose first group is a slot of a text; None where none is safe."""
    spoken = fill(text, recorded)
    for before, value in _candidates(name, text):
        match = re.search(f"{re.escape(before)}({value})", spoken)
        if match is not None and match[1] == recorded(name):
            return f"{posix(before)}({value})"
    return None


def _candidates(name: str, text: str) -> list[tuple[str, str]]:
    """Return the texts before the places of a slot, each with the expression for its value."""
    found = []
    at = 0
    for match in SLOT.finditer(text):
        if not match[1] and match[2] == name:
            before = _UNSAYABLE.split(text[at : match.start()])[-1][-MAX_CONTEXT:]
            after = text[match.end() : match.end() + 1]
            if len(before) >= MIN_CONTEXT or (not before and at == match.start() == 0):
                found.append((before, _value(after)))
        at = match.end()
    return found


def _value(after: str) -> str:
    """Return the expression for a value that ends before a character, or with the line."""
    if after in ('"', "<"):  # of XML: the words of people have several lines
        return f"[^{after}]+"
    if after in ("", "\r", "\n", "$", "^", "\\", "[", "]"):
        return r"[^\r\n]*"
    ends = {">": ">", ";": ";>", "@": "@>"}.get(after, after + '"<>')
    return f"[^{ends}\\r\\n]+"
