"""Which answers belong to which request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.hops import find_copies
from analyzer.meaning import analyse
from analyzer.transactions import freeze, match
from tests.analyzer.stories import Story

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.model import Transaction

UDP = "SIP/2.0/UDP 10.0.0.1:50000"


def _transactions(story: Story) -> Sequence[Transaction]:
    return analyse(story.trace()).transactions


def test_a_request_has_its_provisional_and_its_first_final_answer() -> None:
    story = Story()
    wire = story.connect()
    invite = wire.asks("INVITE", "ann", "ocschat", call="c")
    trying = wire.answered(invite, 100, "Trying")
    story.wait(19)
    ok = wire.answered(invite, 200, to_tag="b")
    again = wire.answered(invite, 200, to_tag="b")
    ack = wire.asks("ACK", "ann", "ocschat", call="c", to_tag="b")
    first, second = _transactions(story)
    assert (first.request, first.provisional, first.final) == (invite.row, (trying,), ok)
    assert first.repeated_finals == (again,)
    assert (first.method, first.status, first.latency_ms) == ("INVITE", 200, 21.0)
    assert (second.request, second.expects_answer, second.status) == (ack.row, False, None)


def test_the_ack_of_a_refusal_belongs_to_the_invite() -> None:
    story = Story()
    wire = story.connect()
    invite = wire.asks("INVITE", "ann", "ocschat", call="c")
    wire.answered(invite, 404, "Not Found", to_tag="b")
    ack = wire.asks("ACK", "ann", "ocschat", call="c", to_tag="b")
    (only,) = _transactions(story)
    assert only.acks == (ack.row,)


def test_the_same_request_before_an_answer_is_a_retransmission() -> None:
    story = Story()
    wire = story.connect(transport="udp")
    first = wire.asks("OPTIONS", "ann", "bob", call="c", via=[f"{UDP};branch=z9hG4bK1"])
    second = wire.asks("OPTIONS", "ann", "bob", call="c", via=[f"{UDP};branch=z9hG4bK1"])
    ok = wire.answered(first, 200)
    late = wire.asks("OPTIONS", "ann", "bob", call="c", via=[f"{UDP};branch=z9hG4bK1"])
    again = wire.answered(first, 200)
    (only,) = _transactions(story)
    assert only.retransmissions == (second.row, late.row)
    assert (only.final, only.repeated_finals) == (ok, (again,))


def test_the_same_request_after_a_challenge_is_a_new_transaction() -> None:
    story = Story()
    wire = story.connect()
    first = wire.asks("INFO", "ann", "svc", call="c", cseq=5, to_tag="b")
    wire.answered(first, 401, "Unauthorized")
    second = wire.asks("INFO", "ann", "svc", call="c", cseq=5, to_tag="b")
    wire.answered(second, 200)
    assert [one.status for one in _transactions(story)] == [401, 200]


def test_an_answer_after_a_challenge_answers_a_request_that_was_not_captured() -> None:
    story = Story()
    wire = story.connect()
    first = wire.asks("INFO", "ann", "svc", call="c", to_tag="b")
    wire.answered(first, 407, "Proxy Authentication Required")
    ok = wire.answered(first, 200)
    first_one, second_one = _transactions(story)
    assert first_one.status == 407
    assert (second_one.request, second_one.final, second_one.latency_ms) == (None, ok, None)


def test_answers_without_a_request_are_one_transaction() -> None:
    story = Story()
    wire = story.connect(syn_seen=False)
    invite = wire.asks("INVITE", "ann", "ocschat", call="c")
    late = Story()
    other = late.connect(syn_seen=False)
    ringing = other.answered(invite, 180, "Ringing", to_tag="b")
    ok = other.answered(invite, 200, to_tag="b")
    (only,) = _transactions(late)
    assert (only.request, only.provisional, only.final) == (None, (ringing,), ok)


def test_an_answer_that_stands_before_its_request_is_still_its_answer() -> None:
    story = Story()
    wire = story.connect()
    told = Story().connect().asks("INFO", "ann", "svc", call="c", to_tag="b")
    early = wire.answered(told, 200)
    request = wire.asks("INFO", "ann", "svc", call="c", to_tag="b")
    (only,) = _transactions(story)
    assert (only.request, only.final) == (request.row, early)


def test_branches_tell_forked_requests_apart() -> None:
    story = Story()
    wire = story.connect()
    one = wire.asks("INVITE", "ann", "ocschat", call="c", via=[f"{UDP};branch=z9hG4bK1"])
    two = wire.asks("INVITE", "ann", "ocschat", call="c", via=[f"{UDP};branch=z9hG4bK2"])
    wire.answered(one, 487, "Request Terminated", to_tag="x")
    wire.answered(two, 200, to_tag="y")
    assert [(t.request, t.status) for t in _transactions(story)] == [(one.row, 487), (two.row, 200)]


def test_a_branch_is_not_needed_and_not_trusted_alone() -> None:
    story = Story()
    wire = story.connect()
    asked = wire.asks("INFO", "ann", "svc", call="c", to_tag="b", via=[f"{UDP};branch=z9hG4bK1"])
    ok = wire.answered(asked, 200, vias=[f"{UDP};branch=z9hG4bKother"])
    (only,) = _transactions(story)
    assert only.final == ok


def test_an_answer_on_another_connection_is_found_when_the_hosts_are_swapped() -> None:
    story = Story()
    wire = story.connect("10.0.0.1:50000", transport="udp")
    reply_port = story.connect("10.0.0.1:5060", transport="udp")
    elsewhere = story.connect("10.0.0.7:5060", transport="udp")
    asked = wire.asks("OPTIONS", "ann", "bob", call="c")
    stray = elsewhere.answered(asked, 200)
    ok = reply_port.answered(asked, 200)
    first, second = _transactions(story)
    assert (first.request, first.final) == (asked.row, ok)
    assert (second.request, second.final) == (None, stray)


def test_users_that_share_every_identifier_keep_their_answers_on_a_shared_connection() -> None:
    story = Story()
    wire = story.connect()
    ann = wire.asks("INVITE", "ann", "ocschat", call="c", via=[UDP])
    bob = wire.asks("INVITE", "bob", "ocschat", call="c", via=[UDP])
    for_bob = wire.answered(bob, 200, to_tag="x")
    for_ann = wire.answered(ann, 200, to_tag="y")
    assert [one.final for one in _transactions(story)] == [for_ann, for_bob]


def test_a_message_without_call_id_takes_no_part() -> None:
    story = Story()
    wire = story.connect()
    said = wire.asks("INFO", "ann", "svc", call="c", to_tag="b")
    story.say(wire, "SIP/2.0 200 OK", [UDP], {"From": said.headers["From"]}, "", up=False)
    analysis = analyse(story.trace())
    assert [one.status for one in analysis.transactions] == [None]
    assert analysis.transaction_of == {said.row: 0}


def test_a_thousand_repetitions_take_no_more_than_linear_work() -> None:
    story = Story()
    wire = story.connect()
    said = [
        wire.asks("INFO", "ann", "svc", call="c", to_tag="b", via=[f"{UDP};branch={number}"])
        for number in range(1000)
    ]
    wire.answered(said[-1], 200)
    trace = story.trace()
    matcher = match(trace.rows, trace.streams)
    made = freeze(matcher, find_copies(trace.rows, matcher))
    assert len(made) == 1000
    assert made[-1].status == 200
