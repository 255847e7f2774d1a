"""The tables of ids, and the words that are made of them."""

from __future__ import annotations

import re

import pytest

from analyzer.diagnostics import codes
from analyzer.diagnostics.codes import answer_text, explain_diagnostics, explain_number
from tests.analyzer.stories import Story
from tests.paths import SHARED, require_shared


def test_a_known_id_has_reason_and_meaning() -> None:
    expected = "20000 Chat service busy: overload, or a message it could not read"
    assert explain_diagnostics(20000) == expected
    assert explain_diagnostics(20000, "Busy, in other words") == expected


def test_an_unknown_id_is_told_by_its_range_and_the_reason_given() -> None:
    assert explain_diagnostics(1018, "Parsing failure") == "1018 Parsing failure: SIP stack"
    assert explain_diagnostics(20999) == "20999: Group Chat"
    assert explain_diagnostics(99999, "odd") == "99999 odd"


def test_the_tables_have_every_id_of_the_protocol_notes() -> None:
    require_shared()
    text = (SHARED / "PROTOCOL.md").read_text(encoding="utf-8")
    chat = text[text.index("### 5.3") : text.index("### 5.4")]
    sip = text[text.index("### 6.6") : text.index("## 7.")]
    ids = {int(one) for one in re.findall(r"^\| (\d+) \|", chat + sip, re.MULTILINE)}
    pairs = re.findall(r"^\| (\d+)/(\d+) \|", sip, re.MULTILINE)
    ids |= {int(one) for pair in pairs for one in pair}
    assert len(ids) > 25
    assert ids <= set(codes.DIAGNOSTICS)


@pytest.mark.parametrize(
    ("number", "area"),
    [
        (0, "common"),
        (1010, "SIP stack"),
        (13000, "voice routing"),
        (17002, "client version filter"),
    ],
)
def test_a_range_says_what_an_id_is_for(number: int, area: str) -> None:
    assert codes.range_of(number) == area


def test_no_range_has_what_nobody_documents() -> None:
    assert codes.range_of(18500) is None


def test_an_answer_is_told_with_its_diagnostics() -> None:
    story = Story()
    wire = story.connect()
    said = wire.asks("INVITE", "ann", "ocschat", call="c1")
    row = wire.answered(
        said, 404, "Not Found", ms_diagnostics='4005; reason = "gone";source="fe.example.com"'
    )
    assert answer_text(story.trace(), row) == (
        "404 Not Found (4005 Destination URI either not enabled for SIP or does not exist: the "
        "lookup or pool URI is missing)"
    )


def test_an_answer_without_diagnostics_is_its_status() -> None:
    story = Story()
    wire = story.connect()
    row = wire.answered(wire.asks("INVITE", "ann", "bob", call="c1"), 480, "Gone Out")
    assert answer_text(story.trace(), row) == "480 Gone Out"


def test_a_number_is_explained_in_every_sense_that_it_has() -> None:
    assert explain_number(20010)[0].startswith("ms-diagnostics 20010 Rejected session")
    assert explain_number(503)[0].startswith("SIP 503")
    assert any("resp" in line for line in explain_number(503))
    assert any("SUCCESS_OK" in line for line in explain_number(200))
    assert explain_number(99999) == []
