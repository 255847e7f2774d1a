"""From values to XCCOS bytes: the inverse of the reader, and builders for whole documents.

The rule that matters: ``read_document(write_document(d)) == d`` for every document the builders
make. Prefixes and the place of namespace declarations are not kept by reading, so they are the
writer's choice: the two shapes are those seen from clients and from servers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from dissectors.xccos.messages import (
    NAMESPACE,
    CommandId,
    Element,
    Resp,
    XccosDocument,
    document_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Shape = Literal["client", "server"]

XSD = "http://www.w3.org/2001/XMLSchema"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML = "http://www.w3.org/XML/1998/namespace"
SUCCESS = Resp("200", "SUCCESS_OK")

# A .NET serialiser writes the schema declarations first and the default namespace last; clients
# write the default namespace first.
_SCHEMAS = f' xmlns:xsd="{XSD}" xmlns:xsi="{XSI}"'

# XML 1.0 section 2.3, productions 4 and 4a without the colon (Namespaces in XML, production 4)
_NAME_START = (
    "A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NAME = re.compile(f"[{_NAME_START}][{_NAME_START}.0-9\xb7\u0300-\u036f\u203f-\u2040-]*")
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})
_VALUE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
    | {"\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}
)


def write_document(document: XccosDocument, shape: Shape = "client") -> bytes:
    """Return a document as UTF-8; raise ValueError for what XML cannot say (a NUL, a bad name)."""
    return "".join(_written(document.root, None, shape)).encode()


def element(
    name: str,
    attributes: Mapping[str, str] | None = None,
    *children: Element,
    text: str = "",
) -> Element:
    """Return an element of the XCCOS namespace."""
    return Element(name, NAMESPACE, tuple((attributes or {}).items()), text, "", children)


def envelope(envid: str, *items: Element, ver: str = "1") -> XccosDocument:
    """Return a document with items in the order given."""
    return document_of(element("xccos", {"ver": ver, "envid": envid}, *items))


def command_item(name: str, seqid: str, *data: Element) -> Element:
    """Return ``<cmd id="cmd:name">`` with its data block, which is always there."""
    return element("cmd", {"id": f"cmd:{name}", "seqid": seqid}, element("data", None, *data))


def reply_item(
    name: str, seqid: str, answers: CommandId | None, *data: Element, resp: Resp = SUCCESS
) -> Element:
    """Return ``<rpl id="rpl:name">`` that answers the command of ``answers``."""
    parts = [] if answers is None else [element("commandid", _present(answers))]
    code = {} if resp.code is None else {"code": resp.code}
    parts += [element("resp", code, text=resp.text), element("data", None, *data)]
    return element("rpl", {"id": f"rpl:{name}", "seqid": seqid}, *parts)


def notice_item(name: str, seqid: str, *data: Element) -> Element:
    """Return ``<ntc id="ntc:name">``."""
    return element("ntc", {"id": f"ntc:{name}", "seqid": seqid}, element("data", None, *data))


def grpchat_item(
    seqid: str, room: str, author: str, ts: str, chat: str, **attributes: str
) -> Element:
    """Return a chat message; ``ts`` is ISO 8601, without it servers refuse the message."""
    known = {"id": "grpchat", "seqid": seqid, "chanUri": room, "author": author, "ts": ts}
    return element("grpchat", known | attributes, element("chat", text=chat))


def command(name: str, seqid: str, envid: str, *data: Element) -> XccosDocument:
    """Return a document with one command."""
    return envelope(envid, command_item(name, seqid, *data))


def reply(
    name: str,
    seqid: str,
    envid: str,
    answers: CommandId | None,
    *data: Element,
    resp: Resp = SUCCESS,
) -> XccosDocument:
    """Return a document with one reply."""
    return envelope(envid, reply_item(name, seqid, answers, *data, resp=resp))


def notice(name: str, seqid: str, envid: str, *data: Element) -> XccosDocument:
    """Return a document with one notice."""
    return envelope(envid, notice_item(name, seqid, *data))


def grpchat(
    seqid: str, envid: str, room: str, author: str, ts: str, chat: str, **attributes: str
) -> XccosDocument:
    """Return a document with one chat message."""
    return envelope(envid, grpchat_item(seqid, room, author, ts, chat, **attributes))


def _present(answers: CommandId) -> dict[str, str]:
    pairs = (("seqid", answers.seqid), ("envid", answers.envid))
    return {name: value for name, value in pairs if value is not None}


def _written(node: Element, inherited: str | None, shape: Shape | None) -> Iterator[str]:
    """Yield the markup of an element; ``inherited`` is the default namespace around it."""
    # The namespace of ``xml:`` cannot be a default one (Namespaces in XML, section 3).
    reserved = node.namespace == XML
    default = inherited if reserved else node.namespace
    name = f"xml:{_name(node.name)}" if reserved else _name(node.name)
    yield f"<{name}"
    own = "" if default == inherited else f' xmlns="{_value(default or "")}"'
    if shape == "server":
        yield _SCHEMAS
    else:
        yield own
    yield from _attributes(node.attributes)
    if shape == "server":
        yield own
    if node.text or node.children:
        yield f">{_text(node.text)}"
        for child in node.children:
            yield from _written(child, default, None)
            yield _text(child.tail)
        yield f"</{name}>"
    else:
        yield "/>"


def _attributes(attributes: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield attributes; each one of a namespace declares a prefix for itself."""
    for number, (key, value) in enumerate(attributes):
        namespace, _, name = key.rpartition("}")
        if not namespace:
            yield f' {_name(name)}="{_value(value)}"'
        elif namespace[1:] == XML:
            yield f' xml:{_name(name)}="{_value(value)}"'
        else:
            yield f' xmlns:a{number}="{_value(namespace[1:])}"'
            yield f' a{number}:{_name(name)}="{_value(value)}"'


def _name(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"not a name of XML: {name!r}")
    return name


def _legal(text: str) -> str:
    found = _ILLEGAL.search(text)
    if found is not None:
        raise ValueError(f"XML cannot hold the character {found[0]!r}")
    return text


def _text(text: str) -> str:
    return _legal(text).translate(_TEXT)


def _value(text: str) -> str:
    return _legal(text).translate(_VALUE)
