"""The parser agrees with a second one on what well-formed documents say."""

from __future__ import annotations

from hypothesis import given
from lxml import etree

from dissectors.model import Malformed
from dissectors.xccos.messages import Element
from dissectors.xccos.xml import Parsed, parse
from tests.dissectors.xccos.strategies import markup


def as_element(node: etree._Element) -> Element:
    """An element of libxml2 as ours."""
    name = etree.QName(node.tag)
    attributes = tuple((str(key), str(value)) for key, value in node.attrib.items())
    children = tuple(as_element(child) for child in node)
    return Element(
        name.localname, name.namespace, attributes, node.text or "", node.tail or "", children
    )


@given(markup())
def test_what_is_read_is_what_libxml2_reads(text: str) -> None:
    parsed = parse(text.encode())
    if isinstance(parsed, Malformed):
        return
    peer = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
        encoding="utf-8",
    )
    root = etree.fromstring(text.strip(" \t\r\n").encode(), peer)
    assert parsed.root == as_element(root)


def test_the_document_need_not_be_xccos() -> None:
    parsed = parse(b"<a b='1'>c</a>")
    assert parsed == Parsed(Element("a", None, (("b", "1"),), "c"), "utf-8", ())
