"""Texts of captures in Streamlit's own widgets, and commands to be copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.export.printable import printable
from analyzer.markup import add, copy_button, say

if TYPE_CHECKING:
    from analyzer.markup import Element

_SIGNS = "\\`*_{}[]()<>#+-.!|~:$^="


def plain(text: str) -> str:
    """Return a text as the Markdown that shows it unchanged."""
    return "".join(f"\\{sign}" if sign in _SIGNS else sign for sign in printable(text))


def command_box(parent: Element, command: str) -> None:
    """Add a command line, of one line or several, with a button that copies it."""
    box = add(parent, "div", "take-command")
    head = add(box, "p")
    add(head, "span", "soft", "In a terminal: ")
    # Its line ends have to stay: every text in it was quoted for the shell.
    copy_button(head, "copy", command)
    lines = add(box, "pre")
    for number, text in enumerate(command.split("\n")):
        if number:
            add(lines, "br")
        say(lines, text)
