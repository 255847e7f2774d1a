"""Bodies become documents: every item in order, nothing dropped; damage and other roots differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.model import Malformed
from dissectors.xccos.messages import CommandId, Element, Resp, XccosDocument
from dissectors.xccos.reader import MAX_ITEMS, read_document
from tests.dissectors.xccos.strategies import bodies, damaged

NS = "urn:parlano:xml:ns:xccos"


def read(body: bytes | str, content_type: str | None = None) -> XccosDocument:
    document = read_document(body.encode() if isinstance(body, str) else body, content_type)
    assert isinstance(document, XccosDocument), document
    return document


def reason(body: bytes) -> str:
    document = read_document(body)
    assert isinstance(document, Malformed)
    assert document.layer == "xccos"
    return document.reason


def test_a_batched_reply_gives_every_item_in_document_order() -> None:
    document = read(
        f'<xccos ver="1" envid="7962449779256945056" xmlns="{NS}">'
        '<rpl id="rpl:join" seqid="1"><commandid seqid="3" envid="139132352"/>'
        '<resp code="200">SUCCESS_OK</resp><data/></rpl>'
        '<ntc id="ntc:join" seqid="2"><data/></ntc>'
        '<err id="x"/>'
        '<grpchat id="grpchat" seqid="3"><chat>a</chat></grpchat>'
        '<rpl id="RPL:Part" seqid="4"><resp code="403">NO</resp></rpl></xccos>'
    )
    assert (document.ver, document.envid) == ("1", "7962449779256945056")
    assert [(item.element, item.id, item.seqid) for item in document.items] == [
        ("rpl", "rpl:join", "1"),
        ("ntc", "ntc:join", "2"),
        ("err", "x", None),
        ("grpchat", "grpchat", "3"),
        ("rpl", "RPL:Part", "4"),
    ]
    assert document.items[0].commandid == CommandId("3", "139132352")
    assert document.items[4].resp == Resp("403", "NO")
    assert document.items[4].commandid is None
    kinds = ["reply", "notice", "other", "chat", "reply"]
    assert [item.kind for item in document.items] == kinds
    assert [item.name for item in document.items] == ["join", "join", "x", "grpchat", "part"]
    assert [item.text for item in document.items] == ["SUCCESS_OK", None, None, "a", "NO"]


def test_only_direct_children_are_items_commandid_and_resp() -> None:
    document = read(
        '<xccos><rpl><data><rpl id="inner"/><commandid seqid="1"/><resp code="500"/></data>'
        '<resp code="200"/></rpl></xccos>'
    )
    (item,) = document.items
    assert (item.id, item.commandid, item.resp) == (None, None, Resp("200", ""))
    assert item.name == "rpl"


def test_unknown_elements_attributes_and_text_are_kept() -> None:
    document = read(
        '<xccos new="1">a<grpchat id="grpchat" alert="true"><rtf b="2" a="1">x<i>y</i>z</rtf>t'
        "<chat>plain</chat></grpchat></xccos>"
    )
    rtf = Element(
        "rtf", None, (("b", "2"), ("a", "1")), "x", "t", (Element("i", None, (), "y", "z"),)
    )
    assert document.root.text == "a"
    assert document.root.get("new") == "1"
    assert document.items[0].node.children[0] == rtf
    assert rtf.content() == "xyz"
    assert document.items[0].chat == "plain"
    assert [node.name for node in document.root.iter()] == ["xccos", "grpchat", "rtf", "i", "chat"]
    assert document.root.find("grpchat/rtf/i") == rtf.children[0]
    assert document.root.find("grpchat/chat/i") is None


def test_chat_keeps_its_line_breaks_as_xml_gives_them() -> None:
    document = read("<xccos><grpchat><chat>a&#xD;&#xA;b\r\nc\rd\te</chat></grpchat></xccos>")
    assert document.items[0].chat == "a\r\nb\nc\nd\te"


def test_character_data_sections_comments_and_instructions_become_plain_text() -> None:
    document = read(
        "<?a b?><!-- c --><xccos><!-- <rpl/> --><grpchat><chat>1<!-- - -->2<?p q?>3"
        "<![CDATA[<4>&amp;]]>&lt;5&#54;</chat></grpchat></xccos>"
    )
    assert len(document.items) == 1
    assert document.items[0].chat == "123<4>&amp;<56"
    assert document.notes == ("no-namespace",)


@pytest.mark.parametrize(
    ("body", "notes"),
    [
        (f'<xccos xmlns="{NS}"><cmd id="cmd:a"/></xccos>', ()),
        (f'<x:xccos xmlns:x="{NS}"><x:cmd id="cmd:a"/></x:xccos>', ()),
        ('<xccos><cmd id="cmd:a"/></xccos>', ("no-namespace",)),
        ('<xccos xmlns="urn:x"><cmd id="cmd:a"/></xccos>', ("foreign-namespace",)),
        ('<XCCOS><cmd id="cmd:a"/></XCCOS>', ("no-namespace", "root-case")),
        (f'\r\n <xccos xmlns="{NS}"><cmd id="cmd:a"/></xccos>\n', ("leading-whitespace",)),
        (f'<?xml version="1.0"?><xccos xmlns="{NS}"><cmd id="cmd:a"/></xccos>', ()),
        (
            '\n<?xml version="1.0" encoding="utf-16"?>'
            f'<xccos xmlns="{NS}"><cmd id="cmd:a"/></xccos>',
            ("declared-utf-16", "leading-whitespace"),
        ),
        (f'<xccos xmlns="{NS}"><y:cmd xmlns:y="u" y:id="cmd:a"/></xccos>', ()),
        (f'<xccos xmlns="{NS}"><cmd xmlns:y="u" y:id="cmd:b" id="cmd:a"/></xccos>', ()),
    ],
)
def test_names_are_local_names_whatever_the_spelling(body: str, notes: tuple[str, ...]) -> None:
    document = read(body)
    assert [(item.element, item.id) for item in document.items] == [("cmd", "cmd:a")]
    assert document.notes == notes


TEXT = f'<xccos xmlns="{NS}"><grpchat><chat>é€😀</chat></grpchat></xccos>'


@pytest.mark.parametrize(
    ("body", "encoding", "notes"),
    [
        (TEXT.encode(), "utf-8", ()),
        (TEXT.encode("utf-8-sig"), "utf-8", ("byte-order-mark",)),
        (TEXT.encode("utf-16"), "utf-16-le", ("byte-order-mark",)),
        (("\ufeff" + TEXT).encode("utf-16-be"), "utf-16-be", ("byte-order-mark",)),
        (TEXT.encode("utf-16-le"), "utf-16-le", ("no-byte-order-mark",)),
        (
            ("\n" + TEXT).encode("utf-16-be"),
            "utf-16-be",
            ("no-byte-order-mark", "leading-whitespace"),
        ),
        (
            ('<?xml version="1.0" encoding="utf-16"?>' + TEXT).encode("utf-16"),
            "utf-16-le",
            ("byte-order-mark",),
        ),
        (
            ('<?xml version="1.0" encoding="gb18030"?>' + TEXT).encode("gb18030"),
            "gb18030",
            (),
        ),
    ],
)
def test_encodings_are_recognised(body: bytes, encoding: str, notes: tuple[str, ...]) -> None:
    document = read(body)
    assert document.items[0].chat == "é€😀"
    assert (document.encoding, document.notes) == (encoding, notes)


def test_a_declared_8_bit_encoding_is_read_and_charset_goes_before_it() -> None:
    latin = '<?xml version="1.0" encoding="ISO-8859-1"?>'
    body = f'{latin}<xccos xmlns="{NS}"><grpchat><chat>é</chat></grpchat></xccos>'
    assert read(body.encode("latin-1")).items[0].chat == "é"
    assert read(body.encode(), "text/plain; charset=UTF-8").items[0].chat == "é"
    assert read(body.encode("cp1252"), "text/plain;charset=windows-1252").encoding == "cp1252"
    ignored = read(body.encode("latin-1"), "text/plain; charset=klingon")
    assert (ignored.items[0].chat, ignored.notes) == ("é", ("charset-ignored",))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \r\n",
        b"v=0\r\no=- 0 0 IN IP4 10.0.0.1\r\n",
        b"<html><xccos/></html>",
        b"<xccosx/>",
        b"<x/><xccos/>",
        b"<!DOCTYPE html><html/>",
        b"<!-- <xccos/> --><a/>",
        b"<!-- <xccos/>",
        b"hello <xccos/>",
        "<html/>".encode("utf-16"),
        b"\xff\xfe",
    ],
)
def test_a_body_with_another_root_is_not_xccos(body: bytes) -> None:
    assert read_document(body) is None


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<xccos", "unclosed token"),
        (b"<p:xccos/>", "unbound prefix"),
        (b"<xccos><cmd></xccos>", "mismatched tag"),
        (b"<xccos a='1' a='2'/>", "duplicate attribute"),
        (b"<xccos>\xff</xccos>", "not valid utf-8 at byte 7"),
        (b"<xccos>\0</xccos>", "not well-formed"),
        (b"<xccos>&foo;</xccos>", "undefined entity"),
        (b"<xccos a='&foo;'/>", "undefined entity"),
        (b"<xccos>]]></xccos>", "not well-formed"),
        (b"<xccos/><xccos/>", "junk after document element"),
        (b"<xccos xmlns:p=''/>", "must not undeclare prefix"),
        (b"<?xml version='1.0' encoding='ebcdic'?><xccos/>", "declared encoding is not known"),
        ("<xccos>".encode("utf-16") + b"\0\xd8", "not valid utf-16"),
        (b"<!DOCTYPE xccos><xccos/>", "DTD"),
        (b"<!DOCTYPE xccos SYSTEM 'http://127.0.0.1/x'><xccos/>", "DTD"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><xccos>&a;</xccos>", "DTD"),
        (b"<!DOCTYPE x [<!ENTITY % a ']>'> %a; <!-- ' --><?p '?>] ><p:xccos/>", "DTD"),
        (b"<!DOCTYPE xccos [<!ENTITY a 'b", "DTD"),
        (b"<xccos><!DOCTYPE xccos></xccos>", "not well-formed"),
        (b"<xccos>" + b"<a>" * 200_000, "nested more than 64 deep"),
        (b"<xccos>" + b"<a/>" * 50_001 + b"</xccos>", "more than 50000 elements"),
        (b"<xccos>" + b"<a/>" * (MAX_ITEMS + 1) + b"</xccos>", "more than 10000 items"),
        (b"<xccos>" + b" " * 4 * 1024 * 1024 + b"</xccos>", "longer than 4194304 bytes"),
    ],
)
def test_a_body_with_the_right_root_that_is_broken_or_refused_is_malformed(
    body: bytes, why: str
) -> None:
    assert why in reason(body)


def test_a_refused_body_keeps_its_beginning() -> None:
    document = read_document(b"<xccos>" + b"x" * 10_000)
    assert isinstance(document, Malformed)
    assert document.raw == (b"<xccos>" + b"x" * 505)


def test_namespace_declarations_count_as_attributes() -> None:
    declarations = "".join(f" xmlns:a{number}='u{number}'" for number in range(201))
    assert "more than 200 attributes" in reason(f"<xccos{declarations}/>".encode())


@pytest.mark.parametrize(
    "filler",
    [b"<!DOCTYPE ", b"<!DOCTYPE a [<!--", b"<!--", b"<?", b"<!DOCTYPE a [<!ENTITY '", b" <"],
)
def test_a_long_prolog_is_passed_over_in_linear_time(filler: bytes) -> None:
    assert read_document(filler * 200_000) is None


@given(st.one_of(bodies(), damaged(), st.binary(), st.binary().map(b"<xccos>".__add__)))
def test_any_bytes_give_one_of_three_answers(body: bytes) -> None:
    document = read_document(body)
    assert document is None or isinstance(document, Malformed | XccosDocument)
    if isinstance(document, XccosDocument):
        assert tuple(item.node for item in document.items) == document.root.children
