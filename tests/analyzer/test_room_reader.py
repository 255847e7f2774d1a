"""Rooms found by one pattern are those of the parsed document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.room_reader import RoomFacts, RoomReader
from dissectors.model import Malformed
from dissectors.xccos.rooms import failed_rooms, room_names, rooms_of
from tests.analyzer.stories import Story, cmd, envelope, post, rpl
from tests.analyzer.truths import FLOWS, PLAIN, name_of, opened

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.trace import Trace

FIRST, SECOND = "ma-chan://example.com/1", "ma-chan://example.com/2"


def _parsed(trace: Trace, row: int) -> list[RoomFacts]:
    document = trace.document(row)
    if document is None or isinstance(document, Malformed):
        return []
    return [
        RoomFacts(rooms_of(item), failed_rooms(item), room_names(item)) for item in document.items
    ]


@pytest.mark.parametrize("path", [*PLAIN, *FLOWS], ids=name_of)
def test_the_pattern_finds_what_the_parser_finds(path: Path) -> None:
    trace, _ = opened(path)
    reader = RoomReader(trace)
    for row in range(len(trace)):
        for position, facts in enumerate(_parsed(trace, row)):
            assert reader.facts(row, position) == facts


@pytest.mark.parametrize(
    "item",
    [
        post(FIRST),
        post(FIRST).replace('"', "'"),
        post("ma-chan://example.com/a&amp;b"),
        post("ma-chan://example.com/zürich"),
        post(FIRST).replace("hello", f"<![CDATA[<chanib uri='{SECOND}'/>]]>"),
        post(FIRST).replace("hello", f"chanUri=&quot;{SECOND}&quot; >"),
        post(FIRST).replace("chanUri=", "other=").replace("hello", f'chanUri="{SECOND}"'),
        post(FIRST).replace("<grpchat", f'<!-- <grpchat chanUri="{SECOND}"> --><grpchat'),
        post(FIRST).replace("chanUri", "chanUri \n").replace('">', '" >'),
        cmd("join", data='<chanid key="0" domain="example.com" value="1"/><chanid value="2"/>'),
        cmd("bccontext", data=f'<chanib uri="{FIRST}"/><bcq><last cnt="25"/></bcq>'),
        cmd("getfutok", data=f'<ftdb channelUri="{FIRST}" fileUrl="a>b.txt"/>'),
        rpl(
            "bjoin", data=f'<chanib uri="{FIRST}" name="A &lt;B"><aib key="1" value="0"/></chanib>'
        ),
        rpl("bjoin", data='<fib key="OPERATION_FAILED" domain="example.com" value="2"/>'),
        rpl("bjoin", data=f'<chanib uri="{FIRST}" name=""/><chanib uri="{FIRST}" name="N"/>'),
        '<ntc id="ntc:join"><uib><aib key="1" domain="example.com" value="1"/></uib></ntc>',
        rpl("bjoin", data=f'<chanib uri="{FIRST}" name="&amp;lt; &quot;&apos;&gt;"/>'),
        rpl("bjoin", data=f'<chanib uri="{FIRST}" name="&#65;&#x42;&amp;"/>'),
        rpl("bjoin", data=f'<chanib uri="{FIRST}" name="two\nlines"/>'),
        "<unknown/>",
    ],
)
def test_strange_envelopes_are_read_as_the_parser_reads_them(item: str) -> None:
    story = Story()
    wire = story.connect()
    for body in (envelope("1", item), envelope("1", item, post(SECOND))):
        wire.asks("INFO", "ann", "svc", call="c", to_tag="s", body=body)
    trace = story.trace()
    reader = RoomReader(trace)
    for row in range(len(trace.rows)):
        expected = _parsed(trace, row)
        assert expected
        assert [reader.facts(row, at) for at in range(len(expected))] == expected


def test_a_body_that_is_no_xccos_has_no_rooms() -> None:
    story = Story()
    story.connect().asks("INFO", "ann", "svc", call="c", to_tag="s", body="hello")
    assert RoomReader(story.trace()).facts(0, 0) == RoomFacts()
