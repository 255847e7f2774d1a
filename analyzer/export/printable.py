"""Text from captures made safe to show: nothing in it can steer a terminal or reorder a line.

A header may hold escape sequences that retitle the window, hide text or answer as if typed. They
are spelt out, never sent. So are directional marks, which make text read in another order.
"""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1 (ECMA-48 section 5)
    "\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"  # marks, separators, embeddings (UAX 9)
    "\ud800-\udfff\ufeff"  # lone surrogates cannot be encoded
    "\ufffe\uffff]"  # no characters: XML 1.0 refuses them
)
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _shown(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    return _NAMED.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")


def printable(text: str) -> str:
    """Return the text on one line, with every control character spelt out."""
    # Every unsafe character is of a category that isprintable refuses, and it takes a tenth of the
    # time of the pattern.
    return text if text.isprintable() else _UNSAFE.sub(_shown, text)


def printable_lines(text: str) -> list[str]:
    """Return the lines of a text (CRLF or LF), each made safe."""
    return [printable(line) for line in text.replace("\r\n", "\n").split("\n")]
