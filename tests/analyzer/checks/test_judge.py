"""What becomes of checks on captures whose faults are known."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from analyzer.checks.judge import judge
from analyzer.checks.load import rules_of
from analyzer.trace import open_capture
from tests.analyzer.captures import capture, message
from tests.paths import SAMPLES, require_shared

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.checks.values import Result
    from analyzer.trace import Trace

HEALTHY = "twousers-post"
REFUSED = "fault-503"
SILENT = "fault-no-reply"
FULL = "r2-signin-full"


@cache
def _sample(name: str) -> Trace:
    return open_capture(next(SAMPLES.glob(f"{name}.pcap*")))


@cache
def _flow(name: str) -> Trace:
    return open_capture(next((require_shared() / "flows").glob(f"{name}.pcap*")))


def _held(trace: Trace, text: str, *, strict: bool = False) -> Result:
    rules = rules_of(f'[[check]]\nname = "x"\n{text}'.encode(), "rules.toml")
    (result,) = judge(trace, rules, strict=strict)
    return result


def _frames(result: Result) -> list[tuple[int, ...]]:
    return [one.frames for one in result.evidence]


def test_a_healthy_sign_in_holds() -> None:
    result = _held(_sample(HEALTHY), 'flow = "sign-in"\nwithin = "5 s"')
    assert (result.status, result.counts) == ("passed", (2, 0, 0))
    assert result.summary == "2 of 2 held, the slowest took 58.0 ms"
    assert result.slowest_ms == pytest.approx(58.0, abs=0.1)


def test_one_that_takes_too_long_fails_with_its_time() -> None:
    result = _held(_sample(HEALTHY), 'flow = "sign-in"\nwithin = "50 ms"')
    assert (result.status, result.counts) == ("failed", (1, 1, 0))
    assert result.evidence[0].text.endswith("complete; took 58.0 ms, more than 50.0 ms")
    assert result.evidence[0].user == "sip:user2@contoso.com"


def test_only_the_users_asked_for_are_judged() -> None:
    text = 'flow = "sign-in"\nwithin = "50 ms"\nusers = "user1"'
    assert _held(_sample(HEALTHY), text).counts == (1, 0, 0)


def test_a_step_is_judged_by_its_status_and_latency() -> None:
    assert _held(_sample(FULL), 'flow = "sign-in"\nstep = 9\nwithin = "2 s"').status == "passed"
    late = _held(_sample(FULL), 'flow = "sign-in"\nstep = 9\nwithin = "50 ms"')
    assert (late.status, _frames(late)) == ("failed", [(75, 80, 84, 90)])


def test_a_step_that_has_no_place_is_not_judged() -> None:
    result = _held(_sample(HEALTHY), 'flow = "sign-in"\nstep = 9')
    assert (result.status, result.summary) == ("not-applicable", "the capture has none")


def test_a_sign_in_that_failed_says_at_which_step() -> None:
    result = _held(_flow("lookup-404"), 'flow = "sign-in"')
    assert result.status == "failed"
    assert "failed; step 4 INVITE to Lookup: failed: " in result.evidence[0].text
    assert _frames(result) == [(35, 38)]


def test_what_is_not_there_is_not_applicable_or_fails_where_it_is_required() -> None:
    text = 'flow = "posting"'
    assert _held(_sample(FULL), text).status == "not-applicable"
    result = _held(_sample(FULL), f"{text}\nrequired = true")
    assert (result.status, result.summary) == ("failed", "0 found, at least 1 wanted")


def test_bounds_of_the_number_hold() -> None:
    assert _held(_sample(HEALTHY), 'flow = "sign-in"\nat_least = 2').status == "passed"
    few = _held(_sample(HEALTHY), 'flow = "sign-in"\nat_least = 3')
    assert (few.status, few.summary) == ("failed", "2 found, at least 3 wanted")
    many = _held(_sample(HEALTHY), 'flow = "sign-in"\nat_most = 1')
    assert (many.status, many.summary) == ("failed", "2 found, at most 1 wanted")


def test_every_command_is_answered_but_the_one_that_was_not() -> None:
    assert _held(_sample(HEALTHY), 'command = "*"').counts == (11, 0, 0)
    result = _held(_sample(SILENT), 'command = "*"')
    assert (result.status, result.counts, _frames(result)) == ("failed", (5, 1, 0), [(51, 52)])


def test_posts_are_judged_by_their_sip_answer() -> None:
    result = _held(_sample(SILENT), 'command = "grpchat"')
    assert (result.counts, _frames(result)) == ((1, 1, 0), [(54,)])
    assert _held(_sample(REFUSED), 'command = "grpchat"').counts == (1, 1, 0)


def test_the_first_of_the_two_answers_can_be_judged_alone() -> None:
    assert _held(_sample(SILENT), 'command = "*"\nanswer = "sip"\nwithin = "1 s"').counts == (
        6,
        0,
        0,
    )
    late = _held(_flow("slow-signin"), 'command = "requri"\nwithin = "2 s"')
    quick = _held(_flow("slow-signin"), 'command = "requri"\nwithin = "2 s"\nanswer = "sip"')
    assert (late.status, quick.status) == ("failed", "passed")


def test_an_answer_of_sip_that_is_no_success_fails() -> None:
    text = 'command = "grpchat"\nanswer = "sip"'
    refused = _held(_sample(REFUSED), text)
    assert (refused.counts, _frames(refused)) == ((1, 1, 0), [(57, 59)])
    silent = _held(_sample(SILENT), text)
    assert (silent.counts, _frames(silent)) == ((1, 1, 0), [(54,)])
    hidden = _held(_flow("hole-in-the-middle"), 'command = "bjoin"\nanswer = "sip"')
    assert (hidden.status, hidden.counts) == ("skipped", (0, 0, 1))


def test_the_outcomes_that_hold_can_be_named() -> None:
    text = 'command = "grpchat"\noutcome = ["unanswered", "accepted"]'
    assert _held(_sample(SILENT), text).counts == (2, 0, 0)
    assert _held(_sample(SILENT), 'command = "join"\noutcome = "rejected"').status == "failed"


def test_codes_of_replies_are_compared() -> None:
    assert _held(_sample(FULL), 'command = "*"\ncode = "2xx"').status == "passed"
    result = _held(_sample(FULL), 'command = "bjoin"\ncode = "3xx"')
    assert result.evidence[0].text.endswith("rpl:bjoin has the code 200 SUCCESS_OK")


def test_a_percentile_lets_some_be_late() -> None:
    text = 'command = "*"\nwithin = "100 ms"\npercentile = {}'
    assert _held(_sample(FULL), text.format(90)).status == "failed"
    some = _held(_sample(FULL), text.format(10))
    assert some.status == "passed"
    assert some.summary.startswith("2 of 15 held (13%, 10 % wanted)")


def test_a_refused_attempt_that_was_repeated_holds_unless_it_must_not() -> None:
    trace = _flow("retry-503-succeeds")
    assert _held(trace, 'command = "bjoin"').counts == (2, 0, 0)
    assert _held(trace, 'command = "bjoin"\nallow_retry = false').counts == (1, 1, 0)


def test_a_503_holds_when_it_was_retried_and_answered() -> None:
    result = _held(_flow("retry-503-succeeds"), "retried = 503")
    assert (result.status, result.counts) == ("passed", (1, 0, 0))
    assert _held(_flow("retry-503-succeeds"), 'retried = 503\nwithin = "1 s"').status == "failed"


def test_a_503_that_was_not_retried_fails_with_both_frames() -> None:
    result = _held(_sample(REFUSED), 'retried = "5xx"')
    assert (result.status, _frames(result)) == ("failed", [(57, 59)])
    assert "post of sip:user1@contoso.com in frame 57 was answered 503" in result.evidence[0].text
    assert _held(_sample(REFUSED), "retried = 404").status == "not-applicable"


def test_retries_that_were_refused_again_and_again_fail() -> None:
    result = _held(_flow("overload-503-burst"), "retried = 503")
    assert (result.status, result.counts.held) == ("failed", 0)


def test_posts_reach_the_members() -> None:
    result = _held(_sample(HEALTHY), 'posts = "delivered"\nwithin = "1 s"\nrequired = true')
    assert (result.status, result.counts) == ("passed", (2, 0, 0))
    late = _held(_sample(HEALTHY), 'posts = "delivered"\nwithin = "1 ms"')
    assert [one.frames for one in late.evidence] == [(127, 129, 130)]
    echoed = _held(_sample(HEALTHY), 'posts = "delivered"\nwithin = "1 ms"\necho = true')
    assert echoed.counts == (0, 2, 0)


def test_a_member_without_a_copy_is_named() -> None:
    result = _held(_flow("fanout-missing"), 'posts = "delivered"')
    assert (result.status, result.counts) == ("failed", (1, 1, 0))
    assert "no copy came to sip:bob.keller@emea.adatum.example" in result.evidence[0].text


def test_a_post_that_was_refused_is_not_delivered() -> None:
    result = _held(_sample(REFUSED), 'posts = "delivered"')
    assert (result.counts, _frames(result)) == ((1, 1, 0), [(57, 59)])


def test_copies_that_no_connection_would_show_are_skipped() -> None:
    result = _held(_flow("clock-skew"), 'posts = "delivered"')
    assert (result.status, result.counts) == ("skipped", (0, 0, 1))
    assert result.evidence[0].text.endswith("no connection of another member is in the capture")


def test_a_post_into_an_empty_room_has_reached_everybody() -> None:
    result = _held(_sample("signin-tcp"), 'posts = "delivered"\nwithin = "1 s"')
    assert (result.status, result.counts, result.slowest_ms) == ("passed", (1, 0, 0), 0.0)


def test_findings_must_not_be_there() -> None:
    assert _held(_sample(HEALTHY), 'no = "error"').status == "passed"
    result = _held(_sample(REFUSED), 'no = ["GC4", "GC204"]')
    assert (result.status, _frames(result)) == ("failed", [(57, 59)])
    assert result.evidence[0].text.startswith("GC409 error: ")
    assert _held(_sample(REFUSED), 'no = "GC2"').status == "passed"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('no = "error"\nignore = "GC409"', "passed"),
        ('no = "error"\nconfidence = "certain"', "passed"),
        ('no = "error"\nat_most = 1', "passed"),
        ('no = "error"\nusers = "user1"', "failed"),
        ('no = "error"\nusers = "user2"', "passed"),
        ('only = "GC409"', "passed"),
        ('only = ["note", "warning"]', "failed"),
        ('only = "error"', "passed"),
    ],
)
def test_findings_are_chosen_by_rule_severity_confidence_and_user(text: str, status: str) -> None:
    assert _held(_sample(REFUSED), text).status == status


WANTS = ("not damaged", "no holes", "both directions", "whole frames", "from the start")


def test_a_whole_capture_has_what_is_wanted() -> None:
    wants = [*WANTS, "decrypted", "readable XCCOS"]
    assert _held(_sample(HEALTHY), f"capture = {wants}").counts == (7, 0, 0)


def test_a_hole_and_a_late_start_are_told_with_their_frames() -> None:
    result = _held(_flow("hole-in-the-middle"), f"capture = {list(WANTS)}")
    assert (result.status, _frames(result)) == ("failed", [(53, 56)])
    late = _held(_flow("late-start"), 'capture = ["from the start"]')
    assert (late.status, _frames(late)) == ("failed", [(1,)])


def test_what_a_hole_hides_is_skipped_with_the_reason() -> None:
    trace = _flow("hole-in-the-middle")
    sign_in = _held(trace, 'flow = "sign-in"')
    assert sign_in.status == "skipped"
    assert "frames are missing from the capture" in sign_in.evidence[0].text
    for text in ('command = "*"', 'no = "error"'):
        assert "but 2 holes: bytes are missing" in _held(trace, text).summary
        assert _held(trace, text).status == "skipped"


def test_a_failure_that_is_seen_stays_one_beside_a_hole() -> None:
    assert _held(_flow("hole-in-the-middle"), 'flow = "sign-in"\nat_most = 0').status == "failed"


def test_strict_turns_what_cannot_be_told_into_a_failure() -> None:
    trace = _flow("hole-in-the-middle")
    for result in (
        _held(trace, 'flow = "sign-in"\nstrict = true'),
        _held(trace, 'flow = "sign-in"', strict=True),
    ):
        assert result.status == "failed"
        assert result.summary.endswith("(strict: what cannot be told fails)")
    assert _held(_sample(FULL), 'flow = "posting"', strict=True).status == "not-applicable"


def test_a_reply_whose_command_is_not_captured_is_an_answer_without_a_time() -> None:
    trace = _flow("hole-in-the-middle")
    assert _held(trace, 'command = "bjoin"').counts == (1, 0, 0)
    timed = _held(trace, 'command = "bjoin"\nwithin = "1 s"')
    assert timed.counts == (0, 0, 1)
    assert timed.evidence[0].text.endswith("how long it took is not in the capture")


def test_what_cannot_be_told_does_not_matter_to_a_percentile_that_is_reached_anyway() -> None:
    trace = _flow("hole-in-the-middle")
    some = _held(trace, 'command = "*"\nwithin = "1 h"\npercentile = 60')
    assert some.counts == (2, 0, 1)
    assert some.summary.startswith("2 of 3 held (67%, 60 % wanted), 1 cannot be told")
    assert _held(trace, 'command = "*"\nwithin = "1 h"\npercentile = 90').status == "skipped"


def test_a_required_sign_in_may_be_behind_tls(tmp_path: Path) -> None:
    path = tmp_path / "closed.pcap"  # away from its keys
    path.write_bytes((require_shared() / "captures/tls.pcap").read_bytes())
    with open_capture(path) as trace:
        result = _held(trace, 'flow = "sign-in"\nrequired = true')
        assert result.status == "skipped"
        assert "1 connection with TLS that was not decrypted" in result.summary
        assert _held(trace, 'capture = "decrypted"').status == "failed"


def _first_frames(path: Path, count: int) -> Path:
    """Write the first frames of a sample."""
    whole = (SAMPLES / "fault-503.pcap").read_bytes()
    at = 24
    for _ in range(count):
        at += 16 + int.from_bytes(whole[at + 8 : at + 12], "little")
    path.write_bytes(whole[:at])
    return path


def test_a_capture_that_ends_too_soon_cannot_tell(tmp_path: Path) -> None:
    with open_capture(_first_frames(tmp_path / "reply.pcap", 47)) as trace:
        result = _held(trace, 'command = "join"')
        assert (result.status, result.counts) == ("skipped", (0, 0, 1))
    with open_capture(_first_frames(tmp_path / "post.pcap", 58)) as trace:
        result = _held(trace, 'posts = "delivered"')
        assert (result.status, result.counts) == ("skipped", (0, 0, 1))
    with open_capture(_first_frames(tmp_path / "retry.pcap", 60)) as trace:
        result = _held(trace, "retried = 503")
        assert (result.status, result.counts) == ("skipped", (0, 0, 1))
        assert "whether it was repeated cannot be told: " in result.evidence[0].text


def test_unreadable_xccos_is_told(tmp_path: Path) -> None:
    body = "<xccos envid='1'><cmd id='cmd:join'>"
    info = message(
        "INFO sip:ann@example.com SIP/2.0", body, CSeq="2 INFO", Content_Type="text/plain"
    )
    with open_capture(capture(tmp_path / "bad.pcap", info)) as trace:
        result = _held(trace, 'capture = "readable XCCOS"')
        assert (result.status, _frames(result)) == ("failed", [(1,)])
