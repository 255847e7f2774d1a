"""Text of a capture in a chart: plotly reads tags, links among them, in all that it writes."""

from __future__ import annotations

from html import escape

from analyzer.export.printable import printable


def plain(text: str) -> str:
    """Return a text that a chart shows as it is."""
    return escape(printable(text), quote=False)
