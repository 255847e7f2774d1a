"""Plays with faults: what each rule does to what is said and heard, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay.actions import Address, Close, Open, Send, Stall
from analyzer.replay.faults import Faulty, parse_rule
from analyzer.replay.faults import pending as pending_module
from analyzer.replay.heard import Heard, hear
from analyzer.replay.inbound import Inbound
from analyzer.replay.results import Outcome
from dissectors.xccos.writer import SUCCESS, command, envelope, reply_item, write_document
from tests.support.sip_texts import message, response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.replay.actions import Action, Ended
    from dissectors.xccos.messages import XccosDocument

US, PEER = Address("127.0.0.1", 5060), Address("127.0.0.1", 40_000)
PING = b"\r\n\r\n"


def xccos(number: int, document: XccosDocument) -> bytes:
    return message(number, write_document(document), extra="Content-Type: text/plain")


JOIN = xccos(1, command("join", "1", "10"))
PART = xccos(2, command("part", "1", "11"))
REPLY = message(3, write_document(envelope("900", reply_item("join", "1", None)), "server"))
NAMED = (
    b'<xccos xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ver="1" envid="900" '
    b'xmlns="urn:parlano:xml:ns:xccos"><rpl id="rpl:join" seqid="1">'
    b'<commandid seqid="1" envid="10"/><resp code="200">SUCCESS_OK</resp><data/></rpl></xccos>'
)
ANSWERING = message(4, NAMED, extra="X-Odd :  kept  as it is")
OK = response(1)
INVITE = message(5, method="INVITE").replace(b";tag=b", b"")
ACK = message(5, method="ACK")


class Fake:
    """A play that says what it is told to say, and remembers what it heard."""

    def __init__(self, says: Mapping[bytes, Sequence[Action]] | None = None) -> None:
        self.says = dict(says or {})
        """By what it hears."""
        self.heard = b""
        self.events: list[tuple[float, str]] = []
        self.finished = False
        self.due: float | None = None
        self.spoken: list[Action] = []
        self.inbound = Inbound()

    def say(self, *actions: Action) -> None:
        self.spoken += actions

    def _all(self) -> list[Action]:
        said, self.spoken = self.spoken, []
        return said

    def start(self, now: float) -> list[Action]:  # noqa: ARG002
        return self._all()

    def opened(
        self,
        connection: int,  # noqa: ARG002
        local: Address,  # noqa: ARG002
        remote: Address,  # noqa: ARG002
        *,
        secure: bool,  # noqa: ARG002
        now: float,
    ) -> list[Action]:
        self.events.append((now, "opened"))
        return self._all()

    def receive(self, connection: int, data: bytes, now: float) -> list[Action]:  # noqa: ARG002
        self.heard += data
        out: list[Action] = []
        for one in self.inbound.feed(data):
            if isinstance(one, bytes):
                self.events.append((now, one.split(b" ", 1)[0].decode("latin-1")))
                out += self.says.get(one, ())
        return out

    def ended(self, connection: int, how: Ended, now: float) -> list[Action]:
        self.events.append((now, how))
        return [Close(connection)]

    def wake(self, now: float) -> list[Action]:  # noqa: ARG002
        return self._all()

    def abort(self, now: float, reason: str) -> list[Action]:  # noqa: ARG002
        return [Send(1, message(99, method="BYE")), Close(1)]

    def outcome(self) -> Outcome:
        return Outcome(notes=("its own",))


def faulty(
    *rules: str, says: Mapping[bytes, Sequence[Action]] | None = None
) -> tuple[Faulty, Fake]:
    fake = Fake(says)
    play = Faulty(fake, [parse_rule(rule) for rule in rules], seed=1)
    play.start(0.0)
    play.opened(1, US, PEER, secure=False, now=0.0)
    return play, fake


def say(play: Faulty, fake: Fake, *data: bytes, now: float = 1.0) -> list[Action]:
    """Let the wrapped play say messages; return what comes out."""
    fake.say(*(Send(1, one, f"t{number}") for number, one in enumerate(data, 1)))
    return play.wake(now)


def written(actions: Sequence[Action]) -> list[bytes]:
    return [action.data for action in actions if isinstance(action, Send)]


def read(raw: bytes) -> Heard:
    heard = hear(raw)
    assert isinstance(heard, Heard)
    return heard


def notes(play: Faulty) -> list[str]:
    return list(play.outcome().notes[1:])


# Loss, delay, repetition, order.


def test_a_message_that_is_dropped_is_not_written_and_the_others_are() -> None:
    play, fake = faulty("drop rpl=join")
    assert written(say(play, fake, OK, REPLY, ACK)) == [OK, ACK]
    assert notes(play) == [
        "fault 'drop rpl=join': dropped: INFO rpl:join from u1@contoso.com at 1.000 s"
    ]


def test_a_command_is_hit_where_it_passes_so_that_a_server_does_not_hear_it() -> None:
    play, fake = faulty("drop cmd=join")
    play.receive(1, JOIN + PART, 1.0)
    assert fake.heard == PART


def test_a_rule_that_hit_nothing_says_so() -> None:
    play, fake = faulty("drop rpl=getpref", "drop ntc=*")
    say(play, fake, JOIN)
    assert notes(play) == ["fault 'drop rpl=getpref' hit nothing", "fault 'drop ntc=*' hit nothing"]


def test_a_rule_that_hit_nothing_says_what_it_could_have_meant() -> None:
    play, fake = faulty("drop method=BYE", "drop method=INFO nth=9", "drop heard rpl=join")
    play.receive(1, message(7, method="BYE"), 1.0)
    say(play, fake, REPLY)
    assert notes(play) == [
        "fault 'drop method=BYE' hit nothing (1 such message passed the other way, which the word "
        "'heard' means)",
        "fault 'drop method=INFO nth=9' hit nothing (1 such message passed, but none that its "
        "number or chance meant)",
        "fault 'drop heard rpl=join' hit nothing (1 such message passed the other way, which the "
        "word 'said' means)",
    ]


def test_a_message_that_is_late_is_overtaken_and_the_play_is_not_over_before() -> None:
    play, fake = faulty("delay by=3s rpl=join")
    assert written(say(play, fake, REPLY, OK, now=1.0)) == [OK]
    fake.finished = True
    assert not play.finished
    assert play.due == 4.0
    assert play.wake(3.9) == []
    assert play.wake(4.0) == [Send(1, REPLY, "t1")]
    assert play.finished
    assert play.due is None


def test_the_play_is_woken_at_its_own_time_too() -> None:
    play, fake = faulty("delay by=3s rpl=join")
    say(play, fake, REPLY, now=1.0)
    fake.due = 2.0
    assert play.due == 2.0


def test_what_is_late_passes_when_something_else_happens_after_its_time() -> None:
    play, fake = faulty("delay by=1s rpl=join")
    say(play, fake, REPLY, now=1.0)
    fake.says[OK] = [Send(1, ACK)]
    assert written(play.receive(1, OK, 2.5)) == [REPLY, ACK]


def test_what_is_heard_late_is_answered_late() -> None:
    play, fake = faulty("delay by=3s cmd=join", says={JOIN: [Send(1, OK)]})
    assert play.receive(1, JOIN, 1.0) == []
    assert fake.events[1:] == []
    assert play.wake(4.0) == [Send(1, OK)]
    assert fake.events[1:] == [(4.0, "INFO")]


def test_a_connection_closes_behind_what_is_still_to_be_written() -> None:
    play, fake = faulty("delay by=3s rpl=join")
    fake.say(Send(1, REPLY), Close(1))
    assert play.wake(1.0) == []
    assert play.wake(4.0) == [Send(1, REPLY), Close(1)]


def test_the_end_of_the_peer_is_told_behind_what_it_said() -> None:
    play, fake = faulty("delay by=3s cmd=join heard")
    play.receive(1, JOIN, 1.0)
    assert play.ended(1, "fin", 1.5) == []
    assert play.wake(4.0) == [Close(1)]
    assert fake.events[1:] == [(4.0, "INFO"), (4.0, "fin")]


def test_a_peer_that_breaks_the_connection_takes_what_was_late_with_it() -> None:
    play, fake = faulty("delay by=3s rpl=join")
    say(play, fake, REPLY)
    assert play.ended(1, "rst", 1.5) == [Close(1)]
    assert play.wake(9.0) == []
    assert notes(play)[-1] == "messages held back at connection 1 ended with it"


def test_a_message_comes_again() -> None:
    play, fake = faulty("duplicate times=2 by=1s rpl=join")
    assert say(play, fake, REPLY) == [Send(1, REPLY, "t1")]
    assert written(play.wake(2.0)) == [REPLY]
    assert written(play.wake(3.0)) == [REPLY]
    assert play.due is None


def test_copies_without_a_delay_follow_at_once() -> None:
    play, fake = faulty("duplicate rpl=join")
    assert say(play, fake, REPLY, OK) == [Send(1, REPLY, "t1"), Send(1, REPLY), Send(1, OK, "t2")]


def test_a_message_changes_places_with_the_next_of_its_connection() -> None:
    play, fake = faulty("reorder rpl=join")
    fake.say(Send(1, REPLY, "t1"), Send(2, ACK, "t2"), Send(1, OK, "t3"))
    assert play.wake(1.0) == [Send(2, ACK, "t2"), Send(1, OK, "t3"), Send(1, REPLY, "t1")]
    assert play.due is None


def test_a_message_that_nothing_follows_is_not_held_back_for_ever() -> None:
    play, fake = faulty("reorder rpl=join within=2s")
    assert say(play, fake, REPLY) == []
    fake.finished = True
    assert not play.finished
    assert play.due == 3.0
    assert play.wake(3.0) == [Send(1, REPLY, "t1")]
    assert play.finished
    assert notes(play)[-1] == "no message followed the one held back at connection 1"


def test_a_message_held_back_is_written_before_its_connection_closes() -> None:
    play, fake = faulty("reorder rpl=join")
    fake.say(Send(1, REPLY), Close(1))
    assert play.wake(1.0) == [Send(1, REPLY), Close(1)]


def test_what_is_heard_changes_places_too() -> None:
    play, fake = faulty("reorder cmd=join heard")
    play.receive(1, JOIN + PART, 1.0)
    assert fake.heard == PART + JOIN


def test_two_messages_are_written_as_one() -> None:
    play, fake = faulty("merge rpl=join")
    assert say(play, fake, REPLY, OK, ACK) == [Send(1, REPLY + OK, "t1"), Send(1, ACK, "t3")]


# Pieces.


def test_a_message_is_written_in_pieces() -> None:
    play, fake = faulty("split pieces=3 rpl=join")
    out = say(play, fake, REPLY)
    assert [action.turn for action in out if isinstance(action, Send)] == [None, None, "t1"]
    assert b"".join(written(out)) == REPLY
    lengths = [len(piece) for piece in written(out)]
    assert max(lengths) - min(lengths) <= 1


def test_it_can_be_cut_between_head_and_body_and_at_any_byte() -> None:
    play, fake = faulty("split at=body rpl=join", "split at=1,30,99999 cmd=join")
    head, body = written(say(play, fake, REPLY))
    assert head.endswith(b"\r\n\r\n")
    assert body.startswith(b"<xccos")
    assert [len(piece) for piece in written(say(play, fake, JOIN))] == [1, 29, len(JOIN) - 30]


def test_nothing_comes_between_pieces_that_are_written_one_after_another() -> None:
    play, fake = faulty("split pieces=3 gap=1s rpl=join", "delay by=1500ms method=ACK")
    fake.say(Send(1, ACK), Send(1, REPLY, "t1"), Send(1, OK), Send(1, PING), Close(1))
    out = play.wake(1.0)
    while (due := play.due) is not None:
        out += play.wake(due)
    assert due is None
    sent = written(out)
    assert b"".join(sent[:3]) == REPLY
    assert sent[3:] == [OK, PING, ACK]
    assert out[-1] == Close(1)


# Connections.


@pytest.mark.parametrize(
    ("where", "before_the_end"),
    [("before", b""), ("inside", REPLY[: len(REPLY) // 2]), ("after", REPLY)],
)
def test_a_connection_is_cut_and_the_play_is_told(where: str, before_the_end: bytes) -> None:
    play, fake = faulty(f"cut how=rst {where} rpl=join")
    out = say(play, fake, OK, REPLY, ACK)
    assert b"".join(written(out)) == OK + before_the_end
    assert out[-1] == Close(1, "rst")
    assert fake.events[-1] == (1.0, "rst")
    # What the carrier still has of it, and what the play still says, comes to nothing.
    assert play.receive(1, JOIN, 1.1) == []
    assert play.ended(1, "fin", 1.1) == []
    assert say(play, fake, OK) == []
    assert fake.heard == b""


def test_a_connection_that_is_half_closed_still_hears() -> None:
    play, fake = faulty("cut how=half rpl=join", says={JOIN: [Send(1, OK)]})
    assert say(play, fake, REPLY) == [Send(1, REPLY, "t1"), Close(1, "half")]
    assert play.receive(1, JOIN, 2.0) == []
    assert fake.heard == JOIN
    assert play.ended(1, "fin", 3.0) == [Close(1)]


def test_a_command_can_end_the_connection_it_came_on() -> None:
    play, fake = faulty("cut after cmd=join", says={JOIN: [Send(1, OK)]})
    assert play.receive(1, JOIN + PART, 1.0) == [Send(1, OK), Close(1, "fin")]
    assert fake.heard == JOIN


def test_other_connections_are_left_alone_and_a_number_may_be_used_again() -> None:
    play, fake = faulty("cut rpl=join nth=1")
    say(play, fake, REPLY)
    assert written([*play.receive(2, JOIN, 1.0)]) == []
    assert fake.heard == JOIN
    play.opened(1, US, PEER, secure=False, now=2.0)
    assert say(play, fake, REPLY) == [Send(1, REPLY, "t1")]


def test_reading_stops_for_a_while() -> None:
    play, fake = faulty("stall for=5s rpl=join")
    assert say(play, fake, REPLY) == [Send(1, REPLY, "t1"), Stall(1, 5.0)]


# What messages say.


@pytest.mark.parametrize("part", ["any", "start", "header", "body"])
def test_bytes_are_flipped_where_the_rule_says(part: str) -> None:
    play, fake = faulty(f"corrupt part={part} bytes=3 rpl=join")
    (damaged,) = written(say(play, fake, REPLY))
    changed = [at for at in range(len(REPLY)) if damaged[at] != REPLY[at]]
    line, head = REPLY.index(b"\n") + 1, REPLY.index(b"\r\n\r\n") + 4
    first, end = {"start": (0, line), "header": (line, head), "body": (head, len(REPLY))}.get(
        part, (0, len(REPLY))
    )
    assert len(damaged) == len(REPLY)
    assert len(changed) == 3
    assert all(first <= at < end for at in changed)


def test_the_same_seed_does_the_same_and_another_one_does_not() -> None:
    def damaged(seed: int) -> list[bytes]:
        fake = Fake()
        play = Faulty(fake, [parse_rule("corrupt p=0.5 bytes=2")], seed)
        return written(say(play, fake, *[REPLY] * 20))

    assert damaged(7) == damaged(7)
    assert damaged(7) != damaged(8)
    assert 0 < sum(one != REPLY for one in damaged(7)) < 20


def test_a_further_rule_changes_nothing_of_what_others_do() -> None:
    def dropped(*rules: str) -> list[bytes]:
        play, fake = faulty("drop p=0.5", *rules)
        return written(say(play, fake, *(message(number) for number in range(40))))

    assert dropped() == dropped("corrupt p=0.5 cmd=join", "delay by=1s p=0.1 cmd=join")


def test_a_reply_names_a_command_that_nobody_sent() -> None:
    play, fake = faulty("wrong-commandid nth=1")
    (raw, second) = written(say(play, fake, ANSWERING, ANSWERING))
    (item,) = read(raw).items
    assert item.commandid is not None
    assert item.commandid.seqid == "1"
    assert item.commandid.envid not in (None, "10")
    assert item.resp == SUCCESS
    assert b"X-Odd :  kept  as it is" in raw
    assert Inbound().feed(raw) == [raw]
    assert second == ANSWERING


def test_the_wrong_command_can_be_chosen() -> None:
    play, fake = faulty("wrong-commandid envid=77")
    (raw,) = written(say(play, fake, ANSWERING))
    (item,) = read(raw).items
    assert item.commandid is not None
    assert item.commandid.envid == "77"


def test_a_body_grows_and_stays_what_it_was() -> None:
    play, fake = faulty("oversized body=2M")
    raw, bare = written(say(play, fake, ANSWERING, OK))
    heard = read(raw)
    assert len(heard.message.body) == 2 << 20
    assert heard.message.content_length == 2 << 20
    assert heard.document == read(ANSWERING).document
    assert bare == OK


@pytest.mark.parametrize("body", [b"v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\n", b"<xccos/>", b"<a><b></a>"])
def test_a_body_without_room_for_a_comment_grows_at_its_end(body: bytes) -> None:
    play, fake = faulty("oversized body=1k")
    (raw,) = written(say(play, fake, message(1, body)))
    assert read(raw).message.body.startswith(body)
    assert len(read(raw).message.body) == 1024


# Answers in place of the play.


def test_a_request_is_answered_busy_and_the_play_does_not_hear_it() -> None:
    play, fake = faulty("503 cmd=join nth=1 retry-after=2", says={JOIN: [Send(1, OK)]})
    (raw,) = written(play.receive(1, JOIN, 1.0))
    answer, request = read(raw).message, read(JOIN).message
    assert (answer.status, answer.reason) == (503, "Service Unavailable")
    for name in ("Via", "From", "To", "Call-ID", "CSeq"):
        assert answer.headers.all(name) == request.headers.all(name)
    assert answer.headers.first("Retry-After") == "2"
    assert answer.headers.first("ms-diagnostics") == (
        '20000;source="contoso.com";reason="Chat service busy";component="GroupChat"'
    )
    assert answer.content_length == 0
    assert fake.heard == b""
    assert written(play.receive(1, JOIN, 2.0)) == [OK]
    assert notes(play) == [
        "fault '503 cmd=join nth=1 retry-after=2': answered 503 Service Unavailable: "
        "INFO cmd:join from u1@contoso.com at 1.000 s"
    ]


def test_the_first_answer_of_a_dialog_has_a_tag_and_its_ack_is_kept_from_the_play() -> None:
    play, fake = faulty('answer status=486 reason="Not now" header="Server: none" method=INVITE')
    (raw,) = written(play.receive(1, INVITE, 1.0))
    answer = read(raw).message
    assert answer.to is not None
    assert answer.to.tag
    assert (answer.reason, answer.headers.first("server")) == ("Not now", "none")
    assert play.receive(1, ACK + JOIN, 2.0) == []
    assert fake.heard == JOIN


def test_responses_and_acks_are_never_answered() -> None:
    play, fake = faulty("500")
    assert play.receive(1, ACK + OK, 1.0) == []
    assert fake.heard == ACK + OK


def test_what_the_play_says_can_be_answered_before_anybody_hears_it() -> None:
    play, fake = faulty("481 said cmd=join")
    assert say(play, fake, JOIN) == []
    assert fake.events[-1] == (1.0, "SIP/2.0")
    assert read(fake.heard).message.status == 481


# Which messages.


def hits(rule: str, *data: bytes) -> list[int]:
    """Return the numbers of the messages that a rule drops of those that are said."""
    play, fake = faulty(f"drop {rule}")
    passed = written(say(play, fake, *data))
    return [number for number, one in enumerate(data, 1) if one not in passed]


INFOS = [message(number) for number in range(1, 10)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("nth=1", [1]),
        ("nth=2-4", [2, 3, 4]),
        ("nth=1,8-", [1, 8, 9]),
        ("every=3rd", [3, 6, 9]),
        ("nth=4- every=3", [6, 9]),
        ("method=BYE", []),
        ("heard", []),
    ],
)
def test_which_of_the_messages_is_counted_from_one(rule: str, expected: list[int]) -> None:
    assert hits(rule, *INFOS) == expected


def test_messages_are_counted_for_each_dialog_where_the_rule_says_so() -> None:
    one, two = message(1), message(2)
    again = one.replace(b"CSeq: 1", b"CSeq: 9")
    assert hits("nth=1 per=dialog", one, two, again) == [1, 2]
    assert hits("nth=2 per=dialog", one, two, again) == [3]


def test_users_are_told_apart_by_the_clients_address_in_both_directions() -> None:
    def of(user: bytes, number: int) -> bytes:
        return message(number).replace(b"sip:u1@", b"sip:" + user + b"@", 1)

    play, fake = faulty("drop heard method=INFO nth=1 per=user")
    play.receive(1, of(b"ann", 1) + of(b"bob", 2) + of(b"ann", 3), 1.0)
    assert fake.heard == of(b"ann", 3)


@pytest.mark.parametrize(
    ("rule", "hit"),
    [
        ("to=ma@contoso.com", True),
        ("to=sip:MA@*", True),
        ("to=u1@*", False),
        ("user=u1@contoso.com", True),
        ("user=ma@*", True),
        ("user=u2@*", False),
    ],
)
def test_an_address_is_meant_by_a_pattern(rule: str, hit: bool) -> None:
    assert (hits(rule, JOIN) == [1]) is hit


def test_a_response_is_meant_by_its_status_and_by_what_its_request_carried() -> None:
    play, fake = faulty("drop status=200 cmd=join", says={JOIN: [Send(1, OK)]})
    part_ok = response(2)
    fake.says[PART] = [Send(1, part_ok)]
    assert written(play.receive(1, JOIN + PART, 1.0)) == [part_ok]
    assert hits("status=2xx method=INFO", OK, JOIN) == [1]
    assert hits("method=INFO", OK, JOIN) == [2]


def test_rules_work_together_on_one_message() -> None:
    play, fake = faulty("corrupt part=body rpl=join", "delay by=1s rpl=join", "duplicate rpl=join")
    assert say(play, fake, REPLY) == []
    late = written(play.wake(2.0))
    assert len(late) == 2
    assert late[0] == late[1] != REPLY


def test_many_hits_are_counted_not_listed() -> None:
    play, fake = faulty("drop method=INFO")
    say(play, fake, *[JOIN] * 50)
    assert len(notes(play)) == 21
    assert notes(play)[-1] == "fault 'drop method=INFO': 30 more times"


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending_module, "MAX_BYTES", len(REPLY))
    play, fake = faulty("delay by=3s rpl=join")
    assert written(say(play, fake, REPLY, REPLY)) == [REPLY]
    assert notes(play)[-1] == "messages were not held back: too much waited to be sent"


def test_an_abort_is_polite_and_without_faults() -> None:
    play, fake = faulty("drop method=BYE", "delay by=3s rpl=join")
    say(play, fake, REPLY)
    assert play.abort(2.0, "interrupted") == [Send(1, message(99, method="BYE")), Close(1)]
    fake.finished = True
    assert play.finished
    assert "1 message held back by faults: given up at the end" in notes(play)


# Transparency.

STREAM = (JOIN, OK, PING, b"\r\n", REPLY, b"nonsense\r\n\r\n", ANSWERING, b"\x16\x03\x01")


def transcript(play: Faulty | Fake, pieces: Sequence[bytes]) -> list[Action]:
    out = [*play.start(0.0), *play.opened(1, US, PEER, secure=False, now=0.0)]
    for number, piece in enumerate(pieces):
        out += play.receive(1, piece, 1.0 + number)
    return [*out, *play.ended(1, "fin", 99.0)]


@given(
    st.lists(st.sampled_from(STREAM), max_size=5),
    st.lists(st.integers(0, 3000), max_size=6),
    st.sampled_from([(), ("drop cmd=nothing",), ("503 cmd=nothing", "drop status=499")]),
)
def test_without_a_hit_a_play_hears_and_says_what_it_would_without_the_wrapper(
    parts: list[bytes], places: list[int], rules: tuple[str, ...]
) -> None:
    data = b"".join(parts)
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    pieces = [data[edges[at] : edges[at + 1]] for at in range(len(edges) - 1)]
    says = {JOIN: [Send(1, OK, "t2"), Send(1, REPLY, "t3")], ANSWERING: [Send(1, PING)]}
    alone, wrapped = Fake(says), Fake(says)
    play = Faulty(wrapped, [parse_rule(rule) for rule in rules], seed=3)
    assert transcript(play, pieces) == transcript(alone, pieces)
    assert wrapped.heard == alone.heard


def test_without_rules_actions_are_handed_on_untouched() -> None:
    fake = Fake()
    fake.say(Open(1), Send(1, b"anything"), Stall(1, 2.0), Close(1, "half"))
    play = Faulty(fake, [], seed=1)
    assert play.start(0.0) == [Open(1), Send(1, b"anything"), Stall(1, 2.0), Close(1, "half")]
    assert play.outcome() == Outcome(notes=("its own",))
