"""Filters that a value stands for, in the words of the filter box."""

from __future__ import annotations

import re

OF_HEADERS = {
    "call-id": "call-id",
    "i": "call-id",
    "from": "from",
    "f": "from",
    "to": "to",
    "t": "to",
}
"""Headers whose values have a word of their own, by their names in lower case."""
_ADDRESS = re.compile(r"\bsips?:([^\s;,>\"?]+)", re.IGNORECASE)
BEGINNINGS = {"call-id"}
"""Words that a beginning with ``*`` may stand behind."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_QUOTED = re.compile(r"[\"\\]")
MAX_TERM = 300
"""Characters of a value that is looked for."""


def term(word: str, value: str) -> str | None:
    """Return ``call-id:"abc"``; None where there is nothing to look for.

    What is too long, or has control characters, is looked for by its beginning.
    """
    plain = _CONTROL.split(value[:MAX_TERM], maxsplit=1)[0]
    if not plain.strip():
        return None
    escaped = _QUOTED.sub(r"\\\g<0>", plain)
    more = "*" if word in BEGINNINGS and len(plain) < len(value) else ""
    return f'{word}:"{escaped}{more}"'


def of_header(name: str, value: str) -> str | None:
    """Return the filter that a header's value stands for: its own word, else its text."""
    lower = name.strip().lower()
    if lower == "cseq":
        method = value.split()[-1:] or [""]
        return term("method", method[0])
    if lower in OF_HEADERS:
        found = _ADDRESS.search(value)
        return term(OF_HEADERS[lower], found[1] if found else value)
    return term("text", value)


def of_attribute(name: str, value: str) -> str | None:
    """Return the filter that a value in XCCOS stands for; None where it would be of no use."""
    if name == "id" and value.partition(":")[0] in {"cmd", "rpl", "ntc"}:
        return term("command", value)
    if value[:10].lower() == "ma-chan://":
        return term("room", value)
    found = _ADDRESS.fullmatch(value)
    return term("user", found[1]) if found else None
