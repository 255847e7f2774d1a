"""The one place that parses XML: bytes in, ``Element`` or ``Malformed`` out.

The rule that matters: no document type, therefore no entities, no expansion and nothing to fetch;
only the five predefined entities and character references are known. No sender needs more.

The parser is expat. It is asked twice about a message: here with handlers that build the elements,
and in ``dissectors.xccos.scan`` with none, which takes half of the time of the fastest libxml2 call
(752-byte reply: 3.9 against 6.3 microseconds). One parser for both means one definition of
well-formedness. expat does not recurse, so deep nesting costs heap, not stack; the advisories of
recent years about it need a document type or piecewise feeding, and neither happens here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

from dissectors.model import Malformed
from dissectors.xccos.encoding import RAW, Decoded, to_utf8
from dissectors.xccos.messages import Element

MAX_BODY = 4 * 1024 * 1024
"""Bytes. SIP messages over TCP rarely exceed 64 KiB; the largest batched replies stay below."""
MAX_DEPTH = 64
"""Levels, the root being the first. Known documents have 6."""
MAX_ELEMENTS = 50_000
"""A reply with 1,000 rooms (the greatest search limit known) has about 10,000."""
MAX_ATTRIBUTES = 200
"""Of one element, namespace declarations included. Known elements have 12 at most."""

SEPARATOR = "\x01"
"""Between namespace and local name; XML 1.0 section 2.2 forbids it in documents, even escaped."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A well-formed document."""

    root: Element
    encoding: str
    notes: tuple[str, ...]


class XmlSyntaxError(ValueError):
    """Not well-formed, or refused; the message is for the engineer."""


@dataclass(slots=True)
class _Open:
    """An element whose end tag has not come, or whose tail is not complete."""

    name: str
    attributes: list[str]
    text: list[str] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)
    pending: list[_Open] = field(default_factory=list)
    children: tuple[Element, ...] = ()

    def close(self) -> None:
        """Freeze the children: their tails are complete when the parent ends."""
        self.children = tuple(child.frozen() for child in self.pending)
        self.pending.clear()

    def frozen(self) -> Element:
        """Return the element."""
        namespace, _, name = self.name.rpartition(SEPARATOR)
        flat = self.attributes
        attributes = tuple((_clark(flat[i]), flat[i + 1]) for i in range(0, len(flat), 2))
        text, tail = "".join(self.text), "".join(self.tail)
        return Element(name, namespace or None, attributes, text, tail, self.children)


def _clark(name: str) -> str:
    """Return the name of an attribute as ``name`` or ``{namespace}name``."""
    namespace, _, local = name.rpartition(SEPARATOR)
    return f"{{{namespace}}}{local}" if namespace else local


class _Builder:
    """The handlers of one parse."""

    def __init__(self) -> None:
        self.top = _Open("", [])
        self.stack = [self.top]
        self.elements = 0
        self.declarations = 0
        self.into = self.top.text

    def start(self, name: str, attributes: list[str]) -> None:
        self.elements += 1
        if self.elements > MAX_ELEMENTS:
            raise XmlSyntaxError(f"more than {MAX_ELEMENTS} elements")
        if len(self.stack) > MAX_DEPTH:
            raise XmlSyntaxError(f"nested more than {MAX_DEPTH} deep")
        if len(attributes) // 2 + self.declarations > MAX_ATTRIBUTES:
            raise XmlSyntaxError(f"more than {MAX_ATTRIBUTES} attributes in one element")
        self.declarations = 0
        opened = _Open(name, attributes)
        self.stack[-1].pending.append(opened)
        self.stack.append(opened)
        self.into = opened.text

    def end(self, _name: str) -> None:
        closed = self.stack.pop()
        closed.close()
        self.into = closed.tail

    def data(self, text: str) -> None:
        self.into.append(text)

    def declaration(self, _prefix: str | None, _uri: str | None) -> None:
        self.declarations += 1

    def doctype(self, *_args: object) -> None:
        raise XmlSyntaxError("a document type (DTD) is refused")


def new_parser() -> expat.XMLParserType:
    """Return a parser for one document in UTF-8, whatever its declaration says."""
    return expat.ParserCreate("utf-8", SEPARATOR)


def parse(body: bytes, content_type: str | None = None) -> Parsed | Malformed:
    """Parse one document of at most ``MAX_BODY`` bytes; comments and instructions are passed over.

    Text is as XML gives it: line ends become LF (XML 1.0 section 2.11), ``&#13;`` gives CR.
    """
    if len(body) > MAX_BODY:
        return Malformed("xccos", f"longer than {MAX_BODY} bytes", raw=body[:RAW])
    decoded = to_utf8(body, content_type)
    if isinstance(decoded, Malformed):
        return decoded
    try:
        return Parsed(_root(decoded), decoded.encoding, decoded.notes)
    except XmlSyntaxError as error:
        return Malformed("xccos", str(error), raw=body[:RAW])


def _root(decoded: Decoded) -> Element:
    """Return the root element; raise XmlSyntaxError."""
    builder, parser = _Builder(), new_parser()
    parser.ordered_attributes = True
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartNamespaceDeclHandler = builder.declaration
    parser.StartDoctypeDeclHandler = builder.doctype
    try:
        parser.Parse(decoded.data, True)  # noqa: FBT003  (isfinal; it takes no keywords)
    except expat.ExpatError as error:
        where = f"line {error.lineno}, column {error.offset}"
        raise XmlSyntaxError(f"{expat.ErrorString(error.code)} ({where})") from error
    builder.top.close()
    return builder.top.children[0]
