"""Templates: texts with named slots."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay.template import (
    Template,
    escape,
    fill,
    pattern_of,
    read_slots,
    slots_of,
)

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,5}(\.[a-z]{1,4})?", fullmatch=True)


def test_slots_are_named_in_order_each_time_they_occur() -> None:
    text = "<sip:${client1.user}>;tag=${t1.tag};epid=${client1.user}"
    assert slots_of(text) == ("client1.user", "t1.tag", "client1.user")


def test_a_dollar_and_a_brace_that_are_no_reference_mean_themselves() -> None:
    assert slots_of("$ {x} ${} ${1x} $${user}") == ()
    assert fill("$${user} costs $5", lambda _: "?") == "${user} costs $5"


@given(st.text(max_size=40))
def test_an_escaped_text_fills_to_itself(text: str) -> None:
    assert fill(escape(text), lambda _: "filled") == text


@given(st.lists(st.tuples(NAMES, st.from_regex(r"[A-Za-z0-9]{1,8}", fullmatch=True)), max_size=4))
def test_what_was_filled_in_is_read_back(slots: list[tuple[str, str]]) -> None:
    values = dict(slots)
    text = "".join(f"<${{{name}}}>" for name in values)
    assert read_slots(text, fill(text, values.__getitem__)) == values


def test_a_slot_that_occurs_twice_stands_for_one_value() -> None:
    assert read_slots("${a}-${a}", "x-x") == {"a": "x"}
    assert read_slots("${a}-${a}", "x-y") is None


def test_a_text_that_differs_beside_the_slots_says_nothing() -> None:
    assert read_slots("sip:${user};transport=tcp", "sip:ann@a.example;transport=tls") is None


def test_a_pattern_takes_literal_characters_literally() -> None:
    assert pattern_of("a.b(${x})*").fullmatch("a.b(1)*")
    assert not pattern_of("a.b(${x})*").fullmatch("aXb(1)*")


@pytest.mark.parametrize(
    ("start", "status", "method"),
    [
        ("INFO sip:a@b SIP/2.0", None, "INFO"),
        ("SIP/2.0 503 Service Unavailable", 503, "INFO"),
        ("SIP/2.0 xyz", None, "SIP/2.0"),
    ],
)
def test_status_and_method_are_read_from_the_start_line(
    start: str, status: int | None, method: str
) -> None:
    message = Template(start, (("CSeq", "${t1.cseq} INFO"),))
    assert (message.status, message.method) == (status, method)


def test_headers_are_found_in_any_case() -> None:
    message = Template("OPTIONS sip:a SIP/2.0", (("CALL-ID", "1"),))
    assert message.header("Call-ID") == "1"
    assert message.header("To") is None
