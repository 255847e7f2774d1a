"""Texts of captures in Streamlit's own widgets, which read Markdown."""

from __future__ import annotations

from analyzer.export.printable import printable

_SIGNS = "\\`*_{}[]()<>#+-.!|~:$^="


def plain(text: str) -> str:
    """Return a text as Markdown that shows it unchanged."""
    return "".join(f"\\{sign}" if sign in _SIGNS else sign for sign in printable(text))
