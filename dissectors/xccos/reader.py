"""From the body of a message to an XCCOS document.

The rule that matters: three answers. ``None``: not XCCOS at all. ``Malformed``: meant to be XCCOS,
but broken or refused. Otherwise the document, with every child of its root, known or not.

Notes of a document: ``byte-order-mark``, ``no-byte-order-mark`` (16-bit without one),
``declared-utf-16`` (but the bytes are not), ``charset-ignored`` (an unknown charset parameter),
``leading-whitespace``, ``no-namespace``, ``foreign-namespace``, ``root-case`` (not ``xccos`` in
lower case).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dissectors.model import Malformed
from dissectors.xccos.encoding import RAW
from dissectors.xccos.messages import NAMESPACE, XccosDocument, document_of
from dissectors.xccos.sniff import is_xccos
from dissectors.xccos.xml import parse

if TYPE_CHECKING:
    from dissectors.xccos.messages import Element

MAX_ITEMS = 10_000
"""Children of one envelope. Servers merge a few replies into one INFO; a hundred is unheard of."""


def read_document(body: bytes, content_type: str | None = None) -> XccosDocument | Malformed | None:
    """Read a body; the charset parameter of ``content_type`` counts where XML lets it."""
    if not is_xccos(body):
        return None
    parsed = parse(body, content_type)
    if isinstance(parsed, Malformed):
        return parsed
    root = parsed.root
    if len(root.children) > MAX_ITEMS:
        return Malformed("xccos", f"more than {MAX_ITEMS} items in an envelope", raw=body[:RAW])
    return document_of(root, parsed.encoding, parsed.notes + _notes(root))


def _notes(root: Element) -> tuple[str, ...]:
    notes = []
    if root.namespace != NAMESPACE:
        notes.append("no-namespace" if root.namespace is None else "foreign-namespace")
    if root.name != "xccos":
        notes.append("root-case")
    return tuple(notes)
