"""The account of a play: counted, timed, and told as records and as JUnit."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from junitparser import JUnitXml, TestCase, TestSuite

from analyzer.replay.results import Difference, Latency, Outcome, Verdict
from analyzer.replay.told.account import Account, differences_of, end_of, spreads_of, who
from analyzer.replay.told.junit import junit_xml
from analyzer.replay.told.records import account_record
from tests.paths import ROOT

JOINED = Verdict("t7", "client1", "ann@contoso.com", "200 OK to INFO cmd:join", "held", at=0.25)
REFUSED = JOINED._replace(
    turn="t8",
    status="differs",
    differences=(Difference("status", "200", "503"), Difference("header/Retry-After", None, "2")),
)
SILENT = JOINED._replace(
    turn="t9", what="rpl:join", status="missing", detail="Nothing came within 10 s.", at=None
)
STRANGE = Verdict(None, "client1", None, "OPTIONS", "unexpected", detail="Answered 200.")
UNSAID = JOINED._replace(turn="t10", what="BYE", status="unsaid", detail="t9 never came.")


def account(*verdicts: Verdict, complete: bool = True, played: int = 1) -> Account:
    outcome = Outcome(verdicts, complete=complete, played=played)
    return Account("case.json", "Joining", (end_of("client", outcome),), seconds=1.5)


def test_what_held_and_what_was_only_unexpected_is_as_the_script_wants_it() -> None:
    found = account(JOINED, STRANGE)
    assert found.held
    assert found.ends[0].counts == {
        "held": 1, "differs": 0, "missing": 0, "unsaid": 0, "unexpected": 1,
    }  # fmt: skip
    assert found.ends[0].judged == 1


@pytest.mark.parametrize("verdict", [REFUSED, SILENT, UNSAID])
def test_one_turn_that_is_not_as_expected_fails_the_play(verdict: Verdict) -> None:
    assert not account(JOINED, verdict).held


def test_a_play_that_was_ended_early_or_never_began_does_not_hold() -> None:
    assert not account(JOINED, complete=False).held
    assert not account(played=0).held


def test_a_server_that_was_told_to_end_has_not_failed() -> None:
    outcome = Outcome((JOINED,), complete=False)
    assert end_of("server", outcome, endless=True).held
    assert not end_of("server", Outcome((SILENT,), complete=False), endless=True).held
    assert not end_of("server", Outcome(complete=False, played=0), endless=True).held


def test_both_ends_must_hold() -> None:
    good, bad = end_of("client", Outcome((JOINED,))), end_of("server", Outcome((SILENT,)))
    assert not Account("case.json", "", (good, bad)).held
    assert not Account("case.json", "", ()).held


def test_percentiles_are_values_that_were_measured() -> None:
    latencies = [Latency("INVITE", number / 100) for number in range(100, 0, -1)]
    (spread,) = spreads_of(latencies)
    assert spread == ("INVITE", 100, 0.5, 0.95, 0.99, 1.0)


def test_latencies_are_apart_by_kind_in_the_order_in_which_they_were_seen() -> None:
    spreads = spreads_of(
        [Latency("REGISTER", 0.2), Latency("cmd:join", 0.1), Latency("REGISTER", 0.4)]
    )
    assert [(one.what, one.answers, one.p50, one.most) for one in spreads] == [
        ("REGISTER", 2, 0.2, 0.4),
        ("cmd:join", 1, 0.1, 0.1),
    ]


@given(st.lists(st.floats(0, 100), min_size=1))
def test_percentiles_ascend_and_stay_within_what_was_measured(seconds: list[float]) -> None:
    (spread,) = spreads_of(Latency("x", one) for one in seconds)
    assert min(seconds) <= spread.p50 <= spread.p95 <= spread.p99 <= spread.most == max(seconds)


def test_differences_say_what_was_expected_and_what_was_found() -> None:
    assert differences_of(REFUSED) == [
        "status: expected 200, found 503",
        "header/Retry-After: expected nothing, found 2",
    ]
    assert differences_of(SILENT) == ["Nothing came within 10 s."]
    spaced = REFUSED._replace(differences=(Difference("x", "", "a b"),))
    assert differences_of(spaced) == ['x: expected "", found "a b"']


def test_a_turn_is_told_with_its_party_and_who_played_it() -> None:
    assert who(JOINED) == "client1 (ann@contoso.com)"
    assert who(STRANGE) == "client1"
    assert who(STRANGE._replace(client=None)) == ""


def schema() -> Draft202012Validator:
    text = (ROOT / "docs/schema/replay.schema.json").read_text(encoding="utf-8")
    found = json.loads(text)
    Draft202012Validator.check_schema(found)
    return Draft202012Validator(found)


def test_the_record_keeps_to_its_schema() -> None:
    outcome = Outcome(
        (JOINED, REFUSED, SILENT, STRANGE, UNSAID),
        notes=("The INVITE was sent again after 503.",),
        latencies=(Latency("INVITE", 0.0421),),
    )
    ends = (end_of("client", outcome), end_of("server", Outcome((JOINED,))))
    record = account_record(Account("case.json", "Joining", ends, 1.5, ("Written.",)), [])
    schema().validate(json.loads(json.dumps(record)))
    assert record["held"] is False
    assert record["ends"][0]["latencies"][0]["p50_ms"] == 42.1
    assert record["ends"][0]["verdicts"][1]["differences"][0] == {
        "path": "status", "expected": "200", "found": "503",
    }  # fmt: skip


def test_verdicts_that_were_counted_and_not_kept_are_told() -> None:
    end = end_of("client", Outcome((SILENT,)))
    cut = type(end)("client", held=False, complete=True, played=9, counts={"missing": 7},
                    verdicts=(SILENT,))  # fmt: skip
    assert end.left_out == 0
    assert cut.left_out == 6
    ending = cases_of(parsed(Account("case.json", "", (cut,))))[-1]
    assert "6 further verdicts were counted, and not kept" in str(ending.system_out)


def parsed(told: Account) -> TestSuite:
    (suite,) = JUnitXml.fromfile(BytesIO(junit_xml(told)))
    return suite


def cases_of(suite: TestSuite) -> list[TestCase]:
    return [case for case in suite if case.name]


def test_junit_has_a_case_for_each_turn_and_one_for_the_end() -> None:
    suite = parsed(account(JOINED, REFUSED, SILENT, STRANGE))
    assert (suite.name, suite.tests, suite.failures, suite.errors) == ("case.json client", 4, 2, 0)
    cases = cases_of(suite)
    assert [case.name for case in cases] == [
        "t7 200 OK to INFO cmd:join",
        "t8 200 OK to INFO cmd:join",
        "t9 rpl:join",
        "the play came to its end",
    ]
    assert cases[0].classname == "case.json client client1 (ann@contoso.com)"
    assert cases[1].result[0].message == "status: expected 200, found 503"
    assert "header/Retry-After" in cases[1].result[0].text
    assert cases[3].system_out == "unexpected: client1 OPTIONS Answered 200."


def test_junit_calls_a_play_that_was_ended_early_an_error() -> None:
    suite = parsed(account(JOINED, complete=False))
    assert (suite.failures, suite.errors) == (0, 1)
    suite = parsed(account(played=0))
    assert cases_of(suite)[0].result[0].message == "nobody was played"


@given(st.text(max_size=20))
def test_nothing_that_a_peer_says_breaks_the_document(said: str) -> None:
    odd = REFUSED._replace(what=said, user=said, differences=(Difference(said, said, said),))
    told = account(odd, STRANGE._replace(detail=said))
    assert parsed(told).failures == 1
    schema().validate(json.loads(json.dumps(account_record(told))))
