"""Live framing: what comes out is the same however the bytes were cut, and nothing raises."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.replay.inbound import MAX_BODY, MAX_LINE, PING, Arrival, Inbound, Limits
from analyzer.trace import open_capture
from dissectors.model import Malformed
from tests.paths import SAMPLES
from tests.support.sip_texts import message, response

if TYPE_CHECKING:
    from collections.abc import Sequence

ONE, TWO, THREE = message(1), message(2, b"<xccos/>"), response(3, b"abc")
SMALL = Limits(head=1024, body=256, skipped=2048)
TLS_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x5a" * 300


def arrived(pieces: Sequence[bytes], limits: Limits = SMALL) -> list[Arrival]:
    inbound = Inbound(limits)
    out = [arrival for piece in pieces for arrival in inbound.feed(piece)]
    cut = inbound.close()
    return out if cut is None else [*out, cut]


def reasons(arrivals: Sequence[Arrival]) -> list[str]:
    return [one.reason for one in arrivals if isinstance(one, Malformed)]


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def lengthless(raw: bytes) -> bytes:
    lines = raw.split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.startswith(b"Content-Length"))


def test_a_message_comes_out_as_soon_as_its_last_byte_is_there() -> None:
    inbound = Inbound()
    assert inbound.feed(TWO[:-1]) == []
    assert inbound.pending == len(TWO) - 1
    assert inbound.feed(TWO[-1:]) == [TWO]
    assert inbound.pending == 0


def test_messages_follow_one_another_and_a_double_crlf_between_them_is_a_keep_alive() -> None:
    data = ONE + b"\r\n\r\n" + TWO + b"\r\n" + THREE + b"\r\n\r\n\r\n\r\n"
    assert arrived([data]) == [ONE, PING, TWO, THREE, PING, PING]


@pytest.mark.parametrize(
    "line",
    [b"l: 8", b"L:8", b"CONTENT-LENGTH : 8", b"Content-Length:\r\n 8", b"Content-Length: 008"],
)
def test_the_length_is_read_in_every_spelling(line: bytes) -> None:
    raw = lengthless(TWO).replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n", 1)
    assert arrived([raw + ONE]) == [raw, ONE]


def test_lines_may_end_in_lf_alone() -> None:
    head, _, body = TWO.partition(b"\r\n\r\n")
    raw = head.replace(b"\r\n", b"\n") + b"\n\n" + body
    assert arrived([raw + ONE]) == [raw, ONE]


def test_without_a_length_there_is_no_body() -> None:
    bare = lengthless(ONE)
    assert arrived([bare + TWO]) == [bare, TWO]


def test_a_type_without_a_length_is_an_error_that_can_be_answered() -> None:
    bare = lengthless(message(7, b"<xccos/>", extra="Content-Type: text/plain"))
    found = arrived([bare + b"\r\n" + ONE])
    assert reasons(found) == [
        "a Content-Type without Content-Length, which streams need (RFC 3261 18.3)"
    ]
    assert isinstance(found[0], Malformed)
    assert found[0].raw == bare[: -len(b"<xccos/>")]
    assert found[1:] == [ONE]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (b"Content-Length: 8\r\nContent-Length: 9", "Content-Length contradicts itself"),
        (b"Content-Length: eight", "Content-Length is not a number"),
        (b"Content-Length: -1", "Content-Length is not a number"),
        (b"Content-Length: " + b"9" * 600, "a body of more than 256 bytes"),
    ],
)
def test_a_length_that_is_none_costs_the_message(lines: bytes, reason: str) -> None:
    raw = lengthless(ONE).replace(b"\r\n\r\n", b"\r\n" + lines + b"\r\n\r\n", 1)
    assert reasons(arrived([raw]))[0] == reason


def test_the_same_length_twice_is_taken() -> None:
    raw = TWO.replace(b"Content-Length: 8", b"Content-Length: 8\r\nl: 8")
    assert arrived([raw + ONE]) == [raw, ONE]


def test_a_body_that_is_too_large_is_passed_over_to_its_end() -> None:
    # The text of a whole message inside it is no message.
    large = message(4, (ONE * 3)[:700])
    found = arrived([large + TWO])
    assert reasons(found) == ["a body of more than 256 bytes"]
    assert found[1:] == [TWO]


def test_the_default_bound_of_a_body_is_inclusive() -> None:
    fits, exceeds = message(1, b"x" * MAX_BODY), message(1, b"x" * (MAX_BODY + 1))
    assert Inbound().feed(fits) == [fits]
    assert reasons(Inbound().feed(exceeds)) == [f"a body of more than {MAX_BODY} bytes"]


def test_a_head_that_does_not_end_is_given_up() -> None:
    endless = ONE[: ONE.index(b"\r\n") + 2] + b"Subject: a\r\n" * 200
    found = arrived([endless + b"\r\n" + TWO], SMALL._replace(skipped=9999))
    assert reasons(found) == ["the head of a message is longer than 1024 bytes"]
    assert found[-1] == TWO


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1", b"\x00\xff\x80", b"hello SIP/2.0 200 OK"])
def test_garbage_is_told_once_and_passed_over_to_the_next_start_line(garbage: bytes) -> None:
    found = arrived([ONE + garbage + b"\r\nHost: x\r\n\r\n" + TWO])
    assert found == [ONE, Malformed("sip", "what begins here is no SIP message", raw=garbage), TWO]


def test_a_line_that_is_too_long_is_no_start_line_wherever_it_is_cut() -> None:
    long = b"INFO sip:" + b"a" * MAX_LINE + b"@contoso.com SIP/2.0\r\n"
    found = arrived([long + TWO], SMALL._replace(skipped=99_999))
    assert reasons(found) == ["what begins here is no SIP message"]
    assert found[-1] == TWO


def test_who_sends_nothing_but_garbage_is_no_longer_read() -> None:
    inbound = Inbound(SMALL)
    assert len(inbound.feed(b"nonsense\r\n" * 300)) == 1
    assert inbound.stopped
    assert inbound.feed(ONE) == []


def test_tls_on_a_plain_port_is_recognised_at_once() -> None:
    inbound = Inbound()
    assert reasons(inbound.feed(TLS_HELLO[:5])) == ["the peer speaks TLS, not SIP"]
    assert inbound.stopped


def test_an_end_inside_a_message_is_told() -> None:
    assert reasons(arrived([ONE + TWO[:50]])) == ["the connection ended 50 bytes into a message"]


def test_an_end_between_messages_is_none() -> None:
    assert reasons(arrived([ONE + b"\r\n"])) == []


PARTS = (
    *(ONE, TWO, THREE, b"\r\n\r\n", b"\r\n", b"\n", b"\r", lengthless(ONE), b"nonsense\r\n"),
    *(message(4, b"y" * 300), message(5, b"x", extra="Subject: a\r\n folded"), ONE[:40]),
    *(b"GET / HTTP/1.1\r\n\r\n", TLS_HELLO, b"\x00" * 9000, b"SIP/2.0 200 OK\r\n" * 90),
)


@given(st.lists(st.sampled_from(PARTS), max_size=6), st.lists(st.integers(0, 20_000), max_size=8))
def test_how_the_bytes_are_cut_changes_nothing(parts: list[bytes], places: list[int]) -> None:
    data = b"".join(parts)
    assert arrived(cut(data, places)) == arrived([data])


@given(st.data())
@settings(max_examples=150)
def test_mutated_messages_never_raise_and_come_out_alike_byte_by_byte(data: st.DataObject) -> None:
    raw = bytearray(ONE + TWO + THREE)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    whole = bytes(raw)
    assert arrived([whole[at : at + 1] for at in range(len(whole))]) == arrived([whole])


def test_every_message_of_a_real_capture_comes_out_as_it_is() -> None:
    with open_capture(SAMPLES / "twousers-post.pcap", index=False) as trace:
        raws = [trace.raw(number) for number in range(len(trace.rows))]
    assert arrived([b"".join(raws)], Limits()) == raws
