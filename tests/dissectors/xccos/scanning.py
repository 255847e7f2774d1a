"""The scan and its compiled twin, and what each of them tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from dissectors.model import Malformed
from dissectors.xccos.reader import read_document
from dissectors.xccos.scan import rows_of, scan_items
from tests.support.twin import implementations

if TYPE_CHECKING:
    from dissectors.xccos.scan import Row

Scan = Callable[..., "tuple[list[Row], bool] | None"]

SCANS: list[Any] = implementations(
    "dissectors.xccos.scan", "dissectors._speedups.documents", "scan_items"
)
each_scan = pytest.mark.parametrize("scan", SCANS)


def read(body: bytes, content_type: str | None = None) -> tuple[list[Row], bool] | None:
    """The rows by way of the reader."""
    document = read_document(body, content_type)
    if document is None:
        return None
    return ([], True) if isinstance(document, Malformed) else (rows_of(document), False)


def as_told_by(scan: Scan, answer: tuple[list[Row], bool] | None) -> tuple[list[Row], bool] | None:
    """Return an answer as ``scan`` gives it: the twin gives no chats, as rows do not keep them."""
    if scan is scan_items or answer is None:
        return answer
    rows, malformed = answer
    return [(*row[:6], None) if row[0] == "grpchat" else row for row in rows], malformed
