"""Texts with named slots: ``${client1.user}``. A literal ``${`` is written ``$${``.

The rule: filling is pure substitution; what a slot stands for is decided by whoever fills.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from dissectors.sip.grammar import field_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SLOT = re.compile(r"\$(\$)?\{([A-Za-z][\w.-]{0,80})\}")
"""A reference; group 1 is set where it is escaped and means itself."""
LENGTH = "content_length"
"""The one reserved name: what a writer puts into Content-Length."""


@dataclass(frozen=True, slots=True)
class Template:
    """A SIP message with slots."""

    start: str
    """Request line or status line."""
    headers: tuple[tuple[str, str], ...]
    """In the order of the wire; the value of Content-Length is ``${content_length}``."""
    body: str = ""
    binary: bytes = b""
    """A body that is no UTF-8 text: it has no slots, and ``body`` is empty."""

    def header(self, name: str) -> str | None:
        """Return the value of the first header of a name, in any case; None without one."""
        return _by_name(self.headers).get(field_name(name))

    @property
    def status(self) -> int | None:
        """Return the status of a response; None for a request."""
        parts = self.start.split(" ", 2)
        known = parts[0].startswith("SIP/") and len(parts) > 1 and parts[1].isdecimal()
        return int(parts[1]) if known else None

    @property
    def method(self) -> str:
        """Return the method of a request, of a response the one in CSeq."""
        if self.status is None:
            return self.start.split(" ", 1)[0]
        return (self.header("CSeq") or "").rpartition(" ")[2]

    def texts(self) -> Iterable[str]:
        """Return every text that may have slots."""
        return (self.start, *(value for _, value in self.headers), self.body)

    def slots(self) -> tuple[str, ...]:
        """Return the names of its slots in order of their first use."""
        return tuple(dict.fromkeys(name for text in self.texts() for name in slots_of(text)))


@lru_cache(maxsize=8192)
def _by_name(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return the first value of each name; names may be written in any case, or compact."""
    found: dict[str, str] = {}
    for name, value in headers:
        found.setdefault(field_name(name), value)
    return found


def escape(text: str) -> str:
    """Return a literal text as a template."""
    return text.replace("${", "$${") if "${" in text else text


@lru_cache(maxsize=4096)
def slots_of(text: str) -> tuple[str, ...]:
    """Return the names of the slots of a text, in order, each time they occur."""
    if "${" not in text:
        return ()
    return tuple(match[2] for match in SLOT.finditer(text) if not match[1])


def fill(text: str, value: Callable[[str], str]) -> str:
    """Return a text with its slots filled."""
    if "${" not in text:
        return text
    return SLOT.sub(lambda match: match[0][1:] if match[1] else value(match[2]), text)


@lru_cache(maxsize=4096)
def pattern_of(text: str) -> re.Pattern[str]:
    """Return what matches a filled text; groups are its slots in order (``slots_of``)."""
    parts, at = [], 0
    for match in SLOT.finditer(text):
        parts.append(re.escape(text[at : match.start()]))
        parts.append(re.escape(match[0][1:]) if match[1] else "(.+?)")
        at = match.end()
    parts.append(re.escape(text[at:]))
    return re.compile("".join(parts), re.DOTALL)


def read_slots(text: str, filled: str) -> dict[str, str] | None:
    """Return what the slots of a template stand for in a filled text; None where it differs.

    A slot that occurs twice must stand for the same both times.
    """
    match = pattern_of(text).fullmatch(filled)
    if match is None:
        return None
    found: dict[str, str] = {}
    for name, value in zip(slots_of(text), match.groups(), strict=True):
        if found.setdefault(name, value) != value:
            return None
    return found
