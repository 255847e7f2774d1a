"""The scanners of heads, each with its tables, and what they say with the numbers resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from analyzer.rows import Interned
from dissectors.sip.scan import HeadScanner, Plain
from tests.support.twin import is_built

if TYPE_CHECKING:
    from collections.abc import Callable

    from dissectors.sip.scan import Head

_LARGEST = (1 << 63) - 1  # a column of rows holds no larger number, and neither does the twin
_STRINGS = (
    *("method", "reason", "uri", "call_id", "from_uri", "from_tag", "to_uri", "to_tag"),
    "content_type",
)


class Scanner(NamedTuple):
    """A scanner and the tables that its numbers are of."""

    scanner: HeadScanner
    strings: Any
    cseqs: Any

    def resolved(self, head: Head) -> Head:
        """Return a head with values in place of numbers."""
        values = {name: self.strings.value(getattr(head, name)) for name in _STRINGS}
        length = head.content_length
        return head._replace(
            **values,
            cseq=self.cseqs.value(head.cseq),
            status=min(head.status, _LARGEST),
            content_length=None if length is None else min(length, _LARGEST),
        )

    def scan(self, head: bytes) -> Head | None:
        """Scan a head and resolve what is said."""
        found = self.scanner.scan(head)
        return None if found is None else self.resolved(found)

    def reference(self) -> HeadScanner:
        """Return the scanner that remembers: the twin has one for what is unusual."""
        found: HeadScanner = getattr(self.scanner, "reference", self.scanner)
        return found


def plain() -> Scanner:
    """Return the reference whose values stand for themselves."""
    keep = Plain()
    return Scanner(HeadScanner(keep, keep), keep, keep)


def numbering() -> Scanner:
    """Return the reference that numbers values."""
    strings: Interned[str] = Interned()
    cseqs: Interned[tuple[int, str]] = Interned()
    return Scanner(HeadScanner(strings, cseqs), strings, cseqs)


def twin() -> Scanner:
    """Return the compiled twin."""
    from dissectors._speedups import heads, strings

    texts, cseqs = strings.Strings(), strings.CSeqs()
    scanner: Any = heads.HeadScanner(texts, cseqs)
    return Scanner(scanner, texts, cseqs)


def scanners() -> list[Any]:
    """Return pytest params: what makes each of the scanners that are there."""
    makers: list[tuple[str, Callable[[], Scanner]]] = [("plain", plain), ("numbering", numbering)]
    if is_built():
        makers.append(("twin", twin))
    return [pytest.param(make, id=name) for name, make in makers]
