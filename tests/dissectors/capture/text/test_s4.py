"""S4 traces of UCMA applications, whose layout is known from recollection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.capture.text.s4 import S4Reader
from dissectors.capture.text.values import Annotation
from tests.dissectors.capture.text.test_uccapi import BODY, malformed, messages, seen, sip
from tests.support.text_logs import Seen, encoded, read_trace, records, written

if TYPE_CHECKING:
    from dissectors.capture.text.values import Record
    from dissectors.model import Malformed

PREFIX = "TL_INFO(TF_PROTOCOL) [0]0B40.1438::09/26/2012-09:51:54.562.000000b6 "
PLACE = "(S4,SipMessage.DataLoggingHelper:sipmessage.cs(686))[2733563912]"
LOCAL, PEER = "10.0.0.1:5061", "10.0.0.2:51000"
BEGIN = (
    ">>>>>>>>>>>>Outgoing SipMessage c=[<SipTlsConnection_2C6A2F0>], 10.0.0.1:5061->10.0.0.2:51000"
)
END = "------------EndOfOutgoing SipMessage"
OTHER = PREFIX.replace("1438", "1A00") + "(S4,SipTransaction.Do:siptransaction.cs(1))[1] state"
TIME_NS = 1_348_653_114_562_000_000


def read(*lines: str) -> list[Record | Malformed]:
    return records(S4Reader(), lines)


def text(raw: bytes) -> list[str]:
    return raw.decode().split("\r\n")


def test_an_outgoing_message_has_both_ends_and_its_connection() -> None:
    (message,) = messages(read(PREFIX + PLACE, BEGIN, *text(sip(1)), END))
    assert (message.outgoing, message.local, message.peer) == (True, LOCAL, PEER)
    assert (message.time_ns, message.digits, message.utc) == (TIME_NS, 3, False)
    assert (message.data, message.line, message.transport) == (sip(1), 1, "tls")
    assert message.connection == "SipTlsConnection_2C6A2F0"


def test_the_local_side_stands_first_in_an_incoming_one_too() -> None:
    ends = "[2001:db8::1]:5060<-[2001:db8::2]:51000"
    begin = f"<<<<<<<<<<<<Incoming SipMessage c=[<SipTcpConnection_1>], {ends}"
    (message,) = messages(
        read(PREFIX + PLACE, begin, *text(sip(1)), END.replace("Outgoing", "Incoming"))
    )
    assert not message.outgoing
    assert (message.local, message.peer) == ("[2001:db8::1]:5060", "[2001:db8::2]:51000")


@pytest.mark.parametrize(
    "lines",
    [
        [PREFIX + PLACE + " " + BEGIN],
        [PREFIX + PLACE, "", "  " + BEGIN],
        [PREFIX.replace("[0]", r"[pool01\chat01]") + PLACE, BEGIN.replace(", ", " ")],
    ],
)
def test_the_mark_is_found_wherever_it_stands(lines: list[str]) -> None:
    (message,) = messages(read(*lines, *text(sip(1)), END))
    assert (message.data, message.time_ns, message.peer) == (sip(1), TIME_NS, "10.0.0.2:51000")


def test_words_of_a_message_are_no_marks() -> None:
    raw = sip(1, f"look: {BEGIN}\nand {END}")
    assert [one.data for one in messages(read(PREFIX + PLACE, BEGIN, *text(raw), END))] == [raw]


def test_a_hidden_body_is_said_to_be() -> None:
    head, _, body = sip(1).partition(b"\r\n\r\n")
    (message,) = messages(
        read(PREFIX + PLACE, BEGIN, *text(head), "", "****MESSAGE BODY DELETED****", END)
    )
    assert (message.masked, message.missing) == (True, len(body))
    assert message.data == head + b"\r\n\r\n"


def test_a_line_of_another_thread_does_not_end_a_message() -> None:
    lines = text(sip(1))
    assert [
        one.data
        for one in messages(read(PREFIX + PLACE, BEGIN, *lines[:3], OTHER, *lines[3:], END))
    ] == [sip(1)]


def test_the_next_line_of_the_thread_ends_a_message_without_end() -> None:
    found = read(PREFIX + PLACE, BEGIN, *text(sip(1)[:-9]), PREFIX + PLACE, BEGIN, *text(sip(2)))
    assert [(one.data, one.missing) for one in messages(found)] == [(sip(1)[:-9], 9), (sip(2), 0)]
    assert malformed(found) == ["an outgoing message is not in the trace to its end"]


def test_a_trace_that_begins_inside_a_message_says_so() -> None:
    found = read(*text(sip(1))[2:], END, PREFIX + PLACE, BEGIN, *text(sip(2)), END)
    assert [one.data for one in messages(found)] == [sip(2)]
    assert malformed(found) == ["the beginning of an outgoing message is not in the trace"]


def test_errors_are_kept_with_result_and_call() -> None:
    error = PREFIX.replace("TL_INFO(TF_PROTOCOL)", "TL_ERROR(TF_COMPONENT)") + PLACE
    (remark,) = read(f"{error} failed 0x80131500 Call-ID: one")
    assert isinstance(remark, Annotation)
    assert (remark.severity, remark.code, remark.call_id) == ("error", "0x80131500", "one")


def test_the_layout_is_called_experimental() -> None:
    assert S4Reader.experimental


def trace(count: int) -> tuple[list[Seen], list[str], list[range]]:
    """Return messages, their trace, and the lines of each."""
    bodies = [BODY, "", "a\nb\n", "Hi\n\nthere"]
    wanted = [seen(n, sip(n, bodies[n % 4]), outgoing=n % 2 == 0) for n in range(count)]
    lines = written(wanted, "s4", 1)
    begins = [n for n, line in enumerate(lines) if "DataLoggingHelper" in line]
    ends = [n for n, line in enumerate(lines) if line.startswith("------------EndOf")]
    return wanted, lines, [range(a, b + 1) for a, b in zip(begins, ends, strict=True)]


@given(st.lists(st.integers(0, 400), max_size=30), st.sampled_from(["utf-8", "utf-16"]))
def test_any_segmentation_gives_the_same(sizes: list[int], encoding: str) -> None:
    wanted, lines, _ = trace(4)
    found = read_trace(encoded(lines, encoding, "\n"), S4Reader, sizes)
    assert [one.data for one in messages(found)] == [one.raw for one in wanted]


@given(st.integers(0, 200), st.integers(0, 200))
def test_of_half_a_trace_what_is_whole_is_read_and_each_cut_is_one_line(a: int, b: int) -> None:
    wanted, lines, places = trace(6)
    begin, end = sorted((a % (len(lines) + 1), b % (len(lines) + 1)))
    found = read(*lines[begin:end])
    whole = [
        one.raw
        for one, place in zip(wanted, places, strict=True)
        if begin <= place.start and place.stop <= end
    ]
    assert [raw for raw in (one.data for one in messages(found)) if raw in whole] == whole
    assert len(malformed(found)) <= 2


@given(
    st.integers(0, 500),
    st.one_of(st.text(max_size=80), st.sampled_from([PREFIX, BEGIN, END])),
    st.integers(0, 80),
)
def test_a_damaged_line_spoils_no_other_message(row: int, damage: str, place: int) -> None:
    wanted, lines, places = trace(6)
    row %= len(lines)
    lines[row] = lines[row][:place] + damage
    found = [one.data for one in messages(read(*lines))]
    others = [one.raw for one, where in zip(wanted, places, strict=True) if row not in where]
    assert [raw for raw in found if raw in others] == others
