"""Sessions: everything one client did, with the reason for each part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.meaning import analyse
from analyzer.trace import open_capture
from tests.analyzer.stories import Story, Wire, cmd, envelope, post, rpl, uri
from tests.paths import require_shared

if TYPE_CHECKING:
    from analyzer.model import Analysis, Session

SIPE = "Purple/2.14.12 Sipe/1.25.0 (linux-x86_64)"
UCC = "UCCAPI/3.5.6907.0 OC/3.5.6907.0 (Microsoft Office Communicator 2007 R2)"
LYNC = "UCCAPI/15.0.4420.1017 OC/15.0.4420.1017 (Microsoft Lync)"


def _register(
    wire: Wire, user: str = "ann", *, call: str = "r", epid: str | None = "e1", status: int = 200
) -> int:
    headers = {"User-Agent": UCC}
    said = wire.asks("REGISTER", user, user, call=call, epid=epid, headers=headers)
    return wire.answered(said, status, "Reason", to_tag="x", Server="RTC/3.5")


def _channel(wire: Wire, user: str = "ann", *, call: str = "c", epid: str | None = "e1") -> None:
    said = wire.asks("INVITE", user, "svc", call=call, epid=epid)
    wire.answered(said, 200, to_tag="s")
    body = envelope("7", cmd("join", data='<chanid key="0" domain="example.com" value="1"/>'))
    wire.asks("INFO", user, "svc", call=call, cseq=2, to_tag="s", body=body)
    room = '<chanib uri="ma-chan://example.com/1" name="Ops"/>'
    names = {"call": call, "from_tag": "s", "to_tag": "a"}
    wire.told("INFO", "svc", user, body=envelope("9", rpl("join", ("7", "1"), room)), **names)


def _analysis(story: Story) -> Analysis:
    return analyse(story.trace())


def test_a_session_is_a_registration_and_the_dialogs_of_its_user_on_that_connection() -> None:
    story = Story()
    wire = story.connect()
    ok = _register(wire)
    _channel(wire)
    analysis = _analysis(story)
    (session,) = analysis.sessions
    assert (session.user, session.epid, session.signed_in) == (uri("ann"), "e1", ok)
    assert (session.user_agent, session.server) == (UCC, "RTC/3.5")
    assert (session.client_address, session.front_end) == ("10.0.0.1:50000", "10.0.0.9:5060")
    assert session.joins[0].reason == "it begins the session (REGISTER in frame 1)"
    assert session.joins[1].reason == f"REGISTER from {uri('ann')}, epid e1, on this connection"
    assert [dialog.session for dialog in analysis.dialogs] == [0, 0]


def test_dialogs_on_another_connection_join_by_epid() -> None:
    story = Story()
    _register(story.connect(), epid="e1")
    _register(story.connect("10.0.0.2:50000"), call="r2", epid="e2")
    _channel(story.connect("10.0.0.1:50001"), epid="e1")
    analysis = _analysis(story)
    assert analysis.dialogs[2].session == 0
    assert "epid e1" in analysis.sessions[0].joins[1].reason
    assert "another connection" in analysis.sessions[0].joins[1].reason


def test_a_second_sign_in_of_a_user_is_a_second_session() -> None:
    story = Story()
    first, second = story.connect(), story.connect("10.0.0.1:50001")
    _register(first)
    _channel(first)
    _register(second, call="r2")
    _channel(second, call="c2")
    analysis = _analysis(story)
    assert [session.connections for session in analysis.sessions] == [(0,), (1,)]
    assert [dialog.session for dialog in analysis.dialogs] == [0, 0, 1, 1]


def test_a_redirected_sign_in_is_one_session() -> None:
    story = Story()
    director, home = story.connect(), story.connect("10.0.0.1:50001", "10.0.0.8:5060")
    _register(director, status=301)
    ok = _register(home, call="r2")
    (session,) = _analysis(story).sessions
    assert session.signed_in == ok
    assert session.front_end == "10.0.0.8:5060"
    assert "redirected" in session.joins[1].reason


def test_a_capture_that_starts_late_still_has_a_session_for_each_client() -> None:
    story = Story()
    wire = story.connect(syn_seen=False)
    for user, epid in (("ann", "e1"), ("bob", "e2")):
        _channel(wire, user, call=user, epid=epid)
    first, second = _analysis(story).sessions
    assert (first.user, second.user) == (uri("ann"), uri("bob"))
    assert first.signed_in is None
    assert "its REGISTER is not in the capture" in first.joins[0].reason


def test_a_registration_seen_late_is_a_refresh_of_the_session_before() -> None:
    story = Story()
    wire = story.connect(syn_seen=False)
    _channel(wire)
    _register(wire)
    (session,) = _analysis(story).sessions
    assert len(session.joins) == 2
    assert session.steps[0].status == "not-captured"
    assert "signed in before the capture" in session.verdict


def test_registrations_of_services_are_no_sessions() -> None:
    story = Story()
    server = story.connect("10.0.1.1:40000")
    _register(server, "svc", call="s1", epid="e7")
    said = server.asks(
        "REGISTER", "other", "other", call="s2", headers={"User-Agent": "RTCC/3.5.0.0"}
    )
    server.answered(said, 200)
    wire = story.connect()
    _register(wire)
    _channel(wire)
    assert [session.user for session in _analysis(story).sessions] == [uri("ann")]


def test_callers_that_have_nothing_to_do_with_group_chat_are_no_sessions() -> None:
    story = Story()
    said = story.connect().asks("INVITE", "ann", "bob", call="c")
    story.wires[0].answered(said, 200, to_tag="b")
    analysis = _analysis(story)
    assert analysis.sessions == ()
    assert analysis.dialogs[0].session is None


@pytest.mark.parametrize("headers", [{"Expires": "0"}, {"Contact": "<sip:ann@10.0.0.1>;expires=0"}])
def test_a_registration_with_expires_zero_signs_off(headers: dict[str, str]) -> None:
    story = Story()
    wire = story.connect()
    _register(wire)
    said = wire.asks("REGISTER", "ann", "ann", call="r", cseq=2, from_tag="z", headers=headers)
    off = wire.answered(said, 200)
    (session,) = _analysis(story).sessions
    assert (session.signed_in, session.signed_off) == (1, off)
    assert "signed off (frame 4)" in session.verdict


def test_transactions_outside_dialogs_belong_to_the_session_of_their_user() -> None:
    story = Story()
    wire = story.connect()
    _register(wire)
    _register(wire, "bob", call="r2", epid="e2")
    said = wire.asks("SERVICE", "bob", "bob", call="s")
    wire.answered(said, 200)
    first, second = _analysis(story).sessions
    assert (len(first.services), len(second.services)) == (0, 1)


def _session_with(*talk: tuple[bool, str], status: int = 200) -> Session:
    story = Story()
    wire = story.connect()
    _register(wire)
    said = wire.asks("INVITE", "ann", "svc", call="c", epid="e1")
    wire.answered(said, 200, to_tag="s")
    for number, (from_client, body) in enumerate(talk, 2):
        if from_client:
            said = wire.asks("INFO", "ann", "svc", call="c", cseq=number, to_tag="s", body=body)
            wire.answered(said, status, "Reason")
        else:
            names = {"call": "c", "from_tag": "s", "to_tag": "a", "body": body}
            wire.told("INFO", "svc", "ann", cseq=number, **names)
    (session,) = _analysis(story).sessions
    return session


def test_rooms_are_joined_refused_and_left() -> None:
    rooms = "".join(f'<chanid key="{n}" domain="example.com" value="{n}"/>' for n in (1, 2))
    data = (
        '<chanib uri="ma-chan://example.com/1" name="Ops"/>'
        '<fib key="OPERATION_FAILED" domain="example.com" value="2"/>'
    )
    session = _session_with(
        (True, envelope("1", cmd("bjoin", data=rooms))),
        (False, envelope("90", rpl("bjoin", ("1", "1"), data))),
        (True, envelope("2", post())),
        (False, envelope("91", post(author="bob"), post(author="ann"))),
        (True, envelope("3", cmd("part", data='<chanib uri="ma-chan://example.com/1"/>'))),
        (False, envelope("92", rpl("part", ("3", "1")))),
    )
    first, second = session.rooms
    assert (first.uri, first.name) == ("ma-chan://example.com/1", "Ops")
    assert (first.joined, first.refused, first.left) == (6, None, 12)
    assert (first.posts, first.received) == (1, 2)
    assert (second.joined, second.refused) == (None, 6)
    assert [(one.row, one.room) for one in session.posts] == [(7, first.uri)]
    assert "joined 1 of 2 rooms and posted 1 message" in session.verdict
    assert any("ma-chan://example.com/2" in problem for problem in session.problems)


def test_a_reply_that_is_no_success_refuses_the_rooms_of_its_command() -> None:
    room = '<chanid key="0" domain="example.com" value="1"/>'
    session = _session_with(
        (True, envelope("1", cmd("join", data=room))),
        (False, envelope("90", rpl("join", ("1", "1"), code="403"))),
    )
    assert [one.refused for one in session.rooms] == [6]
    assert "joined 0 of 1 room" in session.verdict
    assert any("refused; rpl:join 403 TEXT in frame 7" in one for one in session.problems)


def test_problems_name_what_failed_and_the_frames() -> None:
    session = _session_with(
        (True, envelope("1", cmd("getpref", "1"), cmd("getpref", "2"))), status=503
    )
    assert session.problems == (
        "2 commands getpref in frame 5: rejected; SIP answered 503 Reason in frame 6",
    )


def test_met_challenges_are_no_problems() -> None:
    story = Story()
    wire = story.connect()
    for cseq, status in ((1, 401), (2, 401), (3, 200)):
        said = wire.asks("REGISTER", "ann", "ann", call="r", cseq=cseq, headers={"User-Agent": UCC})
        wire.answered(said, status, "Reason")
    (session,) = _analysis(story).sessions
    assert session.problems == ()
    assert session.steps[0].status == "ok"
    assert "after 2 challenges" in session.steps[0].detail


def _signing_in(agent: str = UCC) -> tuple[Story, Wire]:
    story = Story()
    wire = story.connect()
    said = wire.asks("REGISTER", "ann", "ann", call="r", headers={"User-Agent": agent})
    wire.answered(said, 200)
    said = wire.asks("SUBSCRIBE", "ann", "ann", call="p")
    wire.answered(said, 200, to_tag="s")
    said = wire.asks("SERVICE", "ann", "ann", call="v")
    wire.answered(said, 200)
    return story, wire


def _statuses(story: Story) -> list[str]:
    (session,) = _analysis(story).sessions
    return [step.status for step in session.steps]


def test_a_sign_in_that_was_refused_stops_at_step_one() -> None:
    story = Story()
    wire = story.connect()
    _register(wire, status=403)
    (session,) = _analysis(story).sessions
    assert [step.status for step in session.steps] == ["failed", *["missing"] * 9]
    assert session.verdict == (
        f"{uri('ann')} did not sign in: REGISTER answered 403 Reason (frame 2)"
    )


def test_a_challenge_that_nobody_met_is_a_failure() -> None:
    story = Story()
    _register(story.connect(), status=401)
    assert _statuses(story)[0] == "failed"


def test_a_lookup_that_was_refused_stops_at_step_four() -> None:
    story, wire = _signing_in()
    said = wire.asks("INVITE", "ann", "ocschat", call="c")
    wire.answered(said, 480, "Temporarily Unavailable", to_tag="s")
    assert _statuses(story) == ["ok"] * 3 + ["failed"] + ["missing"] * 6
    verdict = _analysis(story).sessions[0].verdict
    assert "stopped at step 4: INVITE to sip:ocschat@example.com answered 480" in verdict


def test_a_lookup_without_a_uri_is_a_failure() -> None:
    story, wire = _signing_in()
    said = wire.asks("INVITE", "ann", "ocschat", call="c")
    wire.answered(said, 200, to_tag="s")
    wire.asks(
        "INFO", "ann", "ocschat", call="c", cseq=2, to_tag="s", body=envelope("1", cmd("requri"))
    )
    names = {"call": "c", "from_tag": "s", "to_tag": "a"}
    wire.told("INFO", "ocschat", "ann", body=envelope("9", rpl("requri", ("1", "1"))), **names)
    assert _statuses(story)[3:6] == ["ok", "failed", "missing"]


def test_an_invite_that_was_not_answered_is_missing_or_not_captured() -> None:
    story, wire = _signing_in()
    wire.asks("INVITE", "ann", "ocschat", call="c")
    assert _statuses(story)[3] == "missing"
    story.quiet_after_ms = 100
    assert _statuses(story)[3] == "not-captured"


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (SIPE, ["not-applicable", "not-applicable", "not-applicable", "not-applicable"]),
        (LYNC, ["missing", "not-applicable", "missing", "missing"]),
        (UCC, ["missing", "missing", "missing", "missing"]),
    ],
)
def test_clients_do_without_the_steps_that_they_never_take(agent: str, expected: list[str]) -> None:
    story, wire = _signing_in(agent)
    _channel(wire, epid=None)
    assert _statuses(story)[6:] == expected
    assert _statuses(story)[3:6] == ["not-applicable", "not-applicable", "ok"]


def test_steps_before_a_late_start_and_around_a_hole_are_not_captured() -> None:
    story, wire = _signing_in()
    story.hole(wire)
    _channel(wire)
    assert _statuses(story) == [*["ok"] * 3, *["not-captured"] * 2, "ok", *["not-captured"] * 4]
    late = Story()
    _channel(late.connect(syn_seen=False))
    assert _statuses(late)[:5] == ["not-captured"] * 5


def test_a_client_that_never_turned_to_group_chat_is_told_so() -> None:
    story, _ = _signing_in()
    (session,) = _analysis(story).sessions
    assert session.verdict.endswith("did not turn to Group Chat: it invited neither service")


def test_a_slow_step_is_done_and_told() -> None:
    story, wire = _signing_in()
    said = wire.asks("INVITE", "ann", "ocschat", call="c")
    story.wait(4000)
    wire.answered(said, 200, to_tag="s")
    step = _analysis(story).sessions[0].steps[3]
    assert (step.status, step.latency_ms) == ("ok", 4001.0)
    assert step.detail.startswith("slow, 4.0 s")


def test_a_hole_in_the_capture_is_a_doubt_and_no_failure() -> None:
    with open_capture(require_shared() / "flows" / "hole-in-the-middle.pcapng") as trace:
        (session,) = trace.analysis().sessions
    assert session.problems == ()
    assert session.doubts == (
        "the capture has 2 holes in a connection of this session (before frame 53, 56)",
    )
