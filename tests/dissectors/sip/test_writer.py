"""Writing is the inverse of reading, byte for byte."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.sip.messages import Headers, SipMessage
from dissectors.sip.parse import parse_message
from dissectors.sip.writer import build_message, make_header, write_message
from tests.dissectors.sip.strategies import (
    bodies,
    messages,
    mutated,
    odd_messages,
    start_and_headers,
)


def read(raw: bytes, *, stream: bool = True) -> SipMessage:
    message = parse_message(raw, stream=stream)
    assert isinstance(message, SipMessage)
    return message


@given(st.one_of(messages(), odd_messages()), st.booleans())
def test_reading_what_was_written_gives_the_same_message(raw: bytes, stream: bool) -> None:
    message = read(raw, stream=stream)
    assert write_message(message) == raw
    assert read(write_message(message), stream=stream) == message


@given(mutated(st.one_of(messages(), odd_messages())), st.booleans())
def test_broken_messages_are_written_as_they_came(raw: bytes, stream: bool) -> None:
    message = parse_message(raw, stream=stream)
    if isinstance(message, SipMessage):
        assert write_message(message) == raw


@given(start_and_headers(), bodies)
def test_a_built_message_is_read_as_it_was_meant(
    head: tuple[str, list[tuple[str, str]]], body: bytes
) -> None:
    start, headers = head
    message = read(build_message(start, headers, body))
    assert message.start_line.decode() == start
    listed = [(header.name, header.value) for header in message.headers]
    assert listed == [*headers, ("Content-Length", str(len(body)))]
    assert message.body == body


def test_the_length_is_made_true_where_it_stands() -> None:
    headers = [("l", "99"), ("To", "<sip:b>"), ("Content-Length", "7")]
    raw = build_message("ACK sip:b SIP/2.0", headers, b"body")
    assert raw == b"ACK sip:b SIP/2.0\r\nContent-Length: 4\r\nTo: <sip:b>\r\n\r\nbody"


def test_replaced_headers_are_written() -> None:
    message = read(b"ACK sip:b SIP/2.0\nTo: x\nX: 1\n\nbody")
    edited = replace(message, headers=Headers([make_header("To", " y "), message.headers[1]]))
    assert write_message(edited) == b"ACK sip:b SIP/2.0\nTo: y\r\nX: 1\n\nbody"


@pytest.mark.parametrize(
    ("name", "value"),
    [("X", "a\r\nEvil: b"), ("X", "a\nb"), ("X", "\x00"), ("X", "\x7f"), ("X:", "a"), ("", "a")],
)
def test_a_header_that_would_break_the_message_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"header name|control character"):
        build_message("ACK sip:b SIP/2.0", [(name, value)])


def test_a_start_line_that_would_break_the_message_is_refused() -> None:
    with pytest.raises(ValueError, match="control character"):
        build_message("ACK sip:b SIP/2.0\r\nX: y", [])
