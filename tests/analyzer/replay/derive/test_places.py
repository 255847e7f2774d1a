"""Attributes and texts of a body are found where they stand, and named as expectations are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay.derive.marks import Marks
from analyzer.replay.derive.places import places_of
from analyzer.replay.fields import read_field
from analyzer.replay.heard import Heard
from analyzer.replay.template import fill
from dissectors.model import Malformed
from dissectors.sip.messages import Headers, SipMessage
from dissectors.xccos.messages import XccosDocument
from dissectors.xccos.reader import read_document
from tests.analyzer.replay.derive.recordings import raws_of
from tests.paths import SAMPLES

BODY = (
    '<?xml version="1.0"?><!-- <cmd id="no"/> -->'
    "<x:xccos xmlns:x='urn:parlano:xml:ns:xccos' ver='1'>"
    '<x:cmd id="cmd:join" seqid="1"><data>'
    '<chanid key="0" value="a &gt; b"/><chanid value="c"/></data>'
    '</x:cmd><cmd seqid="2"/><cmd id="CMD:join"><data/></cmd><other><![CDATA[<a b="c">]]></other>'
    "<grpchat id='grpchat'><chat>one&#xD;\r\ntwo &amp; &#x263A;</chat></grpchat></x:xccos>"
)


def heard(body: str) -> Heard:
    document = read_document(body.encode())
    assert isinstance(document, XccosDocument)
    message = SipMessage(
        b"", "request", "INFO", None, "SIP/2.0", None, None, Headers(), body.encode(), b""
    )
    return Heard(message, document.root, document)


def test_places_are_named_with_the_ids_of_items_and_numbers() -> None:
    found = {place.path: place.value for place in places_of(BODY)}
    assert found == {
        "@ver": "1",
        "cmd:join/@id": "cmd:join",
        "cmd:join/@seqid": "1",
        "cmd:join/data/chanid/@key": "0",
        "cmd:join/data/chanid/@value": "a > b",
        "cmd:join/data/chanid[2]/@value": "c",
        "cmd[2]/@seqid": "2",
        "CMD:join[2]/@id": "CMD:join",
        "grpchat/@id": "grpchat",
        "grpchat/chat": "one\r\ntwo & ☺",
    }


def test_a_place_is_where_the_reader_of_fields_finds_the_same() -> None:
    document = heard(BODY)
    for place in places_of(BODY):
        assert read_field(f"xccos/{place.path}", document) == place.value


def test_every_place_of_real_bodies_is_where_the_reader_of_fields_finds_it() -> None:
    checked = 0
    for name in ("r2-signin-full.pcap", "batch-mixed.pcap", "twousers-post.pcap"):
        for raw in (raw for group in raws_of(SAMPLES / name).values() for raw in group):
            body = raw.partition(b"\r\n\r\n")[2]
            document = read_document(body)
            if document is None or isinstance(document, Malformed):
                continue
            known = heard(body.decode())
            for place in places_of(body.decode()):
                if len(place.path) < 400:
                    assert read_field(f"xccos/{place.path}", known) == place.value
                    checked += 1
    assert checked > 1000


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30))), st.text(max_size=30))
def test_marked_texts_filled_again_are_the_same(claims: list[tuple[int, int]], text: str) -> None:
    marks, values = Marks(text), dict[str, str]()
    for start, end in claims:
        name = f"s{start}-{end}"
        if end <= len(text) and marks.claim(start, end, name):
            values[name] = text[start:end]
    assert fill(marks.template(), lambda name: values[name]) == text


def test_what_is_claimed_first_stays() -> None:
    marks = Marks("sip:ann@contoso.com")
    assert marks.claim(4, 19, "user")
    assert not marks.claim(8, 19, "domain")
    assert marks.template() == "sip:${user}"
    assert marks.free() == [(0, 4)]


def test_a_dollar_before_a_value_does_not_make_an_escape() -> None:
    marks = Marks("costs $12345 and ${x}")
    assert not marks.claim(7, 12, "number")
    assert marks.template() == "costs $12345 and $${x}"
