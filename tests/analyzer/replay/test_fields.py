"""Fields by path, and what the slots of a template stand for in a message."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay.align import observe, observe_text
from analyzer.replay.fields import parse_path, read_field
from analyzer.replay.heard import Heard, hear, with_items
from analyzer.replay.template import Template
from dissectors.model import Malformed
from dissectors.sip.writer import build_message

NS = 'xmlns="urn:parlano:xml:ns:xccos"'
REPLIES = (
    f'<xccos ver="1" envid="77" {NS}>'
    '<rpl id="rpl:join" seqid="1"><commandid seqid="1" envid="5"/><resp code="200">OK</resp>'
    '<data><chanib uri="ma-chan://a.example/1"/><chanib uri="ma-chan://a.example/2"/></data></rpl>'
    '<rpl id="RPL:Join" seqid="2"><resp code="404">NO</resp></rpl>'
    '<grpchat id="grpchat" author="sip:ann@a.example"><chat>Hi &amp; bye</chat></grpchat></xccos>'
)


def heard(body: str = "", start: str = "INFO sip:ann@a.example SIP/2.0", **headers: str) -> Heard:
    shown = {"Call-ID": "c1", "CSeq": "3 INFO", "To": "<sip:ann@a.example>;tag=9"} | headers
    found = hear(build_message(start, list(shown.items()), body.encode()))
    assert not isinstance(found, Malformed)
    return found


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("method", "INFO"),
        ("status", None),
        ("header/cseq", "3 INFO"),
        ("header/Event", None),
        ("xccos/@envid", "77"),
        ("xccos/rpl:join/resp/@code", "200"),
        ("xccos/rpl:join[2]/resp/@code", "404"),
        ("xccos/rpl:join[3]/resp/@code", None),
        ("xccos/rpl:join/data/chanib[2]/@uri", "ma-chan://a.example/2"),
        ("xccos/grpchat/chat", "Hi & bye"),
        ("xccos/grpchat/@author", "sip:ann@a.example"),
        ("xccos/cmd:join/data", None),
    ],
)
def test_a_path_names_one_field(path: str, value: str | None) -> None:
    assert read_field(path, heard(REPLIES)) == value


def test_a_status_is_text() -> None:
    answer = heard(start="SIP/2.0 503 Service Unavailable")
    assert read_field("status", answer) == "503"
    assert read_field("method", answer) is None


@pytest.mark.parametrize(
    "path", ["", "stat", "header/", "header/a/b", "xccos", "xccos//x", "xccos/a[0]", "x" * 500]
)
def test_what_is_no_path_is_refused_in_one_line(path: str) -> None:
    with pytest.raises(ValueError, match=r"path|field") as told:
        parse_path(path)
    assert "\n" not in str(told.value)


@given(st.text(max_size=60))
def test_any_text_is_a_path_or_refused(path: str) -> None:
    found: str | None = None
    with contextlib.suppress(ValueError):
        found = read_field(path, heard(REPLIES))
    assert found is None or path.partition("/")[0] in ("method", "body", "header", "xccos")


def test_items_can_be_taken_apart() -> None:
    whole = heard(REPLIES)
    last = with_items(whole, whole.items[-1:])
    assert read_field("xccos/rpl:join/resp", last) is None
    assert read_field("xccos/grpchat/chat", last) == "Hi & bye"


def test_slots_are_read_whatever_the_order_of_parameters() -> None:
    found = observe_text(
        "<sip:${user}>;tag=${tag};epid=${epid}", '"Ann" <sip:ann@a.example>;epid=e1;tag=t1'
    )
    assert found == {"user": "ann@a.example", "tag": "t1", "epid": "e1"}


def test_a_parameter_that_is_absent_says_nothing() -> None:
    assert observe_text("<sip:${user}>;tag=${tag}", "<sip:ann@a.example>") == {
        "user": "ann@a.example"
    }


def test_slots_of_a_document_are_read_by_their_elements() -> None:
    template = Template(
        "INFO sip:${user} SIP/2.0",
        (("To", "<sip:${user}>;tag=${tag}"),),
        f'<xccos {NS} envid="${{t9.envid}}" ver="1"><grpchat id="grpchat" author="sip:${{user}}">'
        "<chat>${text1}</chat></grpchat></xccos>",
    )
    assert observe(template, heard(REPLIES)) == {
        "user": "ann@a.example",
        "tag": "9",
        "t9.envid": "77",
        "text1": "Hi & bye",
    }


def test_elements_that_have_what_is_known_go_together() -> None:
    template = Template(
        "INFO sip:a SIP/2.0",
        (),
        f'<xccos {NS}><rpl id="rpl:join"><data><chanib uri="${{room2}}" name="${{name2}}"/></data>'
        "</rpl></xccos>",
    )
    body = REPLIES.replace('example/2"/>', 'example/2" name="Two"/>')
    found = observe(template, heard(body), {"room2": "ma-chan://a.example/2"})
    assert found == {"room2": "ma-chan://a.example/2", "name2": "Two"}


@given(st.binary(max_size=200))
def test_no_body_is_too_odd_to_be_compared(body: bytes) -> None:
    template = Template("INFO sip:a SIP/2.0", (), f'<xccos {NS} envid="${{e}}"/>')
    raw = build_message("INFO sip:a SIP/2.0", [("Call-ID", "1"), ("CSeq", "1 INFO")], body)
    found = hear(raw)
    assert isinstance(found, Malformed) or isinstance(observe(template, found), dict)
