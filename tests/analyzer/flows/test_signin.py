"""The ten steps of the sign-in, against what is written about captures and in the document."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import pytest

from analyzer.flows.signin import SIGN_IN, sign_in_runs
from analyzer.flows.values import BAD, DONE
from analyzer.meaning import outline
from analyzer.trace import open_capture
from tests.analyzer.diagnostics.edited import path_of, write
from tests.analyzer.flows.cuts import edited, frames_of, port_of
from tests.analyzer.flows.sign_in_stories import LYNC_2013, SignIn, entered, rooms
from tests.analyzer.stories import envelope, post, uri
from tests.analyzer.truths import FLOWS, PLAIN, name_of, named, truth_of

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.flows.values import FlowRun, FlowStep
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace

HEALTHY = [path for path in FLOWS if path.stem in {"r2-signin-full", "lync2013-signin"}]
SIP_PORT = 5060


def _runs(trace: Trace) -> list[FlowRun]:
    with trace:
        views = cast("tuple[SessionView, ...]", outline(trace).sessions)
        return [run for view in views for run in sign_in_runs(view)]


def _taken(runs: list[FlowRun], user: str) -> FlowRun | None:
    found = next((run for run in runs if run.user == user), None)
    if found is not None:
        runs.remove(found)
    return found


def _fits(step: FlowStep, truth: dict[str, Any]) -> bool:
    return step.status in (truth["steps"][step.id], *truth["steps_also"].get(step.id, ()))


@pytest.mark.parametrize("path", FLOWS, ids=name_of)
def test_sign_ins_are_as_the_truth_says(path: Path) -> None:
    runs = _runs(open_capture(path))
    for truth in truth_of(path)["expects"]["sign_ins"]:
        run = _taken(runs, truth["user"])
        if run is None:
            assert not truth["required"]
            continue
        assert [step for step in run.steps if not _fits(step, truth)] == []
        assert run.outcome in (truth["outcome"], *truth["outcome_also"])
        assert run.variant == truth["variant"]
        frames = {frame for step in run.steps for frame in step.frames}
        assert set(truth["evidence_frames"]) <= frames
    assert runs == []


@pytest.mark.parametrize("path", PLAIN, ids=name_of)
def test_the_real_client_signs_in_completely(path: Path) -> None:
    runs = _runs(open_capture(path))
    assert runs
    for run in runs:
        assert (run.outcome, run.variant) == ("complete", "sipe")
        assert {step.status for step in run.steps} <= DONE | {"not-applicable"}


@pytest.mark.parametrize("path", [*HEALTHY, named(PLAIN, "signin-tcp")], ids=name_of)
def test_a_capture_that_begins_late_or_ends_early_misses_nothing(
    path: Path, tmp_path: Path
) -> None:
    count = min(len(frames_of(path)), 100)
    for at in range(1, count, 7):
        runs = _runs(edited(tmp_path, path, lambda frame, at=at: frame.number > at))  # type: ignore[misc]
        runs += _runs(edited(tmp_path, path, lambda frame, at=at: frame.number <= at))  # type: ignore[misc]
        assert [(at, step) for run in runs for step in run.steps if step.status in BAD] == []
        assert {run.outcome for run in runs} <= {"complete", "not-captured"}


def test_a_capture_that_begins_after_the_register_has_its_first_steps_not_captured(
    tmp_path: Path,
) -> None:
    path = named(FLOWS, "r2-signin-full")
    (run,) = _runs(edited(tmp_path, path, lambda frame: frame.number > 34))
    assert [step.status for step in run.steps] == ["not-captured"] * 3 + ["ok"] * 7
    assert (run.outcome, run.variant) == ("not-captured", "r2")


@pytest.mark.parametrize("path", HEALTHY, ids=name_of)
def test_a_hole_in_a_capture_makes_no_step_missing(path: Path, tmp_path: Path) -> None:
    count = len(frames_of(path))
    for at in range(12, min(count, 90), 5):
        hole = edited(tmp_path, path, lambda frame, at=at: not at <= frame.number < at + 12)  # type: ignore[misc]
        for run in _runs(hole):
            assert [(at, step) for step in run.steps if step.status in BAD] == []


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize("path", HEALTHY, ids=name_of)
def test_one_direction_of_a_capture_makes_no_step_missing(
    path: Path, up: bool, tmp_path: Path
) -> None:
    runs = _runs(edited(tmp_path, path, lambda frame: (port_of(frame) != SIP_PORT) is up))
    assert len(runs) == 1
    assert [step for step in runs[0].steps if step.status in BAD] == []
    assert (
        runs[0].outcome == "not-captured"
        if up
        else runs[0].outcome
        in {
            "not-captured",
            "complete",
        }
    )


@pytest.mark.parametrize(
    ("cseq", "signed"),
    [(17, 'NTLM qop="auth", gssapi-data="x"'), (3, 'NTLM qop="auth", cnum="12", response="x"')],
)
def test_a_register_that_refreshes_is_no_sign_in(cseq: int, signed: str) -> None:
    talk = SignIn(syn_seen=False)
    headers = talk.headers | {"Authorization": signed}
    said = talk.wire.asks("REGISTER", "ann", "ann", call="r", cseq=cseq, headers=headers)
    talk.wire.answered(said, 200, to_tag="x")
    run = talk.run()
    assert {step.status for step in run.steps} == {"not-captured"}
    assert "refreshed only" in run.steps[0].detail
    assert "was signed in before the capture" in talk.view().verdict


def test_services_have_no_sign_in() -> None:
    talk = SignIn()
    said = talk.wire.asks("REGISTER", "ocschat", "ocschat", call="r")
    talk.wire.answered(said, 200, to_tag="x")
    assert talk.runs() == ()


def test_a_hole_long_after_the_sign_in_says_nothing_about_it() -> None:
    talk = SignIn()
    talk.registers()
    talk.looks_up()
    talk.invites()
    talk.commands("getserverinfo", "getpref")
    talk.joins()
    talk.story.wait(600_000)
    talk.asks("SERVICE", "ann")
    talk.story.hole(talk.wire)
    talk.asks("SERVICE", "ann")
    assert talk.statuses()["10"] == "missing"


def _healthy() -> SignIn:
    talk = SignIn()
    talk.registers(401, 401)
    talk.looks_up()
    talk.enters()
    return talk


def test_a_healthy_sign_in_is_complete_and_tells_what_matters() -> None:
    run = _healthy().run()
    assert [step.status for step in run.steps] == ["ok"] * 10
    assert (run.outcome, run.user, run.flow) == ("complete", uri("ann"), "sign-in")
    told = {step.id: step.detail for step in run.steps}
    assert told["1"] == "200 Reason after 2 challenges; authenticated by NTLM"
    assert "the default Lookup URI" in told["4"]
    assert told["5"].endswith(f"it learned {uri('channel')}")
    assert "to exactly the URI that requri returned" in told["6"]
    assert told["9"].endswith("2 of 2 rooms joined")
    assert told["10"].endswith("no invitations")


def test_the_bye_to_the_lookup_belongs_to_the_step_that_learned_the_uri() -> None:
    run = _healthy().run()
    frames = {step.id: step.frames for step in run.steps}
    assert len(frames["5"]) == 4


def test_times_and_latencies_are_those_of_the_messages() -> None:
    run = _healthy().run()
    times = [step.time for step in run.steps]
    assert all(time is not None for time in times)
    assert run.started == times[0]
    assert all(before < after for before, after in pairwise(cast("list[int]", times)))
    assert run.steps[3].latency_ms == 1.0
    assert run.duration_ms > 0


def test_a_director_redirects_and_the_step_says_where_to() -> None:
    talk = SignIn()
    said = talk.wire.asks("REGISTER", "ann", "ann", call="r0", headers=talk.headers)
    talk.wire.answered(said, 301, "Moved", to_tag="d", Contact="<sip:pool.example.com:5061>")
    talk.registers()
    run = talk.run()
    assert run.steps[0].status == "ok"
    assert "redirected to <sip:pool.example.com:5061> (frame 2)" in run.steps[0].detail


@pytest.mark.parametrize("status", [503, 504, 408])
def test_a_registration_refused_and_repeated_is_retried(status: int) -> None:
    talk = SignIn()
    talk.registers(status)
    step = talk.run().steps[0]
    assert step.status == "retried"
    assert f"at first REGISTER answered {status}" in step.detail


def test_challenges_are_rounds_and_no_retries() -> None:
    talk = SignIn()
    talk.registers(401, 401, 401)
    assert talk.statuses()["1"] == "ok"


def test_a_wrong_password_stops_the_sign_in() -> None:
    talk = SignIn()
    for at, status in enumerate((401, 401, 401, 403), 1):
        said = talk.wire.asks("REGISTER", "ann", "ann", call="r", cseq=at, headers=talk.headers)
        diagnosis = '1000;source="fe";reason="Final handshake failed"'
        talk.wire.answered(said, status, "Forbidden", to_tag="x", ms_diagnostics=diagnosis)
    run = talk.run()
    assert [step.status for step in run.steps] == ["failed"] + ["missing"] * 9
    assert run.outcome == "failed"
    assert "403 Forbidden (1000 Final handshake failed)" in run.steps[0].detail
    assert len(run.steps[0].frames) == 8


@pytest.mark.parametrize("what", ["INVITE", "requri", "bjoin"])
def test_a_wait_is_slow_from_three_seconds_on(what: str) -> None:
    talk = SignIn()
    talk.registers()
    call = talk.asks("INVITE", "ocschat", wait=4000 if what == "INVITE" else 0)
    talk.story.step_ms = 2000 if what == "requri" else 1
    talk.commands("requri", call=call, to="ocschat", data=f'<uib uri="{uri("channel")}"/>')
    talk.story.step_ms = 1
    talk.invites()
    talk.commands("getserverinfo", "getpref")
    talk.story.step_ms = 2000 if what == "bjoin" else 1
    talk.joins()
    talk.story.step_ms = 1
    talk.commands("getinv")
    slow = [step.id for step in talk.run().steps if step.status == "slow"]
    assert slow == [{"INVITE": "4", "requri": "5", "bjoin": "9"}[what]]
    assert talk.run().outcome == "complete"


def test_a_client_that_takes_its_time_is_not_a_slow_service() -> None:
    talk = SignIn()
    said = talk.wire.asks("REGISTER", "ann", "ann", call="r", headers=talk.headers)
    talk.wire.answered(said, 401, "Unauthorized", to_tag="x")
    talk.story.wait(20_000)
    said = talk.wire.asks("REGISTER", "ann", "ann", call="r", cseq=2, headers=talk.headers)
    talk.wire.answered(said, 200, to_tag="x")
    assert talk.statuses()["1"] == "ok"


@pytest.mark.parametrize("step", ["4", "6"])
def test_an_invite_refused_and_repeated_is_retried(step: str) -> None:
    talk = SignIn()
    talk.registers()
    if step == "4":
        talk.asks("INVITE", "ocschat", 503)
    talk.looks_up()
    if step == "6":
        talk.invites(status=503)
    talk.enters()
    statuses = talk.statuses()
    assert statuses.pop(step) == "retried"
    assert set(statuses.values()) == {"ok"}


def test_a_lookup_that_was_refused_fails_the_sign_in() -> None:
    talk = SignIn()
    talk.registers()
    talk.asks("INVITE", "ocschat", 480)
    run = talk.run()
    assert [step.status for step in run.steps[3:]] == ["failed"] + ["missing"] * 6
    assert run.outcome == "failed"
    assert run.steps[6].detail == "not reached after step 4"


def test_an_invite_that_led_nowhere_right_after_signing_in_was_meant_for_a_lookup() -> None:
    talk = SignIn()
    talk.registers()
    sdp = "v=0\r\nm=message 5060 sip null\r\n"
    said = talk.wire.asks("INVITE", "ann", "gclookup", call="c", body=sdp)
    talk.wire.answered(said, 404, "Not Found", to_tag="s")
    run = talk.run()
    assert run.steps[3].status == "failed"
    assert run.steps[3].detail.endswith("perhaps a configured Lookup URI")
    assert run.outcome == "failed"


def test_an_invite_that_a_person_declined_is_no_lookup() -> None:
    talk = SignIn()
    talk.registers()
    sdp = "v=0\r\nm=message 5060 sip null\r\n"
    said = talk.wire.asks("INVITE", "ann", "bob", call="c", body=sdp)
    talk.wire.answered(said, 603, "Decline", to_tag="s")
    assert talk.run().steps[3].frames == ()


def test_a_loop_of_challenges_is_a_failure_wherever_the_capture_ends() -> None:
    talk = SignIn()
    for at in range(1, 7):
        said = talk.wire.asks("REGISTER", "ann", "ann", call="r", cseq=at, headers=talk.headers)
        talk.wire.answered(said, 401, "Unauthorized", to_tag="x")
    talk.story.quiet_after_ms = 100
    assert talk.statuses()["1"] == "failed"


def test_a_capture_that_ends_among_the_challenges_cannot_tell() -> None:
    talk = SignIn()
    said = talk.wire.asks("REGISTER", "ann", "ann", call="r", headers=talk.headers)
    talk.wire.answered(said, 401, "Unauthorized", to_tag="x")
    talk.story.quiet_after_ms = 100
    assert set(talk.statuses().values()) == {"not-captured"}


def test_an_invite_to_another_uri_than_the_one_learned_is_told() -> None:
    talk = SignIn()
    talk.registers()
    talk.looks_up("channel")
    talk.enters("elsewhere")
    detail = talk.run().steps[5].detail
    assert f"to {uri('elsewhere')}, not to the URI that requri returned" in detail


@pytest.mark.parametrize(
    ("lookup", "how"),
    [
        ("ocschat", "the default Lookup URI"),
        ("sip:ocschat@other.example", "in another domain than the user's"),
        ("gclookup", "a configured Lookup URI"),
    ],
)
def test_a_lookup_uri_is_the_default_or_configured(lookup: str, how: str) -> None:
    talk = SignIn()
    talk.registers()
    talk.looks_up(lookup=lookup)
    talk.enters()
    step = talk.run().steps[3]
    assert step.status == "ok"
    assert how in step.detail


def test_a_refused_command_stops_the_sign_in_and_its_attempts_are_told() -> None:
    talk = SignIn()
    talk.registers()
    talk.looks_up()
    talk.invites()
    talk.commands("getserverinfo")
    talk.commands("getpref", "getpref", "getpref", status=503)
    run = talk.run()
    assert [step.status for step in run.steps[7:]] == ["failed", "missing", "missing"]
    assert run.outcome == "failed"
    assert "(3 attempts)" in run.steps[7].detail
    assert len(run.steps[7].frames) == 6


def test_what_fails_while_the_rest_goes_on_leaves_the_sign_in_incomplete() -> None:
    talk = SignIn()
    talk.registers()
    talk.looks_up()
    talk.invites()
    talk.commands("getserverinfo", reply=False)
    talk.commands("getpref")
    talk.joins()
    talk.commands("getinv")
    run = talk.run()
    assert run.steps[6].status == "missing"
    assert run.outcome == "incomplete"


def test_some_rooms_refused_is_a_failed_step_and_an_incomplete_sign_in() -> None:
    talk = SignIn()
    talk.registers()
    talk.looks_up()
    talk.invites()
    talk.commands("getserverinfo", "getpref", "getinv")
    talk.joins(lost=["2"])
    run = talk.run()
    assert run.steps[8].status == "failed"
    assert "1 of 2 rooms refused (OPERATION_FAILED): ma-chan://example.com/2" in run.steps[8].detail
    assert run.outcome == "incomplete"


def test_a_room_that_no_reply_speaks_of_was_not_joined() -> None:
    talk = SignIn()
    talk.registers()
    talk.looks_up()
    talk.invites()
    talk.commands("getserverinfo", "getpref")
    talk.commands("bjoin", asked=rooms("1", "2"), data=entered("1"))
    talk.commands("getinv")
    step = talk.run().steps[8]
    assert step.status == "failed"
    assert "1 of 2 rooms are in no reply" in step.detail


@pytest.mark.parametrize("first", ["bjoin", "getinv"])
def test_rooms_and_invitations_come_in_any_order(first: str) -> None:
    talk = SignIn()
    talk.registers()
    talk.looks_up()
    talk.invites()
    talk.commands("getserverinfo", "getpref")
    if first == "getinv":
        talk.commands("getinv")
    talk.joins()
    if first == "bjoin":
        talk.commands("getinv")
    assert set(talk.statuses().values()) == {"ok"}


def test_rooms_joined_before_preferences_were_read_are_out_of_order() -> None:
    talk = SignIn()
    talk.registers()
    talk.looks_up()
    talk.invites()
    talk.commands("getserverinfo")
    talk.joins()
    talk.commands("getpref", "getinv")
    statuses = talk.statuses()
    assert statuses.pop("9") == "out-of-order"
    assert set(statuses.values()) == {"ok"}
    assert talk.run().outcome == "complete"


def test_a_session_that_got_481_starts_talk_without_registering() -> None:
    talk = _healthy()
    talk.story.wait(100_000)
    body = envelope("7", post())
    old = talk.channel_call
    said = talk.wire.asks("INFO", "ann", "channel", call=old, cseq=70, to_tag="s", body=body)
    talk.wire.answered(said, 481, "Call Leg/Transaction Does Not Exist")
    talk.wire.asks("BYE", "ann", "channel", call=old, cseq=71, to_tag="s")
    talk.looks_up()
    talk.enters()
    first, second = talk.runs()
    assert [step.status for step in first.steps] == ["ok"] * 10
    assert [step.status for step in second.steps] == ["not-applicable"] * 3 + ["ok"] * 7
    assert (first.outcome, second.outcome) == ("complete", "complete")
    assert second.started > first.started + first.duration_ms * 1e6
    assert set(first.steps[6].frames).isdisjoint(second.steps[6].frames)
    assert [step.status for step in talk.view().steps] == ["ok"] * 10


def test_a_client_of_a_pool_starts_talk_from_its_channel_service() -> None:
    talk = SignIn(LYNC_2013)
    talk.registers()
    talk.invites()
    talk.commands("getserverinfo")
    talk.joins()
    talk.commands("getinv")
    old = talk.channel_call
    talk.wire.told("BYE", "channel", "ann", call=old, cseq=50, from_tag="s", to_tag="a")
    talk.invites()
    talk.commands("getserverinfo")
    talk.joins()
    talk.commands("getinv")
    first, second = talk.runs()
    assert [step.status for step in first.steps[:3]] == ["ok"] * 3
    assert [step.status for step in second.steps] == [
        *["not-applicable"] * 5, "ok", "ok", "not-applicable", "ok", "ok",
    ]  # fmt: skip


def test_a_channel_service_that_never_answered_was_an_attempt_of_the_same_sign_in() -> None:
    talk = SignIn()
    talk.registers()
    talk.looks_up()
    talk.invites()
    talk.commands("getserverinfo", status=481)
    talk.looks_up()
    talk.enters()
    run = talk.run()
    assert run.steps[6].status == "retried"
    assert run.outcome == "complete"


def test_a_user_thrown_out_after_the_first_command_did_not_sign_in() -> None:
    talk = SignIn()
    talk.registers()
    talk.looks_up()
    talk.invites()
    talk.commands("getserverinfo", reply=False)
    call = talk.channel_call
    talk.wire.told("BYE", "channel", "ann", call=call, cseq=50, from_tag="s", to_tag="a")
    run = talk.run()
    assert [step.status for step in run.steps[6:]] == ["missing"] * 4
    assert run.outcome == "failed"


def test_the_contact_list_refused_fails_its_step_though_others_are_accepted() -> None:
    talk = SignIn()
    said = talk.wire.asks("REGISTER", "ann", "ann", call="r", headers=talk.headers)
    talk.wire.answered(said, 200, to_tag="x")
    for call, package, status in (
        ("s1", "vnd-microsoft-roaming-contacts", 503),
        ("s2", "vnd-microsoft-roaming-self", 200),
    ):
        said = talk.wire.asks("SUBSCRIBE", "ann", "ann", call=call, headers={"Event": package})
        talk.wire.answered(said, status, "Reason", to_tag="s")
    talk.asks("SERVICE", "ann")
    talk.looks_up()
    talk.enters()
    run = talk.run()
    assert run.steps[1].status == "failed"
    assert run.outcome == "incomplete"


def test_the_flow_reads_like_the_document() -> None:
    assert [step.id for step in SIGN_IN.steps] == [str(number) for number in range(1, 11)]
    known = {step.id for step in SIGN_IN.steps}
    for step in SIGN_IN.steps:
        assert {need.step for need in step.needs} <= known
        assert step.sender == "client"
    needs = {step.id: {need.step for need in step.needs} for step in SIGN_IN.steps}
    assert needs["6"] == {"5"}
    assert "8" in needs["9"]


def test_the_way_to_the_pool_is_told_where_dns_is_in_the_capture() -> None:
    [run] = _runs(open_capture(named(FLOWS, "r2-signin-full")))
    assert (
        "SRV _sipinternaltls._tcp.emea.adatum.example gave no such name (frame 2), "
        "SRV _sipinternal._tcp.emea.adatum.example gave ocsfe01.emea.adatum.example:5060 (frame 4)"
    ) in run.steps[0].detail


def test_answers_of_dns_to_others_are_not_told() -> None:
    [run] = _runs(open_capture(named(FLOWS, "forked-lookup")))
    assert "DNS" not in run.steps[0].detail


def test_the_hops_of_a_proxied_invitation_are_told() -> None:
    [run] = _runs(open_capture(named(FLOWS, "fe-two-hops")))
    way = "192.168.2.22:49180 → 192.168.1.12:5060 → 192.168.1.16:5061"
    assert f"over 2 hops: {way} (frames 28, 30)" in run.steps[3].detail
    [near] = _runs(open_capture(named(FLOWS, "r2-signin-full")))
    assert "hops" not in near.steps[3].detail


def test_subscriptions_that_end_at_sign_off_are_no_part_of_the_sign_in() -> None:
    [run] = _runs(open_capture(named(PLAIN, "signin-tcp")))
    off = max(frame for step in run.steps for frame in step.frames)
    assert max(run.steps[1].frames) < off


def test_a_register_that_stands_behind_its_answer_is_still_its_request(tmp_path: Path) -> None:
    capture = write(tmp_path, path_of("signin-tcp"), lambda said: [said[0].later(2), *said[1:]])
    run, *_ = _runs(open_capture(capture))
    register = run.steps[0]
    assert (register.id, register.status, run.outcome) == ("1", "ok", "complete")
    assert len(register.frames) == 2
