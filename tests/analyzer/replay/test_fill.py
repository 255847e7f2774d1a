"""Filling a template: values are data, and the message keeps the shape of its template."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay.fill import escape_attribute, escape_text, fill_message
from analyzer.replay.template import SLOT, Template, escape
from analyzer.trace import open_capture
from dissectors.sip.messages import SipMessage
from dissectors.sip.parse import parse_message
from dissectors.xccos.messages import XccosDocument
from dissectors.xccos.reader import read_document
from tests.paths import SAMPLES

CHAT = Template(
    "INFO ${remote.target} SIP/2.0",
    (
        ("v", "SIP/2.0/TCP ${client1.address}"),
        ("f", "<sip:${client1.user}>;tag=${t1.from-tag}"),
        ("to", "<sip:ocschat@contoso.com>;tag=${t1.to-tag}"),
        ("call-ID", "${call-id1}"),
        ("CSeq", "${t1.cseq} INFO"),
        ("CONTENT-length", "${content_length}"),
        ("Content-Type", "text/plain"),
    ),
    '<xccos xmlns="urn:parlano:xml:ns:xccos" ver="1" envid="${envid1}">'
    '<grpchat id="grpchat" seqid="1" chanUri="${room}" author="sip:${client1.user}">'
    "<chat>${text1}</chat></grpchat></xccos>",
)
VALUES = {
    "remote.target": "sip:gc01.contoso.com:5061;transport=tcp",
    "client1.address": "10.0.0.1:50000",
    "client1.user": "ann@contoso.com",
    "t1.from-tag": "a1",
    "t1.to-tag": "b2",
    "call-id1": "c3",
    "t1.cseq": "4",
    "envid1": "139132350",
    "room": "ma-chan://contoso.com/1",
    "text1": "Good morning",
}


def _filled(**changed: str) -> bytes:
    values = {**VALUES, **changed}
    return fill_message(CHAT, values.__getitem__)


def _read(raw: bytes) -> tuple[SipMessage, XccosDocument]:
    message = parse_message(raw)
    assert isinstance(message, SipMessage)
    document = read_document(message.body)
    assert isinstance(document, XccosDocument)
    return message, document


def _body(body: str, value: str) -> bytes:
    template = Template("INFO sip:a SIP/2.0", (), body)
    return fill_message(template, lambda _: value).partition(b"\r\n\r\n")[2]


def test_headers_keep_their_order_and_their_spelling() -> None:
    lines = _filled().partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert lines[0] == "INFO sip:gc01.contoso.com:5061;transport=tcp SIP/2.0"
    assert [line.partition(":")[0] for line in lines[1:]] == [name for name, _ in CHAT.headers]
    assert lines[5] == "CSeq: 4 INFO"


def test_content_length_counts_the_bytes_of_the_body_where_the_template_has_it() -> None:
    raw = _filled(text1="Grüße, 世界")
    head, _, body = raw.partition(b"\r\n\r\n")
    assert f"CONTENT-length: {len(body)}".encode() in head.split(b"\r\n")
    assert "Grüße, 世界".encode() in body


def test_a_length_that_lies_is_corrected_and_said_once() -> None:
    headers = (("l", "9999"), ("To", "<sip:a>"), ("Content-Length", "1"))
    raw = fill_message(Template("BYE sip:a SIP/2.0", headers, "ab"), str)
    assert raw == b"BYE sip:a SIP/2.0\r\nl: 2\r\nTo: <sip:a>\r\n\r\nab"


def test_a_message_without_content_length_gets_one() -> None:
    raw = fill_message(Template("BYE sip:a SIP/2.0", (("To", "<sip:a>"),)), str)
    assert raw == b"BYE sip:a SIP/2.0\r\nTo: <sip:a>\r\nContent-Length: 0\r\n\r\n"


def test_words_of_people_cannot_become_markup() -> None:
    text = "a < b & \"c\" > d</chat><chat author='x'>"
    _, document = _read(_filled(text1=text))
    assert [node.text for node in document.root.iter("chat")] == [text]


def test_a_value_cannot_leave_its_attribute() -> None:
    room = 'x" author="sip:eve@contoso.com'
    _, document = _read(_filled(room=room))
    assert document.items[0].node.get("chanUri") == room
    assert document.items[0].node.get("author") == "sip:ann@contoso.com"


@pytest.mark.parametrize(
    ("body", "filled"),
    [
        ("<a>${x}</a>", "<a>&lt;'\"&amp;&gt;</a>"),
        ('<a b="${x}"/>', '<a b="&lt;\'&quot;&amp;&gt;"/>'),
        ("<a b='${x}'/>", "<a b='&lt;&apos;&quot;&amp;&gt;'/>"),
        ("<a b='>' c=\"${x}\">", "<a b='>' c=\"&lt;'&quot;&amp;&gt;\">"),
        ('<!-- <a b=" --><c>${x}</c>', '<!-- <a b=" --><c>&lt;\'"&amp;&gt;</c>'),
        ('<?xml version="1.0"?>\n<a>${x}</a>', '<?xml version="1.0"?>\n<a>&lt;\'"&amp;&gt;</a>'),
        ("<a><![CDATA[${x}]]></a>", "<a><![CDATA[<'\"&>]]></a>"),
        ("it's ${x}", "it's <'\"&>"),
        ("m=message ${x}\r\n", "m=message <'\"&>\r\n"),
        ("\ufeff \r\n<a>it's ${x}</a>", "\ufeff \r\n<a>it's &lt;'\"&amp;&gt;</a>"),
    ],
)
def test_a_value_is_escaped_for_the_place_it_stands_in(body: str, filled: str) -> None:
    assert _body(body, "<'\"&>") == filled.encode()


def test_the_end_of_a_cdata_section_within_a_value_does_not_end_it() -> None:
    body = _body('<xccos ver="1" envid="1"><a><![CDATA[${x}]]></a></xccos>', "a]]>b")
    document = read_document(body)
    assert isinstance(document, XccosDocument)
    assert [node.text for node in document.root.iter("a")] == ["a]]>b"]


@pytest.mark.parametrize("bad", ["a\r\nX: y", "a\nb", "a\x00", "a\x7f"])
@pytest.mark.parametrize("slot", ["remote.target", "call-id1"])
def test_a_value_cannot_add_a_header(slot: str, bad: str) -> None:
    with pytest.raises(ValueError, match=f"control character in the value of {slot}") as told:
        _filled(**{slot: bad})
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("bad", ["\x00", "\x0b", "\ufffe", "\ud800"])
def test_what_xml_cannot_say_is_refused_by_name(bad: str) -> None:
    with pytest.raises(ValueError, match="cannot say in the value of text1"):
        _filled(text1=f"a{bad}")


@pytest.mark.parametrize("name", ["Bad Name", "", "X:", "X\r\nY"])
def test_a_header_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a header name"):
        fill_message(Template("BYE sip:a SIP/2.0", ((name, "x"),)), str)


def test_a_line_break_in_the_template_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="control character"):
        fill_message(Template("BYE sip:a SIP/2.0\r\nX: y", ()), str)


def test_a_binary_body_is_written_as_it_is() -> None:
    binary = bytes(range(256))
    template = Template("INFO sip:a SIP/2.0", (("l", "${content_length}"),), binary=binary)
    assert fill_message(template, str) == b"INFO sip:a SIP/2.0\r\nl: 256\r\n\r\n" + binary


def test_an_escaped_reference_means_itself() -> None:
    template = Template("INFO sip:a SIP/2.0", (("Subject", "$${a} ${a}"),), "<a>$${a}</a>")
    raw = fill_message(template, lambda _: "b")
    assert b"Subject: ${a} b\r\n" in raw
    assert raw.endswith(b"<a>${a}</a>")


def test_each_slot_is_asked_for_once_in_a_message() -> None:
    asked: list[str] = []

    def value(name: str) -> str:
        asked.append(name)
        return VALUES[name]

    fill_message(CHAT, value)
    assert sorted(asked) == sorted(VALUES)


def test_every_message_of_a_capture_is_its_own_template() -> None:
    with open_capture(SAMPLES / "signin-tcp.pcap") as trace:
        for row in range(len(trace)):
            message = trace.message(row)
            assert isinstance(message, SipMessage)
            headers = tuple((one.name, escape(one.value)) for one in message.headers)
            body = escape(message.body.decode())
            template = Template(message.start_line.decode(), headers, body)
            # Content-Length is rewritten, and where a message had none it is the only change.
            length = re.compile(rb"Content-Length:[ \t]*", re.IGNORECASE)
            filled = length.sub(b"l:", fill_message(template, str))
            assert filled == length.sub(b"l:", message.raw)


LEGAL = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff").filter(
        lambda one: one >= " " or one in "\t\n"
    )
)


@given(LEGAL)
def test_what_a_document_says_is_what_it_was_given(value: str) -> None:
    body = (
        f'<xccos ver="1" envid="{escape_attribute(value)}"><a>x{escape_text(value)}</a></xccos>'
    ).encode()
    document = read_document(body)
    assert isinstance(document, XccosDocument)
    assert document.root.get("envid") == value
    assert [node.text for node in document.root.iter("a")] == ["x" + value]


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_body_can_be_filled_or_is_refused_in_one_line(body: str, value: str) -> None:
    template = Template("INFO sip:a SIP/2.0", (), body)
    try:
        said = fill_message(template, lambda _: value).partition(b"\r\n\r\n")[2].decode()
    except ValueError as error:
        said = str(error)
        assert "\n" not in said, "a refusal is one line"
        return
    assert said == body.replace("$${", "${") or SLOT.search(body)
    assert "${" in body or said == body
