"""A message of the peer, taken apart once: SIP, and the XML of its body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dissectors.model import Malformed
from dissectors.sip.parse import parse_message
from dissectors.xccos.messages import document_of
from dissectors.xccos.sniff import is_xccos
from dissectors.xccos.xml import parse

if TYPE_CHECKING:
    from dissectors.sip.messages import SipMessage
    from dissectors.xccos.messages import Element, Item, XccosDocument

MARKUP = b"<"


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as it was heard."""

    message: SipMessage
    root: Element | None = None
    """Of a body that is XML."""
    document: XccosDocument | None = None
    """The same, where it is XCCOS."""

    @property
    def items(self) -> tuple[Item, ...]:
        """Return the children of the XCCOS envelope; none where the body is something else."""
        return self.document.items if self.document else ()

    @property
    def is_request(self) -> bool:
        """Return whether it is a request."""
        return self.message.status is None

    @property
    def method(self) -> str:
        """Return the method; of a response the one that it answers."""
        return (self.message.method or self.message.cseq_method or "").upper()


def hear(raw: bytes) -> Heard | Malformed:
    """Parse a whole message; a body that is no well-formed XML is left as it is."""
    message = parse_message(raw)
    if isinstance(message, Malformed):
        return message
    if message.body.lstrip()[:1] != MARKUP and not is_xccos(message.body):
        return Heard(message)
    parsed = parse(message.body, message.content_type)
    if isinstance(parsed, Malformed):
        return Heard(message)
    known = is_xccos(message.body)
    return Heard(message, parsed.root, document_of(parsed.root) if known else None)


def with_items(heard: Heard, items: tuple[Item, ...]) -> Heard:
    """Return the same message with these items only: replies may come in any number of INFOs."""
    document = heard.document
    if document is None or items == document.items:
        return heard
    root = document.root
    chosen = type(root)(
        root.name, root.namespace, root.attributes, root.text, root.tail,
        tuple(item.node for item in items),
    )  # fmt: skip
    return Heard(heard.message, chosen, document_of(chosen))
