"""By what a client knows a request of the server: the ids in it, and the command it answers.

The rule: by meaning, not by position, as far as an expression over the text of a body goes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.fill import fill_body, is_xml
from analyzer.replay.sipp.syntax import posix
from dissectors.model import Malformed
from dissectors.xccos.messages import document_of
from dissectors.xccos.sniff import is_xccos
from dissectors.xccos.xml import parse

if TYPE_CHECKING:
    from analyzer.replay.sipp.values import Values
    from analyzer.replay.template import Template
    from dissectors.xccos.messages import Item

MAX_ITEMS = 64
"""Of one message that are told apart: a sign-in asks for eleven preferences in one envelope."""
MAX_WORDS = 4
MAX_ID = 80
"""Characters of an id that is looked for; the longest known one has 26."""
_IDENTIFIER = re.compile(rf"[A-Za-z0-9:_.-]{{1,{MAX_ID}}}")


class Sign(NamedTuple):
    """What tells that an item was heard."""

    pattern: str
    """Over a body; its first group is the text."""
    text: str


def signs_of(message: Template, values: Values) -> tuple[Sign, ...]:
    """Return what tells the items of an XCCOS body; nothing for another body."""
    return tuple(dict.fromkeys(_sign(item, values) for item in _items(message, values)))


def words_of(message: Template, values: Values) -> str:
    """Return what a message is, for people: its method or status, and the ids of its items."""
    names = dict.fromkeys(item.id or item.element for item in _items(message, values))
    what = message.method if message.status is None else message.start.partition(" ")[2]
    return " ".join((what, *list(names)[:MAX_WORDS]))


def _items(message: Template, values: Values) -> tuple[Item, ...]:
    if message.binary or not is_xml(message.body):
        return ()
    # An envid of ours stands for itself by its name: what the peer repeats is found again.
    body = fill_body(message, lambda name: name if values.is_envid(name) else values.recorded(name))
    parsed = parse(body) if is_xccos(body) else None
    if parsed is None or isinstance(parsed, Malformed):
        return ()
    return document_of(parsed.root).items[:MAX_ITEMS]


def _sign(item: Item, values: Values) -> Sign:
    if item.kind == "chat" or not item.id or not _IDENTIFIER.fullmatch(item.id):
        # The history of a room has items with the id of a post, in an element of another name.
        return Sign(f"[<:]({posix(item.element[:MAX_ID])})[ />]", item.element[:MAX_ID])
    found = f'id="({posix(item.id)})"'
    envid = None if item.commandid is None else item.commandid.envid
    if envid is not None and values.is_envid(envid):
        found += f'.*commandid[^>]*envid="{values.envid_pattern(envid)}"'
        if item.resp is not None and (item.resp.code or "").isdecimal():
            found += f'.*resp[^>]*code="{item.resp.code}"'
    return Sign(found, item.id)
