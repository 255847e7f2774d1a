"""The writer is the inverse of the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.xccos.messages import CommandId, Element, Resp, XccosDocument, document_of
from dissectors.xccos.reader import read_document
from dissectors.xccos.writer import (
    XML,
    command,
    command_item,
    element,
    envelope,
    grpchat,
    grpchat_item,
    notice,
    notice_item,
    reply,
    reply_item,
    write_document,
)
from tests.dissectors.xccos.strategies import TEXTS, documents

if TYPE_CHECKING:
    from dissectors.xccos.writer import Shape

SHAPES = st.sampled_from(["client", "server"])


@given(documents(), SHAPES)
def test_what_is_written_reads_as_the_same_document(document: XccosDocument, shape: Shape) -> None:
    assert read_document(write_document(document, shape)) == document


@given(TEXTS, TEXTS, SHAPES)
def test_a_chat_message_survives_with_any_text(chat: str, room: str, shape: Shape) -> None:
    document = grpchat("1", "2", room, "sip:a@b", "2014-03-04T10:00:00Z", chat, alert="false")
    body = write_document(document, shape)
    assert read_document(body) == document
    assert document.items[0].chat == chat
    assert document.items[0].node.get("alert") == "false"


def test_a_client_document_looks_like_a_client_s() -> None:
    body = write_document(command("requri", "1", "139132350"))
    assert body == (
        b'<xccos xmlns="urn:parlano:xml:ns:xccos" ver="1" envid="139132350">'
        b'<cmd id="cmd:requri" seqid="1"><data/></cmd></xccos>'
    )


def test_a_server_document_looks_like_a_server_s() -> None:
    uri = element("uib", {"uri": "sip:channel@contoso.com"})
    document = reply("requri", "1", "7962449779256945056", CommandId("1", "139132350"), uri)
    assert write_document(document, "server") == (
        b'<xccos xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ver="1"'
        b' envid="7962449779256945056" xmlns="urn:parlano:xml:ns:xccos">'
        b'<rpl id="rpl:requri" seqid="1"><commandid seqid="1" envid="139132350"/>'
        b'<resp code="200">SUCCESS_OK</resp><data><uib uri="sip:channel@contoso.com"/></data>'
        b"</rpl></xccos>"
    )


def test_one_envelope_holds_items_of_every_kind_in_order() -> None:
    document = envelope(
        "9",
        reply_item("join", "1", None, resp=Resp(None, "odd")),
        notice_item("join", "2"),
        command_item("getpref", "3"),
        grpchat_item("4", "ma-chan://a/b", "sip:a@b", "t", "x"),
    )
    kinds = ["reply", "notice", "command", "chat"]
    assert [item.kind for item in document.items] == kinds
    assert document.items[0].resp == Resp(None, "odd")
    assert read_document(write_document(document)) == document
    assert envelope("9", notice_item("part", "1")) == notice("part", "1", "9")


def test_the_reserved_prefix_is_written_as_such() -> None:
    node = Element("b", XML, ((f"{{{XML}}}lang", "de"),), "", "", (Element("c"),))
    document = document_of(Element("xccos", None, (), "", "", (node,)))
    body = write_document(document)
    assert body == b'<xccos><xml:b xml:lang="de"><c/></xml:b></xccos>'
    found = read_document(body)
    assert isinstance(found, XccosDocument)
    assert found.root == document.root


@pytest.mark.parametrize(
    "node",
    [
        element("cmd", text="\0"),
        element("cmd", text="\ud800"),
        element("cmd", {"a": "\ufffe"}),
        element("c d"),
        element("c:d"),
        element(""),
        element("1a"),
        element("cmd", {"a=": "1"}),
        element("cmd", {"{u}": "1"}),
    ],
)
def test_what_xml_cannot_say_is_an_error_of_the_caller(node: Element) -> None:
    with pytest.raises(ValueError, match="XML"):
        write_document(envelope("1", node))
