from __future__ import annotations

from dissectors._speedups.strings import CSeqs, Strings
from dissectors.sip import scan
from dissectors.sip.scan import Head

class HeadScanner:
    """Scan heads one after another; what is remembered of lines changes no answer."""

    reference: scan.HeadScanner
    """Over the same tables."""

    def __init__(self, strings: Strings | None = None, cseqs: CSeqs | None = None) -> None: ...
    def scan(self, head: bytes) -> Head | None:
        """Return the values of a head, given without its blank line; None without a start line."""

    def text(self, kept: int) -> str:
        """Return a string of a ``Head``; empty where it is absent."""

    def is_start(self, line: bytes) -> bool:
        """Tell whether a line (without its end) is a start line."""
