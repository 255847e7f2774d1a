from __future__ import annotations

from dissectors._speedups.strings import Strings
from dissectors.xccos.scan import Row

class DocumentScanner:
    """Scans bodies, one after the other, into one table of strings."""

    def __init__(self, strings: Strings) -> None: ...
    @property
    def fallbacks(self) -> int:
        """Bodies that the reference was asked about."""

    def scan_items(
        self, body: bytes, content_type: str | None = None
    ) -> tuple[list[Row], bool] | None:
        """Return what ``scan_items`` of ``dissectors.xccos.scan`` returns, less the text of chats.

        The text of a ``grpchat`` is None: rows do not keep it.
        """

def scan_items(body: bytes, content_type: str | None = None) -> tuple[list[Row], bool] | None:
    """Return what ``DocumentScanner.scan_items`` returns."""
