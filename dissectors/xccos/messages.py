"""The values of the XCCOS stage: elements, items and whole documents.

The rule that matters: nothing is dropped and nothing is converted. Unknown elements, attributes and
children are kept as ``Element``; numbers stay text, because a server's envid exceeds 2^53.
Elements are told apart by their local names, whatever their namespace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMESPACE = "urn:parlano:xml:ns:xccos"
ID_PREFIXES = {"cmd": "command", "rpl": "reply", "ntc": "notice", "grpchat": "chat"}


@dataclass(frozen=True, slots=True)
class Element:
    """An XML element as it was read."""

    name: str
    """Local name, in the case of the wire."""
    namespace: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    """In document order, without namespace declarations. An attribute of a namespace is named
    ``{namespace}name``."""
    text: str = ""
    """Text before the first child."""
    tail: str = ""
    """Text between the end of this element and the next tag."""
    children: tuple[Element, ...] = ()

    def get(self, name: str) -> str | None:
        """Return the value of an attribute, or None; one without a namespace goes first."""
        for key, value in self.attributes:
            if key == name:
                return value
        for key, value in self.attributes:
            if key[0] == "{" and key.rpartition("}")[2] == name:
                return value
        return None

    def find(self, path: str) -> Element | None:
        """Return the first descendant along a path of local names, such as ``data/uib``."""
        return next(self.findall(path), None)

    def findall(self, path: str) -> Iterator[Element]:
        """Yield the descendants along a path of local names, in document order."""
        name, _, rest = path.partition("/")
        for child in self.children:
            if child.name == name:
                if rest:
                    yield from child.findall(rest)
                else:
                    yield child

    def iter(self, name: str | None = None) -> Iterator[Element]:
        """Yield this element and everything below it in document order, or those of one name."""
        if name is None or self.name == name:
            yield self
        for child in self.children:
            yield from child.iter(name)

    def content(self) -> str:
        """Return all text inside the element, that of its descendants included."""
        if not self.children:
            return self.text
        return self.text + "".join(child.content() + child.tail for child in self.children)


@dataclass(frozen=True, slots=True)
class Resp:
    """The result of a command: ``<resp code="200">SUCCESS_OK</resp>``."""

    code: str | None
    text: str


@dataclass(frozen=True, slots=True)
class CommandId:
    """Which command a reply answers; the pair is the correlation key within a dialog."""

    seqid: str | None
    envid: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """One child of an envelope."""

    element: str
    """Local name: ``cmd``, ``rpl``, ``ntc``, ``grpchat`` or anything else."""
    id: str | None
    """As on the wire; ids compare case-insensitively, see ``name``."""
    seqid: str | None
    commandid: CommandId | None
    resp: Resp | None
    node: Element

    @property
    def kind(self) -> str:
        """``command``, ``reply``, ``notice``, ``chat`` or ``other``, by the element."""
        return ID_PREFIXES.get(self.element.lower(), "other")

    @property
    def name(self) -> str:
        """The id in lower case without its prefix (``join``); without an id, the element."""
        return base_name(self.id if self.id is not None else self.element)

    @property
    def chat(self) -> str | None:
        """The text of a chat message with its line breaks; None without a ``chat`` child."""
        found = self.node.find("chat")
        return None if found is None else found.content()

    @property
    def text(self) -> str | None:
        """What a row shows: the chat of a ``grpchat``, of anything else the text of ``resp``."""
        if self.kind == "chat":
            return self.chat
        return None if self.resp is None else self.resp.text


@dataclass(frozen=True, slots=True)
class XccosDocument:
    """One XCCOS envelope."""

    ver: str | None
    envid: str | None
    items: tuple[Item, ...]
    """Every child of the root, in document order."""
    root: Element
    encoding: str = "utf-8"
    """Python's name of the encoding that the body was read in."""
    notes: tuple[str, ...] = ()
    """What was unusual about the encoding or the envelope, see ``dissectors.xccos.reader``."""


def base_name(identifier: str) -> str:
    """Return an id in lower case without ``cmd:``, ``rpl:`` or ``ntc:``."""
    lowered = identifier.lower()
    prefix, colon, rest = lowered.partition(":")
    return rest if colon and prefix in ID_PREFIXES else lowered


def item_of(node: Element) -> Item:
    """Return a child of an envelope as an item."""
    commandid, resp = node.find("commandid"), node.find("resp")
    return Item(
        node.name,
        node.get("id"),
        node.get("seqid"),
        None if commandid is None else CommandId(commandid.get("seqid"), commandid.get("envid")),
        None if resp is None else Resp(resp.get("code"), resp.content()),
        node,
    )


def document_of(
    root: Element, encoding: str = "utf-8", notes: tuple[str, ...] = ()
) -> XccosDocument:
    """Return the document of a root element."""
    items = tuple(item_of(child) for child in root.children)
    return XccosDocument(root.get("ver"), root.get("envid"), items, root, encoding, notes)
