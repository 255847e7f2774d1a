"""Traces that were copied: quoted in a mail, indented, saved from a web page, wrapped, spaced out.

The one rule: a copy is told by its first lines, and then all lines are turned back in the same
way; what is only in some of them is somebody's text. Numbers of lines stay those of the file.
"""

from __future__ import annotations

import re
from html import unescape
from itertools import pairwise
from typing import TYPE_CHECKING

from dissectors.capture.text.dates import DATE
from dissectors.capture.text.values import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


FEW = 8
"""Lines that are enough to tell a copy by; a message has as many."""
MOST = 0.75
"""Of the lines have to agree: before a quoted trace stand the words of whoever sent it."""
ALL = 0.9
"""Of them, where the trace itself may have such lines."""
WRAPPED = 80
"""Columns that mail programs break lines at, at the latest, where there is a blank to do it."""
MAX_JOINED = 1 << 20
"""Characters that are put together to one line: a line of a body, at most."""

_QUOTED = re.compile(r"[ \t]*((?:>[ \t]?)+)(?!>)")
# First lines of records without their end, and start lines without their method.
_BROKEN = re.compile(
    r"TL_[A-Z]+\((?!.*\)\))|\((?:From|To) Local |.*\((?:From|To) Local\b(?!.* bytes)"
    r"|sips?:\S+(?: SIP/2\.0)?$|SIP/2\.0$"
)
_FIELD = re.compile(r"[A-Za-z][A-Za-z-]{0,32}: ")
# What begins a line of its own, however long the one before it is.
_BEGINS = re.compile(
    r"[A-Za-z][A-Za-z0-9-]*[ \t]*:(?:[ \t]|$)|TL_[A-Z]+\(|\$\$|---|[<>]{3}|MESSAGE "
    rf"|{DATE}[|T -]\s?\d\d?:|[A-Z]+ sips?:|SIP/2\.0 [1-6]\d\d\b|\(\d\d:\d\d:\d\d|[a-z]=|[ \t]"
)
# The fields that each message has: who speaks, in angle brackets or what HTML has for them.
_ADDRESS = re.compile(
    r"[ \t]*(?:\d{1,9}[.):]?[ \t]*)?(?:From|To|Contact|f|t|m)[ \t]*:[^<&]{0,256}(<|&lt;)sips?:"
    # .. and what S4 and SIPE write before it.
    r"|(?:MESSAGE START )?(&[lg]t;)\2\2",
    re.IGNORECASE,
)


class Copy:
    """What was done to the lines of a trace, and the way back."""

    def __init__(self, head: str) -> None:
        """Tell it by the beginning of the text, whose last line may be cut."""
        texts = [text.rstrip("\r") for text in head.split("\n")][:-1]
        self._depth = _quotes(texts)
        texts = [self._unquoted(text) for text in texts]
        self._spaced = _is_spaced(texts)
        written = [text for text in texts if text.strip()]
        self._indent = _indent(written)
        self._columns = _columns([text[self._indent :] for text in written])
        self._html: bool | None = None
        self._line_before = False
        self._begun: Line | None = None
        self._pieces: list[str] = []
        self._length = 0

    @property
    def wrapped(self) -> bool:
        """Whether long lines were broken: what they said is not known for certain."""
        return self._columns > 0

    def lines(self, lines: Iterable[Line]) -> list[Line]:
        """Return lines as they were in the trace."""
        found = self._plain(lines)
        return list(self._joined(found)) if self._columns else list(found)

    def close(self) -> list[Line]:
        """Return the line that is held back."""
        line, pieces = self._begun, self._pieces
        self._begun, self._pieces, self._length = None, [], 0
        return [line._replace(text=" ".join(map(str.rstrip, pieces)))] if line else []

    def text(self, text: str) -> str:
        """Return a text as it was in the trace."""
        lines = [Line(0, one.rstrip("\r"), 0) for one in text.split("\n")]
        return "\n".join(line.text for line in [*self.lines(lines), *self.close()])

    def _plain(self, lines: Iterable[Line]) -> Iterator[Line]:
        for line in lines:
            text = self._unquoted(line.text) if self._depth else line.text
            if self._spaced:
                if self._line_before and not text.strip():
                    self._line_before = False
                    continue
                self._line_before = True
            if self._indent and not text[: self._indent].strip():
                text = text[self._indent :]
            if self._html is not False:
                text = self._from_html(text)
            yield line if text is line.text else line._replace(text=text)

    def _unquoted(self, text: str) -> str:
        found = _QUOTED.match(text) if self._depth else None
        if found is None:
            return text
        at = found.start(1)
        for _ in range(min(self._depth, found[1].count(">"))):
            at = text.index(">", at) + 1
        return text[at + 1 :] if text[at : at + 1] == " " else text[at:]

    def _from_html(self, text: str) -> str:
        """Return a line as it was before it was put on a page; the first address tells."""
        if self._html is None and (found := _ADDRESS.match(text[:512])):
            self._html = found[1] != "<"
        return unescape(text) if self._html and "&" in text else text

    def _joined(self, lines: Iterable[Line]) -> Iterator[Line]:
        """Put the pieces of lines together: they are broken where the next word had no room."""
        for line in lines:
            if self._pieces and self._goes_on(line.text):
                self._pieces.append(line.text)
                self._length += len(line.text)
                continue
            yield from self.close()
            self._begun, self._pieces, self._length = line, [line.text], len(line.text)

    def _goes_on(self, text: str) -> bool:
        before = self._pieces[-1]
        return (
            bool(text.strip() and before.strip())
            and self._length < MAX_JOINED
            and _has_no_room(before, text, self._columns)
        )


def _quotes(texts: Sequence[str]) -> int:
    """Return how deeply most lines are quoted; 0 where they are not."""
    written = [text for text in texts if text.strip()]
    depths = [found[1].count(">") for text in written if (found := _QUOTED.match(text))]
    if len(depths) < FEW or len(depths) < MOST * len(written):
        return 0
    return min(depths)


def _is_spaced(texts: Sequence[str]) -> bool:
    """Tell whether a blank line was put behind every line."""
    followed = sum(bool(one.strip()) and not other.strip() for one, other in pairwise(texts))
    written = sum(bool(text.strip()) for text in texts)
    return written >= FEW and followed >= ALL * written


def _indent(written: Sequence[str]) -> int:
    """Return the number of blanks and tabs that stand before all lines."""
    if len(written) < FEW:
        return 0
    blanks = sorted(len(text) - len(text.lstrip(" \t")) for text in written)
    # The first line may have been copied from its first sign on.
    return blanks[1]


def _columns(written: Sequence[str]) -> int:
    """Return the columns that lines were broken at; 0 where they were not."""
    blanks = [len(text.rstrip()) for text in written if " " in text.strip()]
    if len(blanks) < FEW or max(blanks) > WRAPPED:
        return 0
    columns = max(blanks)
    fields = sum(
        _FIELD.match(one) is not None and _has_no_room(one, other, columns)
        for one, other in pairwise(written)
    )
    if fields < 2 and not any(_BROKEN.match(text) for text in written):
        return 0
    return columns


def _has_no_room(before: str, text: str, columns: int) -> bool:
    """Tell whether a line may be what had no room in the one before it."""
    word = text.partition(" ")[0]
    return len(before.rstrip()) + 1 + len(word) > columns and _BEGINS.match(text) is None
