"""Good against bad: the root cause comes first; two runs of one scenario do not differ."""

from __future__ import annotations

import pytest

from analyzer.compare.values import mirrored
from analyzer.compare.words import doubt_sentence, sentence
from tests.analyzer.compare.sides import first, of_corpus, told
from tests.paths import require_shared

require_shared()

ROOT_CAUSES = {
    "lookup-404": "step 4 INVITE to Lookup: A answered 200 OK after 50.6 ms (frame 38), B answered "
    "404 Not Found (4005 Destination URI either not enabled for SIP or does not exist) after "
    "46.2 ms (frame 38)",
    "partial-join": "step 9 bjoin: A joined 5 of 5 rooms (frame 80), B joined 4 of 5 rooms, "
    "refused: 0560c303-9dc9-45d6-b571-7c254e63d326 (frame 80)",
    "slow-signin": "step 5 requri: A answered rpl:requri 200 SUCCESS_OK after 132 ms "
    "(frame 44), B answered rpl:requri 200 SUCCESS_OK after 9.41 s (frame 44)",
    "missing-reply": "step 9 bjoin: A answered rpl:bjoin 200 SUCCESS_OK after 86.8 ms (frame 80), "
    "B accepted by SIP, but no reply came (frame 77)",
    "retry-503-succeeds": "step 9 bjoin: A answered rpl:bjoin 200 SUCCESS_OK after 86.8 ms "
    "(frame 80), B answered 503 Service Unavailable (20000 Chat service busy) after 405 ms "
    "(frame 78)",
    "overload-503-burst": "step 8 getpref ×11: A answered rpl:getpref 200 SUCCESS_OK after 185 ms "
    "(frame 71), B answered 503 Service Unavailable (20000 Chat service busy) after 1.01 s "
    "(frame 63)",
    "session-expired": "dialog with Channel service, end: A was ended by the client (BYE) "
    "(frame 101), B was ended by the service (BYE) (frame 86)",
    "stale-duplicate-dialog": "dialog with Channel service, end: A was ended by the client (BYE) "
    "(frame 101), B was ended by 487 (frame 195)",
    "clock-skew": "step 7 getserverinfo, serverTime: A the clock of the service is 0.012 s behind "
    "the capture's (frame 60), B the clock of the service is 17 min 8 s ahead of the capture's "
    "(frame 59)",
}


@pytest.mark.parametrize("name", ROOT_CAUSES)
def test_the_root_cause_is_the_first_divergence(name: str) -> None:
    assert sentence(first(of_corpus("r2-signin-full", name))) == ROOT_CAUSES[name]


def test_a_file_that_never_came_is_told_by_its_step() -> None:
    found = first(of_corpus("r2-post-full", "token-no-upload", (1, 0)))
    assert (found.kind, found.weight, found.subject) == ("step", "major", "post")
    assert "no connection to gchat03.emea.adatum.example" in found.b.text


def test_a_copy_that_one_member_never_got_is_told() -> None:
    found = first(of_corpus("fanout-missing", "fanout-missing", (1, 2)))
    assert found.subject == "copy of a post from Channel service"
    assert (found.a.text, found.a.frames) == ("came", (466,))
    assert found.b.text == "never came, though the post is in frame 453"


def test_a_post_with_a_lost_copy_differs_from_none() -> None:
    found = first(of_corpus("r2-post-full", "fanout-missing", (1, 0)))
    assert found.weight == "major"
    assert "none came to sip:bob.keller@emea.adatum.example" in found.b.text


def test_steps_before_the_capture_are_doubts_and_no_divergences() -> None:
    found = of_corpus("r2-signin-full", "late-start")
    assert [one.subject for one in found.meaningful] == ["post"]
    (doubt,) = found.doubts
    assert doubt_sentence(doubt).startswith(
        "steps 1 to 6, BENOTIFY vnd-microsoft-roaming-contacts: B's capture cannot tell "
        "(the session was going on before the capture began), A has it (frames 10-12"
    )
    assert {row.unseen for row in found.rows if row.b is None} == {doubt.reason}


def test_what_lies_in_a_hole_is_a_doubt() -> None:
    found = of_corpus("r2-signin-full", "hole-in-the-middle")
    assert [(one.side, one.what) for one in found.doubts] == [("B", "steps 6 to 8")]
    assert "frames are missing from the capture before frame 53" in found.doubts[0].reason
    assert [one.subject for one in found.meaningful] == ["post"]


def test_steps_that_were_not_reached_follow_and_are_told_once_each() -> None:
    found = of_corpus("r2-signin-full", "lookup-404")
    follow = [one for one in found.divergences if one.follows and one.weight == "minor"]
    assert [one.step.id for one in follow if one.step] == ["5", "5", "6", "7", "8", "9", "10"]
    assert {one.b.text for one in follow} == {"not reached after step 4"}
    assert [one.count for one in follow] == [1, 1, 1, 1, 11, 1, 1]


def test_what_another_client_does_without_is_trivial() -> None:
    found = of_corpus("r2-signin-full", "lync2013-signin")
    assert first(found).kind == "variant"
    without = [one for one in found.divergences if "(this client takes" in one.b.text]
    assert [(one.subject, one.weight) for one in without] == [
        ("INVITE to Lookup", "trivial"),
        ("requri", "trivial"),
        ("BYE to Lookup", "trivial"),
    ]


SAME = [
    ("signin-tcp", "callid-collision"),
    ("signin-tcp", "coalesce"),
    ("r2-signin-full", "r2-signin-full"),
]


@pytest.mark.parametrize(("a", "b"), SAME)
def test_two_runs_of_one_scenario_do_not_differ(a: str, b: str) -> None:
    assert told(of_corpus(a, b)) == []


ALMOST = {
    ("signin-tcp", "seeded"): [("minor", "one-sided", "part")],
    ("signin-tcp", "straddle"): [("minor", "one-sided", "part")],
    ("signin-tcp", "keepalive"): [
        ("minor", "header", "INVITE to Lookup"),
        ("minor", "one-sided", "UPDATE to Channel service"),
    ],
    ("lync2013-signin", "session-expired"): [
        ("minor", "one-sided", "UPDATE to Channel service"),
        ("major", "ending", "dialog with Channel service"),
    ],
}


@pytest.mark.parametrize(("a", "b"), ALMOST)
def test_true_differences_of_like_runs_are_all_that_is_told(a: str, b: str) -> None:
    assert told(of_corpus(a, b)) == ALMOST[a, b]


def test_the_two_users_of_one_capture_differ_in_what_each_did() -> None:
    assert told(of_corpus("twousers-post", "twousers-post", (0, 1))) == [
        ("minor", "one-sided", "part")
    ]


def test_hop_copies_make_no_difference() -> None:
    found = of_corpus("r2-signin-full", "forked-lookup")
    assert told(found) == [("minor", "header", "INVITE to Lookup")]


def test_a_session_does_not_differ_from_itself() -> None:
    found = of_corpus("fanout-missing", "fanout-missing", (2, 2))
    assert found.divergences == ()
    assert found.first is None
    assert all(row.a == row.b for row in found.rows)


PAIRS = [
    ("r2-signin-full", "lookup-404"),
    ("late-start", "overload-503-burst"),
    ("session-expired", "fault-no-reply"),
    ("batch-mixed", "reconnect"),
]


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_the_other_way_round_it_is_the_mirror_image(a: str, b: str) -> None:
    assert mirrored(of_corpus(b, a)) == of_corpus(a, b)
