"""The parts of a message, one at a time: headers, XCCOS, exact text, bytes.

The rule: a part is bounded, and what is not in it can be reached by its links. A message of 16 MB
is shown as soon as one of 400 bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.dashboard.dock.filters import of_header
from analyzer.dashboard.dock.parts import part_of, ways
from analyzer.dashboard.dock.tree import NODES, Tree, numbered, say_lines
from analyzer.export.printable import printable
from analyzer.markup import Column, add, say, table
from analyzer.views.numbers import amount
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.dashboard.desk import Desk
    from analyzer.dashboard.dock.message import Docked
    from analyzer.markup import Cell, Element
    from dissectors.sip.messages import Header

HEADERS = 100
"""Header lines of one part; real messages have 10 to 40, and 2,000 are read."""
VALUE = 4_096
"""Characters of one value: an NTLM or Kerberos token goes in whole."""
TEXT = 16_384
"""Bytes of text of one part: a room list of hundreds of rooms."""
HEX = 2_048
"""Bytes of one part in hexadecimal: 128 lines."""
LINE = 16
FILTERED_PAGES = {"messages", "ladder", "commands"}
_ENDING = {"\n": "\\n\n"}
"""An end of line shows itself and ends the line. Control pictures (U+240A) few fonts have."""


def tabs(docked: Docked) -> dict[str, str]:
    """Return the tabs that a message has, by their names in the address."""
    message = docked.message
    has_body = not isinstance(message, Malformed) and bool(message.body)
    xccos = "XCCOS" if docked.document is not None or not has_body else "Body"
    return {"headers": "Headers", "xccos": xccos, "raw": "Text", "hex": "Bytes"}


def tab_of(desk: Desk, docked: Docked) -> str:
    """Return the tab that the address names, else the one that says most."""
    wanted = desk.selection.more.get("tab", "")
    if wanted in tabs(docked):
        return wanted
    return "xccos" if docked.document is not None else "headers"


def draw_tab(parent: Element, desk: Desk, docked: Docked, tab: str) -> None:
    """Draw one of them."""
    {"headers": _headers, "xccos": _xccos, "raw": _raw, "hex": _hex}[tab](parent, desk, docked)


def filtered(desk: Desk, text: str) -> str:
    """Return the link to the messages that a filter lets through."""
    view = desk.selection.view if desk.selection.view in FILTERED_PAGES else "messages"
    kept = dict.fromkeys(("page", "part"))
    return desk.href(view=view, filter=text, **kept)


def _headers(parent: Element, desk: Desk, docked: Docked) -> None:
    add(parent, "p", "dock-start").append(_code(docked.start_line[:VALUE]))
    message = docked.message
    if isinstance(message, Malformed):
        add(parent, "p", text=f"This is no SIP message that can be read: {message.reason}.")
        return
    part = part_of(desk, docked.row, len(message.headers), HEADERS)
    ways(parent, desk, docked.row, part, "headers")
    columns = (Column("header"), Column("value", "wide mono"), Column("find, keep", "go"))
    rows = (_header(desk, one) for one in message.headers[part.begin : part.end])
    table(parent, "Headers in the order of the message", columns, rows, "dock-headers")
    if not message.headers:
        add(parent, "p", text="It has no headers.")


def _code(text: str) -> Element:
    from lxml import etree

    made = etree.Element("code")
    made.text = printable(text)
    return made


def _header(desk: Desk, header: Header) -> Sequence[Cell]:
    value = header.value
    left = len(value) - VALUE
    shown = value if left <= 0 else f"{value[:VALUE]}… ({left:,} more characters: see Text)"

    def go(cell: Element) -> None:
        wanted = of_header(header.name, value)
        if wanted is not None:
            link = add(cell, "a", "", "filter", href=filtered(desk, wanted), title=wanted)
            link.set("aria-label", printable(f"Filter by {header.name}"))
            say(cell, " ")
        copied = add(cell, "button", "", "copy", data_copy=value[:TEXT], type="button")
        copied.set("aria-label", printable(f"Copy the value of {header.name}"))

    return header.name, shown, go


def _xccos(parent: Element, desk: Desk, docked: Docked) -> None:
    message, document = docked.message, docked.document
    if document is None or isinstance(document, Malformed):
        body = b"" if isinstance(message, Malformed) else message.body
        if isinstance(document, Malformed):
            text = f"This is meant to be XCCOS and cannot be read: {document.reason}."
            add(parent, "p", text=text)
        elif not body:
            add(parent, "p", text="This message has no body.")
        _text(parent, desk, docked, body)
        return
    root = numbered(document.root)
    part = part_of(desk, docked.row, root.last + 1, NODES)
    ways(parent, desk, docked.row, part, "elements")
    Tree(part.begin, part.end, lambda text: filtered(desk, text)).draw(parent, root)


def _text(parent: Element, desk: Desk, docked: Docked, body: bytes) -> None:
    """Show a body that is no XCCOS."""
    if not body:
        return
    part = part_of(desk, docked.row, len(body), TEXT)
    ways(parent, desk, docked.row, part, "bytes")
    begin, end = _whole(body, part.begin), _whole(body, part.end)
    say_lines(add(parent, "pre"), body[begin:end].decode("utf-8", "backslashreplace"))


def _raw(parent: Element, desk: Desk, docked: Docked) -> None:
    raw = docked.raw
    part = part_of(desk, docked.row, len(raw), TEXT)
    text = "The message as it was sent; ends of lines and control characters are shown."
    add(parent, "p", "soft", text)
    ways(parent, desk, docked.row, part, "bytes")
    begin, end = _whole(raw, part.begin), _whole(raw, part.end)
    add(parent, "pre", "exact").text = visible(raw[begin:end].decode("utf-8", "backslashreplace"))


def visible(text: str) -> str:
    """Return text in which every control character shows; ends of lines end them too."""
    return "".join(one if one.isprintable() else _ENDING.get(one) or printable(one) for one in text)


def _whole(data: bytes, at: int) -> int:
    """Return a place that cuts no character of UTF-8, at most three bytes before ``at``."""
    for _ in range(3):
        if not 0 < at < len(data) or data[at] & 0xC0 != 0x80:
            break
        at -= 1
    return at


def _hex(parent: Element, desk: Desk, docked: Docked) -> None:
    raw = docked.raw
    part = part_of(desk, docked.row, len(raw), HEX)
    message = docked.message
    body = 0 if isinstance(message, Malformed) else len(message.body)
    at = raw.rfind(message.body) if body and not isinstance(message, Malformed) else -1
    told = f"; the body begins at {at:08x}" if at > 0 else ""
    add(parent, "p", "soft", f"{amount(len(raw), 'byte')}{told}.")
    ways(parent, desk, docked.row, part, "bytes")
    box = add(parent, "div", "scroll", tabindex="0", role="region", aria_label="Bytes")
    lines = add(box, "pre", "hex")
    lines.text = "\n".join(hex_lines(raw[part.begin : part.end], part.begin))


def hex_lines(data: bytes, offset: int = 0) -> Iterator[str]:
    """Yield ``00000010  41 42 …  |AB…|``: offset, bytes and text, 16 of them a line."""
    for at in range(0, len(data), LINE):
        some = data[at : at + LINE]
        numbers = f"{some[:8].hex(' ')}  {some[8:].hex(' ')}".rstrip()
        text = "".join(chr(one) if 0x20 <= one < 0x7F else "." for one in some)
        yield f"{offset + at:08x}  {numbers:<48}  |{text}|"
