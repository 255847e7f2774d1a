"""Rooms, history and time stamps of items."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.xccos.messages import Item, XccosDocument
from dissectors.xccos.reader import read_document
from dissectors.xccos.rooms import (
    failed_rooms,
    parse_ts,
    post_of,
    posts_of,
    room_names,
    rooms_of,
)

A, B = "ma-chan://contoso.com/a", "ma-chan://contoso.com/b"


def item(inner: str) -> Item:
    document = read_document(f"<xccos>{inner}</xccos>".encode())
    assert isinstance(document, XccosDocument)
    return document.items[0]


@pytest.mark.parametrize(
    ("inner", "rooms"),
    [
        (f'<grpchat chanUri="{A}"><chat>x</chat></grpchat>', (A,)),
        (
            f'<cmd><data><chanib uri="{B}"/><chanib uri="{A}"/><chanib uri="{B}"/></data></cmd>',
            (B, A),
        ),
        ('<cmd><data><chanid key="0" domain="contoso.com" value="a"/></data></cmd>', (A,)),
        (f'<cmd><data><ftdb channelUri="{A}" fileUrl="x"/></data></cmd>', (A,)),
        (f'<rpl><data><chanib uri="{A}"><msg chanUri="{B}"/></chanib></data></rpl>', (A, B)),
        ('<ntc><data><uib><aib key="1" domain="contoso.com" value="b"/></uib></data></ntc>', (B,)),
        ('<rpl><data><chanib><aib key="1" value="0,1"/></chanib></data></rpl>', ()),
        ('<cmd><data><chanid domain="" value="a"/><chanib uri=""/></data></cmd>', ()),
        ('<rpl><data><fib domain="contoso.com" value="a"/></data></rpl>', ()),
        ("<cmd/>", ()),
    ],
)
def test_rooms_are_found_wherever_they_stand(inner: str, rooms: tuple[str, ...]) -> None:
    assert rooms_of(item(inner)) == rooms


def test_failed_rooms_are_told_apart() -> None:
    reply = item(
        f'<rpl><data><chanib uri="{A}"/>'
        '<fib key="OPERATION_FAILED" domain="contoso.com" value="b"/>'
        '<fib key="OPERATION_FAILED" value="c"/></data></rpl>'
    )
    assert rooms_of(reply) == (A,)
    assert failed_rooms(reply) == (B,)


def test_room_names_come_from_the_first_block_that_has_one() -> None:
    reply = item(
        f'<rpl><data><chanib uri="{A}"/><chanib uri="{A}" name="One"/>'
        f'<chanib uri="{A}" name="Two"/><chanib name="None"/><chanib uri="{B}" name=""/>'
        "</data></rpl>"
    )
    assert room_names(reply) == {A: "One"}


def test_history_is_read_with_the_room_around_it() -> None:
    reply = item(
        f'<rpl><data><chanib uri="{A}">'
        '<msg id="grpchat" author="sip:a@b" ts="t"><chat>x</chat></msg>'
        f'<msg chanUri="{B}" id="GRPCHAT"/><msg id="other"><chat>no</chat></msg></chanib>'
        "<msg><chat>y</chat></msg></data></rpl>"
    )
    assert [(post.author, post.ts, post.text, post.room) for post in posts_of(reply)] == [
        ("sip:a@b", "t", "x", A),
        (None, None, None, B),
        (None, None, "y", None),
    ]
    assert post_of(reply) is None


def test_a_live_message_is_a_post_too() -> None:
    post = post_of(item(f'<grpchat chanUri="{A}" author="u" ts="t"><chat>x</chat></grpchat>'))
    assert post is not None
    assert (post.author, post.ts, post.text, post.room) == ("u", "t", "x", A)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00", 0),
        ("1970-01-01T00:00", 0),
        ("1970-01-01 00:00:01z", 1_000_000_000),
        ("1970-01-01T00:00:00.5", 500_000_000),
        ("2010-09-14T14:26:17.6206356Z", 1_284_474_377_620_635_600),
        ("1970-01-01T00:00:00.1234567891Z", 123_456_789),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T19:00:00-0500", 0),
        ("1969-12-31T23:59:59.9Z", -100_000_000),
        (" 1970-01-01T00:00:00Z ", 0),
        ("9999-12-31T23:59:59Z", 253_402_300_799_000_000_000),
        ("0001-01-01T00:00:00+14:00", -62_135_596_800_000_000_000 - 14 * 3600 * 10**9),
    ],
)
def test_time_stamps_are_read_to_the_nanosecond(text: str, expected: int) -> None:
    assert parse_ts(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2010-13-01T00:00:00Z", "2010-02-30T00:00:00Z", "2010-01-01T24:00:00Z"),
        *("2010-01-01", "1970-01-01T00:00:00ZZ", "\u0662\u0660\u0661\u0660-01-01T00:00:00Z"),
        "0000-01-01T00:00:00Z",
    ],
)
def test_what_is_no_time_gives_none(text: str) -> None:
    assert parse_ts(text) is None


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_time_of_day_is_read_back(moment: datetime) -> None:
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    assert parse_ts(moment.isoformat()) == micros * 1_000


@given(st.text())
def test_any_text_is_taken_as_a_time_stamp_without_an_exception(text: str) -> None:
    assert parse_ts(text) is None or any(character.isdigit() for character in text)
