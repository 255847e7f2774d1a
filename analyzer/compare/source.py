"""One side of a comparison: a session, and what is read back of its messages, each once."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING

from analyzer.header_text import header_text
from analyzer.lazy import once
from analyzer.roles import plain_uri
from dissectors.model import Malformed

if TYPE_CHECKING:
    from analyzer.sessions.view import SessionView
    from dissectors.sip.messages import SipMessage
    from dissectors.xccos.messages import Item

KEPT = 64
"""Messages that are kept: those of one exchange, and of batches around it."""
_AUTHOR = re.compile(
    rb"<(?:[\w.-]++:)?grpchat\s[^<>]*?\bauthor\s*+=\s*+[\"']([^\"'<>]{1,512}+)[\"']"
)


class Source:
    """Reads messages and XCCOS items of one session; the capture must be open."""

    def __init__(self, view: SessionView) -> None:
        self.view = view
        self.trace = view.trace
        self.rows = view.trace.rows
        self._items: OrderedDict[int, tuple[Item, ...]] = OrderedDict()
        self._messages: OrderedDict[int, SipMessage | None] = OrderedDict()

    def near(self, row: int) -> int:
        """Return the copy of a message that is nearest to the client."""
        return self._near.get(self.view.material.copies.get(row, row), row)

    @once
    def _near(self) -> dict[int, int]:
        """The message nearest to the client by the row of the copy that was seen first."""
        copies = self.view.material.copies
        return {
            copies.get(row, row): row
            for dialog in self.view.dialogs
            if dialog.copies
            for row in dialog.rows
        }

    def text(self, number: int) -> str:
        """Return a string of the rows."""
        return self.rows.strings.values[number] or ""

    def header(self, row: int, name: str) -> str:
        """Return the first header of a name; empty without."""
        return header_text(self.trace, row, name) or ""

    def items(self, row: int) -> tuple[Item, ...]:
        """Return the XCCOS items of a message; none where its body cannot be read."""
        known = self._items.get(row)
        if known is None:
            document = self.trace.document(row)
            bad = document is None or isinstance(document, Malformed)
            known = self._items[row] = () if bad else document.items  # type: ignore[union-attr]
            if len(self._items) > KEPT:
                self._items.popitem(last=False)
        return known

    def item(self, at: tuple[int, int] | None) -> Item | None:
        """Return one item by row and place."""
        if at is None:
            return None
        items = self.items(at[0])
        return items[at[1]] if 0 <= at[1] < len(items) else None

    def message(self, row: int) -> SipMessage | None:
        """Return a message, None where its bytes are none."""
        if row not in self._messages:
            found = self.trace.message(row)
            self._messages[row] = None if isinstance(found, Malformed) else found
            if len(self._messages) > KEPT:
                self._messages.popitem(last=False)
        return self._messages[row]

    def wrote(self, row: int) -> bool:
        """Say whether the user of the session wrote the (first) chat message of a body."""
        found = _AUTHOR.search(self.trace.raw(row))
        author = found[1].decode("utf-8", "replace") if found else ""
        return plain_uri(author) == plain_uri(self.view.user or "")
