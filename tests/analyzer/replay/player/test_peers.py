"""Peers that do not do as the recorded ones did: by meaning, not by position."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from analyzer.replay.actions import Address, Close, Send
from analyzer.replay.heard import hear
from analyzer.replay.options import PlayOptions, User
from analyzer.replay.player.client import ClientPlay
from analyzer.replay.player.server import ServerPlay
from dissectors.model import Malformed
from dissectors.sip.writer import build_message
from tests.analyzer.replay.player.scripts import EPOCH, Played, sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.replay.actions import Action
    from analyzer.replay.script import Script, Turn
    from dissectors.sip.messages import SipMessage

HERE, THERE = Address("127.0.0.1", 5060), Address("127.0.0.1", 50_000)
NS = 'xmlns="urn:parlano:xml:ns:xccos"'


def _with_bodies(script: Script, bodies: dict[str, str], without: Sequence[str] = ()) -> Script:
    """Return a script with other bodies, and without some turns and what they bring about."""
    gone = set(without)
    turns: list[Turn] = []
    for turn in script.turns:
        if turn.id in gone or turn.cause in gone or turn.answers in gone:
            gone.add(turn.id)
            continue
        message = replace(turn.message, body=bodies.get(turn.id, turn.message.body))
        after = tuple(one for one in turn.after if one not in gone)
        turns.append(replace(turn, message=message, after=after))
    return replace(script, turns=tuple(turns))


def _named(script: Script, words: str) -> list[Turn]:
    return [one for one in script.turns if one.live and words in one.message.body]


def _inner(body: str) -> str:
    return body.partition(">")[2].rpartition("</xccos>")[0]


def test_replies_that_come_in_one_info_are_as_good_as_in_three() -> None:
    script = sample("r2-signin-full")
    first, *others = _named(script, 'id="rpl:bjoin"')
    assert len(others) == 2
    start = first.message.body.partition(">")[0]
    whole = "".join(_inner(turn.message.body) for turn in (first, *others))
    batching = _with_bodies(script, {first.id: f"{start}>{whole}</xccos>"}, [t.id for t in others])
    played = Played(script, theirs=batching)
    replies = [one for one in played.result.client.verdicts if one.what == "INFO rpl:bjoin"]
    assert [one.status for one in replies] == ["held"] * 3
    assert played.result.client.held


def test_replies_that_are_spread_over_infos_are_as_good_as_in_one() -> None:
    script = sample("r2-signin-full")
    [batch] = _named(script, 'id="rpl:getpref"')
    items = re.findall(r"<rpl .*?</rpl>", batch.message.body, re.DOTALL)
    assert len(items) > 5
    start = batch.message.body.partition(">")[0]
    answer = next(turn for turn in script.turns if turn.answers == batch.id)
    at = script.turns.index(answer)
    more, bodies = [], {batch.id: f"{start}>{items[0]}</xccos>"}
    for number, item in enumerate(items[1:]):
        body = replace(batch.message, body=f"{start}>{item}</xccos>")
        info = replace(batch, id=f"t9{number}1", message=body, expect=())
        more += [info, replace(answer, id=f"t9{number}2", answers=info.id, cause=info.id, after=())]
    spreading = _with_bodies(script, bodies)
    turns = (*spreading.turns[: at + 1], *more, *spreading.turns[at + 1 :])
    played = Played(script, theirs=replace(spreading, turns=turns))
    assert [one for one in played.result.client.verdicts if not one.good] == []


def test_a_server_that_answers_late_and_in_another_order_is_understood() -> None:
    script = sample("r2-signin-full")
    late = {
        turn.id: 900.0 - 300 * number
        for number, turn in enumerate(_named(script, "<rpl "))
        if number < 3
    }
    turns = tuple(replace(turn, at_ms=turn.at_ms + late.get(turn.id, 0.0)) for turn in script.turns)
    slow = replace(script, turns=turns)
    played = Played(script, None, PlayOptions(seed=2, timing="recorded"), theirs=slow)
    assert played.bad == []


class Caller:
    """A client by hand, in front of a server's play."""

    def __init__(
        self, script: Script, options: PlayOptions | None = None, person: str = ""
    ) -> None:
        self.play = ServerPlay(script, options or PlayOptions(seed=5), epoch=EPOCH)
        self.play.start(0.0)
        self.play.opened(1, HERE, THERE, secure=False, now=0.0)
        self.person = person or "user1@contoso.com"
        self.heard: list[SipMessage] = []
        self.tags: dict[str, str] = {}
        self.actions: list[Action] = []

    def ask(self, method: str, call_id: str, number: int, body: str = "", **more: str) -> list[str]:
        """Send a request and return the start lines of what comes back at once."""
        to = more.pop("to", self.person)
        tag = self.tags.get(call_id, "")
        headers = [
            (
                "Via",
                more.pop("via", f"SIP/2.0/TCP {THERE};branch=z9hG4bK{call_id}{number}{method}"),
            ),
            ("From", f"<sip:{self.person}>;tag=mine;epid=0123456789"),
            ("To", f"<sip:{to}>" + (f";tag={tag}" if tag else "")),
            ("Call-ID", call_id),
            ("CSeq", f"{number} {method}"),
            ("Contact", f"<sip:{THERE};transport=tcp>"),
            *((name.replace("_", "-"), value) for name, value in more.items()),
        ]
        if body:
            headers.append(("Content-Type", "text/plain"))
        return self.send(build_message(f"{method} sip:{to} SIP/2.0", headers, body.encode()))

    def send(self, raw: bytes) -> list[str]:
        """Send bytes."""
        self.actions = self.play.receive(1, raw, 1.0)
        lines = []
        for action in self.actions:
            if isinstance(action, Send):
                found = hear(action.data)
                assert not isinstance(found, Malformed)
                message = found.message
                self.heard.append(message)
                lines.append(message.start_line.decode())
                to = message.to
                if message.method is None and to is not None and to.tag:
                    self.tags[message.call_id or ""] = to.tag
        return lines

    def sign_in(self) -> None:
        """REGISTER, and call the lookup service."""
        assert self.ask("REGISTER", "r", 1, Event="registration") == ["SIP/2.0 200 OK"]
        answers = self.ask("INVITE", "l", 1, to="ocschat@contoso.com")
        assert answers[-1] == "SIP/2.0 200 OK"
        self.ask("ACK", "l", 1, to="ocschat@contoso.com")


def test_a_server_takes_the_commands_of_a_live_client_in_its_own_order() -> None:
    caller = Caller(sample("signin-tcp"))
    caller.sign_in()
    command = (
        f'<xccos ver="1" envid="4242" {NS}><cmd id="cmd:requri" seqid="7"><data/></cmd></xccos>'
    )
    lines = caller.ask("INFO", "l", 2, command)
    assert lines[0] == "SIP/2.0 200 OK"
    assert lines[1].startswith(f"INFO sip:{THERE};transport=tcp ")
    body = caller.heard[-1].body.decode()
    assert '<commandid seqid="7" envid="4242"/>' in body
    sender = caller.heard[-1].from_
    assert sender is not None
    assert sender.uri == "sip:ocschat@contoso.com"


def test_a_command_that_the_script_does_not_have_gets_a_reply_all_the_same() -> None:
    caller = Caller(sample("signin-tcp"), PlayOptions(seed=5, default_reply_code="404"))
    caller.sign_in()
    command = f'<xccos ver="1" envid="9" {NS}><cmd id="cmd:dance" seqid="3"><data/></cmd></xccos>'
    assert caller.ask("INFO", "l", 2, command)[0] == "SIP/2.0 200 OK"
    body = caller.heard[-1].body.decode()
    assert 'id="rpl:dance"' in body
    assert '<commandid seqid="3" envid="9"/><resp code="404">' in body
    unexpected = [one for one in caller.play.outcome().verdicts if one.status == "unexpected"]
    assert [one.what for one in unexpected] == ["INFO cmd:dance"]


@pytest.mark.parametrize("status", [200, 404, 501])
def test_the_polite_answer_can_be_chosen(status: int) -> None:
    caller = Caller(sample("signin-tcp"), PlayOptions(seed=5, default_status=status))
    [line] = caller.ask("MESSAGE", "m", 1)
    assert line.startswith(f"SIP/2.0 {status} ")


def test_a_probe_plays_no_part() -> None:
    caller = Caller(sample("signin-tcp"), PlayOptions(seed=5, once=True), "probe@lb.example")
    assert caller.ask("OPTIONS", "o", 1) == ["SIP/2.0 200 OK"]
    caller.play.ended(1, "fin", 2.0)
    assert not caller.play.finished
    assert caller.play.outcome().played == 0


def test_a_request_with_another_tag_or_after_the_bye_gets_481() -> None:
    caller = Caller(sample("signin-tcp"))
    caller.sign_in()
    true = caller.tags["l"]
    caller.tags["l"] = "bogus"
    assert caller.ask("INFO", "l", 2, "x") == ["SIP/2.0 481 Call/Transaction Does Not Exist"]
    caller.tags["l"] = true
    assert caller.ask("BYE", "l", 3, to="ocschat@contoso.com") == ["SIP/2.0 200 OK"]
    assert caller.ask("INFO", "l", 4, "x") == ["SIP/2.0 481 Call/Transaction Does Not Exist"]


def test_what_stands_beside_known_commands_in_one_info_is_answered_too() -> None:
    caller = Caller(sample("signin-tcp"))
    caller.sign_in()
    batch = "".join(
        f'<cmd id="cmd:{name}" seqid="{number}"><data/></cmd>'
        for number, name in enumerate(("requri", "frob"), 1)
    )
    lines = caller.ask("INFO", "l", 2, f'<xccos ver="1" envid="6" {NS}>{batch}</xccos>')
    assert len(lines) == 3
    bodies = " ".join(one.body.decode() for one in caller.heard[-3:])
    assert "rpl:requri" in bodies
    assert '<commandid seqid="2" envid="6"/><resp code="501">' in bodies


def test_people_are_the_same_whatever_the_case_of_their_addresses() -> None:
    user = User("Bob.Keller@Fabrikam.Example")
    played = Played(sample("signin-tcp"), PlayOptions(seed=1, users=(user,)))
    assert played.bad == []
    assert "sip:Bob.Keller@Fabrikam.Example" in played.wire


def test_rooms_of_another_domain_are_said_back_as_the_server_said_them() -> None:
    script = sample("signin-tcp")
    [room] = [one.name for one in script.slots if one.name == "room1"]
    theirs = PlayOptions(seed=2, values={f"{room}.domain": "chat.corp.example", room: "4711"})
    played = Played(script, None, theirs)
    assert played.bad == []
    assert 'domain="chat.corp.example" value="4711"' in played.wire
    assert 'chanUri="ma-chan://chat.corp.example/4711"' in played.wire


def test_a_long_retry_after_is_no_reason_to_give_up() -> None:
    from analyzer.replay.faults import Faulty, parse_rule

    script = sample("signin-tcp")
    server = ServerPlay(script, PlayOptions(seed=2), epoch=EPOCH)
    faulty = Faulty(server, [parse_rule("503 cmd=join nth=1 retry-after=25")], 1)
    played = Played(script, PlayOptions(seed=1, timeout=2.0), faulty)
    assert played.bad == []


def test_a_long_session_is_played_in_a_time_that_grows_with_it() -> None:
    """Each post is compared with those that were not posted yet, not with all."""
    script = sample("signin-tcp")
    post = next(turn for turn in script.turns if "<grpchat" in turn.message.body)
    at = script.turns.index(post) + 3
    turns, before = [], post.id
    for number in range(400):
        again = replace(post, id=f"t9{number:03}", after=(before,), expect=())
        answer = replace(script.turns[at - 2], id=f"t8{number:03}", answers=again.id)
        answer = replace(answer, cause=again.id, after=(again.id,))
        turns += [again, answer]
        before = answer.id
    longer = replace(script, turns=(*script.turns[:at], *turns, *script.turns[at:]))
    client = ClientPlay(longer, PlayOptions(seed=1), epoch=EPOCH)
    counted = 0
    matcher = ServerPlay(longer, PlayOptions(seed=2), epoch=EPOCH)
    played = Played(longer, client, matcher)
    assert played.bad == []
    scored = matcher._conversations[0].talk.matcher.scored
    counted += scored
    assert counted < 10 * len(longer.turns)


def test_a_reply_without_the_value_that_is_needed_differs() -> None:
    script = sample("signin-tcp")
    [reply] = _named(script, 'id="rpl:requri"')
    body = re.sub(r"<uib [^>]*/>", "", reply.message.body)
    played = Played(script, theirs=_with_bodies(script, {reply.id: body}))
    found = [one for one in played.result.client.verdicts if one.turn == reply.id]
    assert [one.status for one in found] == ["differs"]
    assert found[0].differences[0].path == "rpl:requri/data/uib/@uri"


def test_a_request_in_a_dialog_that_nobody_knows_gets_481() -> None:
    caller = Caller(sample("signin-tcp"))
    caller.tags["x"] = "gone"
    assert caller.ask("INFO", "x", 5, "hello") == ["SIP/2.0 481 Call/Transaction Does Not Exist"]


def test_an_invite_that_is_cancelled_ends_with_487() -> None:
    script = sample("signin-tcp")
    answers = [
        turn.id
        for turn in script.turns
        if turn.message.method == "INVITE" and turn.message.status == 200
    ]
    silent = replace(script, turns=tuple(one for one in script.turns if one.id not in answers))
    silent = replace(
        silent,
        turns=tuple(one for one in silent.turns if one.message.method not in ("INFO", "BYE")),
    )
    caller = Caller(silent)
    caller.ask("REGISTER", "r", 1, Event="registration")
    caller.ask("INVITE", "l", 1, to="ocschat@contoso.com")
    lines = caller.ask("CANCEL", "l", 1, to="ocschat@contoso.com")
    assert lines == ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]


def test_a_repetition_gets_the_same_answer_and_nothing_more() -> None:
    caller = Caller(sample("signin-tcp"))
    caller.sign_in()
    command = f'<xccos ver="1" envid="1" {NS}><cmd id="cmd:requri" seqid="1"><data/></cmd></xccos>'
    first = caller.ask("INFO", "l", 2, command)
    raw = caller.heard[-len(first)].raw
    assert caller.ask("INFO", "l", 2, command) == ["SIP/2.0 200 OK"]
    assert caller.heard[-1].raw == raw


def test_behind_a_proxy_a_server_says_where_it_really_is() -> None:
    """No gruu that only the recorded registrar knew, and the route that the proxy asked for."""
    caller = Caller(sample("signin-tcp"))
    hop = f"SIP/2.0/TCP 127.0.0.1:5080;branch=z9hG4bKp, SIP/2.0/TCP {THERE};branch=z9hG4bKc"
    caller.ask("REGISTER", "r", 1, via=hop, Event="registration")
    assert "gruu" not in (caller.heard[-1].headers.first("contact") or "")
    caller.ask(
        "INVITE", "l", 1, to="ocschat@contoso.com", via=hop, Record_Route="<sip:127.0.0.1:5080;lr>"
    )
    answer = caller.heard[-1]
    assert answer.headers.all("record-route") == ("<sip:127.0.0.1:5080;lr>",)
    assert f"sip:{HERE};transport=tcp" in (answer.headers.first("contact") or "")
    assert len(answer.vias) == 2


def test_more_clients_than_the_script_has_play_it_again() -> None:
    play = ServerPlay(sample("signin-tcp"), PlayOptions(seed=5), epoch=EPOCH)
    play.start(0.0)
    for number in range(1, 6):
        there = Address("127.0.0.1", 50_000 + number)
        play.opened(number, HERE, there, secure=False, now=0.0)
        who = f"<sip:user{number}@contoso.com>"
        raw = build_message(
            "REGISTER sip:contoso.com SIP/2.0",
            [
                ("Via", f"SIP/2.0/TCP {there}"),
                ("From", f"{who};tag=1"),
                ("To", who),
                ("Call-ID", "same"),
                ("CSeq", "1 REGISTER"),
                ("Event", "registration"),
            ],
        )
        [answer] = play.receive(number, raw, 0.1)
        assert isinstance(answer, Send)
        assert b"200 OK" in answer.data
        assert f"user{number}@contoso.com".encode() in answer.data
    assert play.outcome().played == 5


def test_a_server_asks_for_credentials_and_admits_who_has_them() -> None:
    for scheme in ("NTLM", "Digest"):
        user = User("user1@contoso.com", "correct horse")
        guard = PlayOptions(seed=2, authenticate=scheme, users=(user,))
        played = Played(sample("signin-tcp"), PlayOptions(seed=1, users=(user,)), guard)
        assert played.bad == []
        assert f"uthorization: {scheme} " in played.wire
        assert "correct horse" not in played.wire


def test_without_a_password_the_refusal_is_told_and_the_rest_is_not_tried() -> None:
    user = User("user1@contoso.com", "correct horse")
    guard = PlayOptions(seed=2, authenticate="NTLM", users=(user,))
    played = Played(sample("signin-tcp"), None, guard)
    assert played.verdicts("differs") == ["200 OK to REGISTER"]
    assert "assword" in played.notes
    assert "INVITE sip:" not in played.wire


def test_an_aborted_client_leaves_nothing_behind() -> None:
    script = sample("signin-tcp")
    [joined] = _named(script, 'id="rpl:join"')
    mute = _with_bodies(script, {}, [joined.id])
    client = ClientPlay(script, PlayOptions(seed=1, timeout=1000.0), epoch=EPOCH)
    played = Played(script, client, None, theirs=mute, limit=20.0)
    assert not played.result.client.complete
    methods = re.findall(r"^(\w+) sip:\S+ SIP/2.0\r", played.wire, re.MULTILINE)
    assert methods.count("BYE") == 2  # the lookup's own, and that of the open session
    assert "Expires: 0" in played.wire
    assert client.finished
    assert isinstance(client.abort(99.0, "again"), list)


def test_a_session_is_refreshed_before_it_ends() -> None:
    script = sample("signin-tcp")
    turns = []
    for turn in script.turns:
        if turn.message.method == "INVITE" and turn.message.status == 200:
            headers = (("Session-Expires", "20;refresher=uac"), *turn.message.headers)
            turn = replace(turn, message=replace(turn.message, headers=headers))
        if turn.message.method == "BYE" and turn.at_ms > 1000:
            turn = replace(turn, at_ms=turn.at_ms + 35_000)
        turns.append(turn)
    timed = replace(script, turns=tuple(turns))
    played = Played(timed, PlayOptions(seed=1, timing="recorded"))
    assert played.wire.count("UPDATE sip:") >= 3
    kept = Played(timed, PlayOptions(seed=1, timing="recorded", session_timers=False))
    assert "UPDATE sip:" not in kept.wire


def test_keep_alives_are_sent_while_nothing_else_happens() -> None:
    options = PlayOptions(seed=1, timing="recorded", keep_alive=0.2)
    played = Played(sample("signin-tcp"), options)
    pings = [one for one in played.events if one.data == b"\r\n\r\n"]
    assert len(pings) >= 5
    assert played.bad == []


def test_what_is_no_sip_ends_the_connection_and_is_told() -> None:
    play = ServerPlay(sample("signin-tcp"), PlayOptions(seed=5), epoch=EPOCH)
    play.start(0.0)
    play.opened(1, HERE, THERE, secure=False, now=0.0)
    actions = play.receive(1, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), 0.1)
    assert actions == [Close(1)]
    assert "not SIP" in " ".join(play.outcome().notes)
