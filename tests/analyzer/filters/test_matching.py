"""Which messages a filter lets through."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.filters.lexing import FilterError
from analyzer.filters.parse import parse_filter
from analyzer.query import Query, Selection, parse_status, user_test, wildcard_pattern
from analyzer.times import parse_typed_time
from analyzer.zones import parse_zone
from tests.analyzer.captures import capture, message
from tests.analyzer.filters.looking import Looking
from tests.paths import SAMPLES, require_shared

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("twousers-post.pcap", "fault-503.pcap", "r2-post-full.pcap", "batch-mixed.pcap")


@pytest.fixture(scope="module", params=NAMES)
def each(request: pytest.FixtureRequest) -> Looking:
    return Looking(SAMPLES / request.param)


@pytest.fixture(scope="module")
def hops() -> Looking:
    return Looking(SAMPLES / "r2-post-full.pcap")


@pytest.fixture(scope="module")
def refused() -> Looking:
    return Looking(SAMPLES / "fault-503.pcap")


def _some(looking: Looking) -> dict[str, list[str]]:
    """Return values that are in a capture, by word, and one that is not."""
    rows, values = looking.trace.rows, looking.trace.rows.strings.values
    rooms = [room for view in looking.scene.views for room in view.rooms]
    begins = [f"{values[rows.call_id[0]]}"[:6] + "*"]
    return {
        "user": [str(values[rows.from_uri[0]]), "*@*", "nobody"],
        "call-id": [str(values[rows.call_id[-1]]), *begins],
        "method": ["INFO", "register", "NONE"],
        "status": ["200", "4xx", ">=300"],
        "command": ["join", "cmd:getpref", "rpl", "grpchat"],
        "room": ["ma-chan", *(room.name or room.uri for room in rooms), "no such room"],
    }


def test_words_of_the_command_line_mean_the_same_as_there(each: Looking) -> None:
    fields = {
        "user": "users", "call-id": "call_ids", "method": "methods", "status": "statuses",
        "command": "commands", "room": "rooms",
    }  # fmt: skip
    for word, texts in _some(each).items():
        for text in texts:
            value: Any = parse_status(text) if word == "status" else text
            asked: dict[str, Any] = {fields[word]: (value,)}
            wanted = Selection(each.trace, Query(**asked)).messages()
            assert each.rows(f'{word}:"{text}"') == [*wanted], (word, text)


def test_times_mean_the_same_as_on_the_command_line(each: Looking) -> None:
    first = parse_typed_time("12:18:21")
    wanted = Selection(each.trace, Query(from_time=first)).messages()
    assert each.rows("after:12:18:21") == [*wanted]
    wanted = Selection(each.trace, Query(to_time=first)).messages()
    assert each.rows("before:12:18:21") == [*wanted]


def test_a_negated_term_lets_through_the_rest(each: Looking) -> None:
    everything = range(len(each.trace.rows))
    for text in ("method:INFO", "status:200", "room:ma-chan", "is:error", "is:copy", '"INFO"',
                 "session:1", "direction:out", "frame:1-50", "has:xccos", "host:5060"):  # fmt: skip
        let, rest = each.rows(text), each.rows(f"-{text}")
        assert sorted([*let, *rest]) == [*everything], text
        assert let == sorted(let)


def test_values_of_one_word_are_any_and_words_are_all(each: Looking) -> None:
    either = sorted({*each.rows("method:INFO"), *each.rows("method:REGISTER")})
    assert each.rows("method:INFO,REGISTER") == either == each.rows("method:INFO method:REGISTER")
    both = sorted({*each.rows("method:INFO")} & {*each.rows("status:200")})
    assert each.rows("method:INFO status:200") == both
    assert both
    assert each.rows("-method:INFO -method:REGISTER") == [
        row for row in range(len(each.trace.rows)) if row not in either
    ]


def test_from_and_to_are_the_two_headers(hops: Looking) -> None:
    assert {*hops.rows("from:hiro")} | {*hops.rows("to:hiro")} == {*hops.rows("user:hiro")}
    rows = hops.trace.rows
    sender = rows.strings.values[rows.from_uri[hops.rows("from:hiro")[0]]]
    assert sender is not None
    assert "hiro" in sender


def test_direction_is_that_of_the_client_of_the_session(hops: Looking) -> None:
    out, into = hops.rows("direction:out"), hops.rows("direction:in")
    assert out[0] == 0  # the first REGISTER
    assert into[0] == 1  # its 401
    assert not {*out} & {*into}
    # A hop copy goes the way of its message.
    assert {*hops.rows("is:post")} <= {*out}


def test_a_session_has_its_messages_with_their_hop_copies(hops: Looking) -> None:
    first, second = hops.rows("session:1"), hops.rows("session:2")
    assert not {*first} & {*second}
    assert {*hops.rows("session:1 is:copy")} < {*first}
    assert hops.rows("session:1,2") == sorted([*first, *second])


def test_frames_are_those_that_brought_a_part_of_a_message(each: Looking) -> None:
    frames = each.trace.rows.frames
    assert each.rows("frame:20-40") == [
        row for row in range(len(each.trace.rows)) if any(20 <= one <= 40 for one in frames(row))
    ]
    assert each.rows("frame>=40") == each.rows("frame:40-")
    assert each.rows("frame<40") == each.rows("frame:0-39")


def test_an_address_is_a_host_a_port_or_both(hops: Looking) -> None:
    streams, rows = hops.trace.streams, hops.trace.rows
    src = streams[rows.stream[0]].src
    host, _, port = src.rpartition(":")
    mine = [row for row, number in enumerate(rows.stream) if streams[number].src == src]
    assert hops.rows(f"src:{src}") == mine
    assert {*mine} <= {*hops.rows(f"src:{host}")}
    assert {*mine} <= {*hops.rows(f"src:{host[:-1]}*")}
    assert {*mine} <= {*hops.rows(f"src:{port}")}
    assert {*hops.rows(f"host:{host}")} == {*hops.rows(f"src:{host}"), *hops.rows(f"dst:{host}")}
    assert hops.rows(f"src:{host[:-1]}") == []


def test_an_error_is_a_refusal_but_not_a_challenge_that_was_met(
    refused: Looking, hops: Looking
) -> None:
    assert refused.rows("status:503")
    assert {*refused.rows("status:503")} <= {*refused.rows("is:error")}
    assert hops.rows("status:401")
    assert hops.rows("status:401 is:error") == []


def test_a_challenge_that_nobody_met_is_an_error(tmp_path: Path) -> None:
    asked = message("REGISTER sip:example.com SIP/2.0", CSeq="1 REGISTER")
    answer = message("SIP/2.0 401 Unauthorized", CSeq="1 REGISTER")
    again = message("REGISTER sip:example.com SIP/2.0", CSeq="2 REGISTER")
    alone = Looking(capture(tmp_path / "alone.pcap", asked, answer))
    met = Looking(capture(tmp_path / "met.pcap", asked, answer, again))
    assert alone.rows("is:error") == [1]
    assert met.rows("is:error") == []


def test_a_reply_that_refuses_one_of_several_rooms_is_an_error() -> None:
    partial = Looking(require_shared() / "flows" / "partial-join.pcap")
    rows = partial.rows("is:error")
    assert rows
    assert {*rows} <= {*partial.rows("rpl:join rpl:bjoin")}


def test_posts_are_what_authors_sent_with_their_hop_copies(hops: Looking) -> None:
    posts = hops.rows("is:post")
    assert posts
    assert {*posts} < {*hops.rows("command:grpchat")}
    assert [row for row in posts if row in hops.rows("is:copy")]


def test_what_the_capture_shows_to_be_unanswered_is_let_through() -> None:
    lost = Looking(SAMPLES / "fault-no-reply.pcap")
    rows = lost.rows("is:unanswered")
    assert rows
    assert {*rows} <= {*lost.rows("kind:request")}


def test_the_same_request_again_is_a_retransmission(tmp_path: Path) -> None:
    asked = message()
    twice = Looking(capture(tmp_path / "twice.pcap", asked, asked))
    assert twice.rows("is:retransmission") == [1]


def test_what_waited_for_long_is_slow_with_its_answer(tmp_path: Path) -> None:
    asked, answer = message(), message("SIP/2.0 200 OK")
    slow = Looking(capture(tmp_path / "slow.pcap", asked, answer, step_ns=4_000_000_000))
    quick = Looking(capture(tmp_path / "quick.pcap", asked, answer, step_ns=2_000_000_000))
    assert slow.rows("is:slow") == [0, 1]
    assert quick.rows("is:slow") == []


def test_a_finding_brings_its_dialogs_and_evidence_its_messages(refused: Looking) -> None:
    rules = {one.rule for one in refused.diagnosed}
    assert rules
    for rule in rules:
        evidence, dialogs = refused.rows(f"evidence:{rule}"), refused.rows(f"finding:{rule}")
        assert {*evidence} <= {*dialogs}
    first = refused.diagnosed[0]
    assert {*refused.frames("evidence:1")} == {
        frame for frame in first.frames if frame in refused.trace.rows.frame
    }


@pytest.mark.parametrize(
    ("text", "marked", "said"),
    [
        ("user:a session:1,99", "99", "there is no session 99"),
        ("dialog:nothing", "nothing", "there is no dialog"),
        ("evidence:GC999x", "GC999x", "unknown rule"),
        ("finding:99", "99", "there is no finding 99"),
    ],
)
def test_what_is_not_there_is_told_with_its_place(
    hops: Looking, text: str, marked: str, said: str
) -> None:
    with pytest.raises(FilterError, match=said) as caught:
        hops.rows(text)
    assert text[caught.value.at : caught.value.at + caught.value.length] == marked


def test_a_value_of_many_wildcards_takes_no_longer_than_others() -> None:
    test = user_test(("*a" * 40 + "*b",))
    assert not test("sip:" + "a" * 5_000)
    assert test("sip:" + "a" * 5_000 + "b")


@given(st.text("ab*", max_size=8), st.text("ab", max_size=10))
def test_a_wildcard_stands_for_any_characters(pattern: str, text: str) -> None:
    found = wildcard_pattern(pattern).fullmatch(text) is not None
    assert found == fnmatchcase(text, pattern)


def test_joined_inputs_and_text_traces_are_searched_too() -> None:
    server = Looking(SAMPLES / "fault-no-reply-server.txt")
    assert len(server.rows("is:unanswered")) == 1
    assert server.rows('"SIP/2.0" direction:out')
    assert server.rows('text:"urn:parlano:xml:ns:xccos"') == server.rows("has:xccos")


def test_times_without_a_zone_are_in_the_zone_that_is_shown(hops: Looking) -> None:
    berlin = parse_zone("Europe/Berlin")  # two hours ahead in June
    wanted = parse_filter("after:14:18:22")
    assert [*wanted.rows(hops, berlin)] == hops.rows("after:12:18:22")
    fixed = parse_filter("after:2010-06-13T12:18:22Z")
    assert [*fixed.rows(hops, berlin)] == hops.rows("after:12:18:22")
    assert 0 < len(hops.rows("after:12:18:22")) < len(hops.trace.rows)


_terms = st.sampled_from(
    ["method:INFO", "-status:200", "is:copy", "room:a", "direction:in", "has:note", "kind:request",
     "after:12:18:21", "host:5060", '"xccos"', "-bye", "command:rpl", "frame:10-200"]
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(_terms, min_size=1, max_size=5, unique=True))
def test_terms_in_any_order_let_through_what_each_does(terms: list[str]) -> None:
    looking = _known()
    wanted = set(range(len(looking.trace.rows)))
    for term in terms:
        wanted &= {*looking.rows(term)}
    assert looking.rows(" ".join(terms)) == sorted(wanted)


_KNOWN: list[Looking] = []


def _known() -> Looking:
    if not _KNOWN:
        _KNOWN.append(Looking(SAMPLES / "r2-post-full.pcap"))
    return _KNOWN[0]
