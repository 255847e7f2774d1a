"""Full text: words in the bytes of messages, and in what their bodies say when they are decoded.

The rule: nothing of a capture is kept but the decoded texts that its bytes do not show, and of
these only so many; a search reads the messages that are left in order, a window at a time.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, NamedTuple

from analyzer.export.readback import reader_of
from dissectors.model import Malformed
from dissectors.xccos.encoding import to_utf8, wide_encoding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.trace import Trace

MAX_KEPT = 32 << 20
"""Characters of decoded texts that are kept: those of some tens of thousands of messages."""
LEVELS = 3
"""A history quotes chat texts, which may quote again: references are resolved so many times."""
BEFORE, BEHIND = 24, 56
"""Characters around what was found."""
_REFERENCE = re.compile(r"&(?:[A-Za-z]{2,8}|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_HEAD_END = b"\r\n\r\n"


class Snippet(NamedTuple):
    """What was found, and the text around it."""

    before: str
    found: str
    behind: str


class Phrase:
    """Words that follow one another; between them blanks, line ends or quotes, as many as like."""

    def __init__(self, text: str) -> None:
        words = text.casefold().split()
        self._plain = words[0] if len(words) == 1 else None
        source = r"[\s\"]+".join(map(re.escape, words))
        self._pattern = re.compile(source)
        self.shown = re.compile(r"[\s\"]+".join(map(re.escape, text.split())), re.IGNORECASE)
        self.ascii = source.isascii()
        self._plain_bytes = None if self._plain is None else self._plain.encode()
        self._byte_pattern = re.compile(source.encode())

    def in_bytes(self, lowered: bytes) -> bool:
        """Say whether it is in bytes whose ASCII letters are small; for an ASCII phrase."""
        if self._plain_bytes is not None:
            return self._plain_bytes in lowered
        return self._byte_pattern.search(lowered) is not None

    def in_text(self, folded: str) -> bool:
        """Say whether it is in a text without case."""
        if self._plain is not None:
            return self._plain in folded
        return self._pattern.search(folded) is not None


class Texts:
    """Searches the messages of one capture."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._kept: dict[int, str] = {}
        self._size = 0

    def tester(self, texts: Sequence[str]) -> Callable[[int], bool]:
        """Return the test whether a message has any of these texts; for rows in order."""
        phrases = [Phrase(text) for text in texts]
        plain = [one for one in phrases if one.ascii]
        raw = reader_of(self._trace)

        def found(row: int) -> bool:
            data = raw(row)
            lowered = data.lower()
            if any(one.in_bytes(lowered) for one in plain):
                return True
            if len(plain) == len(phrases) and b"&" not in data and b"\0" not in data:
                return False
            folded = self._folded(row, data)
            return any(one.in_text(folded) for one in phrases)

        return found

    def _folded(self, row: int, data: bytes) -> str:
        """Return what a message says, decoded and without case."""
        known = self._kept.get(row)
        if known is None:
            known = decoded(data).casefold()
            if self._size + len(known) <= MAX_KEPT:
                self._kept[row] = known
                self._size += len(known)
        return known

    def snippet(self, row: int, texts: Sequence[str]) -> Snippet | None:
        """Return the first of these texts in a message with what stands around it."""
        data = self._trace.raw(row)
        for text in (plain(data), decoded(data)):
            for phrase in map(Phrase, texts):
                found = phrase.shown.search(text)
                if found is not None:
                    begin, end = found.span()
                    return Snippet(
                        _flat(text[max(0, begin - BEFORE) : begin]),
                        _flat(found[0]),
                        _flat(text[end : end + BEHIND]),
                    )
        return None


def plain(data: bytes) -> str:
    """Return bytes as the parser reads them: UTF-8, or else Latin-1."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def decoded(data: bytes) -> str:
    """Return a message with its body in Unicode and its references resolved."""
    at = data.find(_HEAD_END)
    if at >= 0 and wide_encoding(data[at + 4 :]) is not None:
        body = to_utf8(data[at + 4 :], None)
        if not isinstance(body, Malformed):
            data = data[: at + 4] + body.data
    text = plain(data)
    for _ in range(LEVELS):
        if "&" not in text:
            break
        resolved = _REFERENCE.sub(lambda found: unescape(found[0]), text)
        if resolved == text:
            break
        text = resolved
    return text


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)
