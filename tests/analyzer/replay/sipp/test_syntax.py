"""SIPp's syntax: nothing from a script may mean something to SIPp or end what it stands in."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from analyzer.replay.sipp.scenario import Complete, Ereg, Scenario
from analyzer.replay.sipp.syntax import attribute, cdata, comment, filled, literal, posix

PIECES = (*"[]<>&\"'\\x-! \t\r\n$é\0\x01", "]]>", "<![CDATA[", "-->", "\\x5B")
HOSTILE = st.lists(st.sampled_from(PIECES), max_size=20).map("".join)


def said(text: str) -> str:
    """Return what SIPp sends for a text of a scenario."""
    pieces = re.split(r"\\x([0-9A-F]{2})", text)
    data = b"".join(
        bytes([int(piece, 16)]) if number % 2 else piece.replace("\n", "\r\n").encode()
        for number, piece in enumerate(pieces)
    )
    return data.decode()


@given(HOSTILE)
def test_a_literal_is_sent_as_it_is(text: str) -> None:
    for lines in (False, True):
        written = literal(text, lines=lines)
        assert "[" not in written
        assert said(written) == text.replace("\0", "")
    assert "\n" not in literal(text)


@given(HOSTILE)
def test_no_line_of_a_message_has_blanks_that_sipp_would_strip(text: str) -> None:
    section = cdata("INFO sip:a SIP/2.0\nA: b\n\n" + literal(text, lines=True))
    inner = section.removeprefix("<![CDATA[\n").removesuffix("]]>")
    assert "]]>" not in inner
    assert not inner.endswith("\n") or inner.endswith("A: b\n\n")
    assert all(line == line.strip(" \t") for line in inner.split("\n"))


@given(HOSTILE, HOSTILE)
def test_a_scenario_stays_one_whatever_is_put_into_it(text: str, other: str) -> None:
    scenario = Scenario(text, (other,))
    scenario.remark(text)
    scenario.send(f"INFO sip:a SIP/2.0\nX: {literal(text)}\n\n{literal(other, lines=True)}")
    default = literal(text)
    scenario.receive((Ereg(other, text or "X", ("matched", "v1"), default=default),), request=text)
    scenario.receive((Complete("step1", (("v1", "x", 1),)),), response="200")
    scenario.end()
    root = etree.fromstring(scenario.text().encode())
    assert {step.tag for step in root.iterchildren("*")} == {
        "send", "recv", "nop", "label", "Reference",
    }  # fmt: skip
    actions = {one.tag for step in root for block in step for one in block}
    assert actions <= {"ereg", "assignstr", "todouble", "test", "add", "assign", "jump"}


def test_slots_and_escaped_references_of_a_template() -> None:
    expression = {"user": "[field0]"}.__getitem__
    assert filled("<sip:${user}> $${user} [x]", expression) == r"<sip:[field0]> ${user} \x5Bx]"


def test_expressions_are_without_backslashes() -> None:
    assert posix("a.b(c)*[d]?{e}|$") == "a[.]b[(]c[)][*][[]d][?][{]e}[|][$]"


def test_comments_and_attributes_end_where_they_should() -> None:
    assert "--" not in comment("a --> <exec/> ---")
    assert attribute('"/><exec>&') == "&quot;/&gt;&lt;exec&gt;&amp;"


def test_a_place_that_is_waited_at_has_a_step_without_a_jump_before_it() -> None:
    # SIPp evaluates ``next`` of the step before the one that a message was put off for.
    scenario = Scenario("two places", ())
    scenario.send("INFO sip:a SIP/2.0")
    scenario.mark("first")
    scenario.receive(request="INFO")
    scenario.go("first")
    scenario.mark("second")
    scenario.end()
    root = etree.fromstring(scenario.text().encode())
    for label in root.iter("label"):
        before = label.getprevious()
        assert before is not None
        if label.get("id") in ("first", "second", "_unexp.main"):
            assert (before.tag, before.get("test"), before.get("next")) == ("nop", "stuck", "stuck")
    assert [one.get("next") for one in root.iter("send")] == ["first"]
