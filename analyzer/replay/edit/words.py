"""Values that stand in texts: found where they are whole words, in any case.

The rule: one pass. What was put in is never looked at again, so that two names can change places.
Time is linear in the text: a word is looked up, and what begins with it is compared.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.fill import escape_attribute, escape_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_")
_FIRST = re.compile(r"[^\W_]+|\S")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
SCHEMA = "://schemas."
"""Namespaces are names, whoever's domain they are written with."""
NEAR = 40
"""Characters before a value in which a namespace would begin."""


class Found(NamedTuple):
    """A value in a text."""

    start: int
    end: int
    old: str
    """As it was given to the table."""


class Words:
    """Finds the values of a table."""

    def __init__(self, values: Iterable[str]) -> None:
        """Take the values: every way in which XML and URIs write one counts as it."""
        found: dict[str, dict[int, dict[str, str]]] = {}
        for old in values:
            for form in forms_of(old):
                folded = fold(form)
                first = _FIRST.match(folded)
                if first is not None:
                    lengths = found.setdefault(first[0], {})
                    lengths.setdefault(len(folded), {}).setdefault(folded, old)
        # By the first word, then by length: thousands of addresses begin with the same number.
        self._by_first = {
            first: sorted(lengths.items(), reverse=True) for first, lengths in found.items()
        }

    def find(self, text: str) -> Iterator[Found]:
        """Yield what is found, from left to right, the longest where several begin."""
        folded, at = fold(text), 0
        for token in _TOKEN.finditer(folded):
            start = token.start()
            if start < at or token[0] not in self._by_first:
                continue
            for length, forms in self._by_first[token[0]]:
                end = start + length
                old = forms.get(folded[start:end])
                if old is not None and _ends(folded, end) and not _in_name(text, start):
                    at = end
                    yield Found(start, end, old)
                    break

    def replaced(self, text: str, table: Mapping[str, str]) -> str:
        """Return a text with other values."""
        pieces: list[str] = []
        at = 0
        for found in self.find(text):
            pieces += (text[at : found.start], table[found.old])
            at = found.end
        return "".join([*pieces, text[at:]])


def fold(text: str) -> str:
    """Return a text in lower case, every character in its place."""
    folded = text.lower()
    if len(folded) == len(text):
        return folded
    return "".join(low if len(low := one.lower()) == 1 else one for one in text)


def forms_of(value: str) -> Iterable[str]:
    """Return the ways in which a value is written: as it is, escaped for XML or for a URI."""
    forms = [value]
    for escape in (escape_text, escape_attribute):
        try:
            escaped = escape(value)
        except ValueError:  # what XML cannot say is in no XML
            continue
        forms += (escaped, escaped.replace("'", "&apos;"), escaped.replace("&gt;", ">"))
        forms.append(_NOT_ASCII.sub(lambda found: f"&#{ord(found[0])};", escaped))
        forms.append(_NOT_ASCII.sub(lambda found: f"&#x{ord(found[0]):x};", escaped))
    if "@" in value:
        forms.append(value.replace("@", "%40"))
    return dict.fromkeys(form for form in forms if form)


def _ends(text: str, end: int) -> bool:
    """Tell whether a word can end at a place."""
    return end == len(text) or not (text[end].isalnum() and text[end - 1].isalnum())


def _in_name(text: str, start: int) -> bool:
    """Tell whether a place is in the name of a namespace."""
    return SCHEMA in text[max(0, start - NEAR) : start]
