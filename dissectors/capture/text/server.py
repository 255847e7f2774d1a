"""Traces of a server that hold the records of its SIP stack and those of UCMA services (S4).

The one rule: each reader takes what is its own; what both say of one line is said once. Nothing is
read as S4 before its first record: other traces pay nothing for it.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from dissectors.capture.text.s4 import S4Reader
from dissectors.capture.text.sipstack import SipstackReader
from dissectors.capture.text.values import TextMessage
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dissectors.capture.text.values import Line, Record

_MARK = "SipMessage"
"""In the line that begins a record of S4 (``>>>>>>>>>>>>Outgoing SipMessage``)."""
_line = attrgetter("line")


class ServerReader:
    """A ``TextReader`` for both at once."""

    def __init__(self, *, services: bool = False) -> None:
        """``services``: the trace begins with records of S4."""
        self._stack = SipstackReader()
        self._services = S4Reader() if services else None
        first = self._services or self._stack
        self.name, self.experimental = first.name, first.experimental

    def feed(self, lines: Sequence[Line]) -> list[Record | Malformed]:
        """Take the next lines; return what they complete."""
        found = self._stack.feed(lines)
        if self._services is None and any(_MARK in line.text for line in lines):
            self._services = S4Reader()
        if self._services is None:
            return found
        return _merged(found, self._services.feed(lines))

    def close(self) -> list[Record | Malformed]:
        """Return what the end of the trace completes."""
        found = self._stack.close()
        return found if self._services is None else _merged(found, self._services.close())


def _merged(
    stack: list[Record | Malformed], services: list[Record | Malformed]
) -> list[Record | Malformed]:
    """Put messages among messages; remarks of S4's reader only about its own messages."""
    own = [one for one in services if isinstance(one, TextMessage | Malformed)]
    if not own:
        return stack
    messages = [one for one in stack if isinstance(one, TextMessage)]
    rest = [one for one in [*stack, *own] if not isinstance(one, TextMessage)]
    theirs = [one for one in own if isinstance(one, TextMessage)]
    return [*sorted([*messages, *theirs], key=_line), *rest]
