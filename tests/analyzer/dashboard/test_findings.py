"""The findings: by severity and rule, each with its evidence; and what the rules judge."""

from __future__ import annotations

import pytest

from analyzer.dashboard.pages import findings
from analyzer.dashboard.verdict.selecting import Asked, selected
from analyzer.diagnostics.table import RULES
from tests.paths import SAMPLES, SHARED, require_shared
from tests.support.dashboard import looked_at, markup, opened

require_shared()
NO_REPLY = SAMPLES / "fault-no-reply.pcap"
LATE = SHARED / "flows" / "late-start.pcapng"


def test_each_finding_leads_to_its_evidence() -> None:
    case = opened(NO_REPLY)
    drawn = markup(looked_at(case, "findings"), "findings")
    assert "Errors (2)" in drawn
    row = case.row_of_frame(51)
    for words in (
        "never got a reply",
        "certain",
        "What to do: ",
        'data-copy="frame.number in {51, 52}"',
        f"view=ladder&amp;session=1&amp;message={row}",
        f"view=messages&amp;session=1&amp;message={row}",
        f"view=findings&amp;message={row}",
    ):
        assert words in drawn, words
    assert drawn.index("GC301 (1)") < drawn.index("GC408 (1)")


@pytest.mark.parametrize(
    ("more", "session", "rules"),
    [
        ({}, None, ["GC301", "GC408"]),
        ({"rule": "gc408"}, None, ["GC408"]),
        ({"severity": "error"}, 0, ["GC301", "GC408"]),
        ({"severity": "note"}, None, []),
        ({"severity": "nonsense", "rule": "GC000"}, None, ["GC301", "GC408"]),
        ({"rule": "GC204"}, None, []),
    ],
)
def test_the_address_chooses_findings(
    more: dict[str, str], session: int | None, rules: list[str]
) -> None:
    case = opened(NO_REPLY)
    found = selected(case, Asked.of(more), session)
    assert [case.diagnosed[number].rule for number in found] == rules


def test_those_of_a_session_are_said_to_be_its_own() -> None:
    case = opened(SHARED / "flows" / "fanout-missing.pcapng")
    drawn = markup(looked_at(case, "findings", session=1), "findings")
    assert "Only those of session 2, eva@emea.adatum.example." in drawn
    assert "No finding is like that" in drawn
    assert [*selected(case, Asked(), 1)] == []


def test_the_page_of_a_rule_opens_in_place() -> None:
    drawn = markup(looked_at(opened(NO_REPLY), "findings", rule="GC204", about="rule"), "findings")
    assert "GC204: Refused with 503" in drawn
    for heading in ("What it means", "What to do", "Where the fact comes from", "Good to know"):
        assert f"<h3>{heading}</h3>" in drawn
    assert "No finding is like that" in drawn, "the rule says nothing here"


def test_all_rules_are_listed_with_what_each_judges() -> None:
    drawn = markup(looked_at(opened(NO_REPLY), "findings", rules="all"), "findings")
    assert all(f"rule={rule}&amp;about=rule" in drawn for rule in RULES)
    assert RULES["GC204"].title in drawn
    assert drawn.count("<tr>") == len(RULES) + 1


def test_a_healthy_capture_has_none_and_says_what_that_means() -> None:
    drawn = markup(looked_at(opened(SAMPLES / "twousers-post.pcap"), "findings"), "findings")
    assert "The rules found nothing. They judge only what the capture shows." in drawn


def test_many_findings_are_paged_by_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "SHOWN", 1)
    case = opened(NO_REPLY)
    first = markup(looked_at(case, "findings"), "findings")
    assert "1 to 1 of 2 findings" in first
    assert "never got a reply" in first
    second = markup(looked_at(case, "findings", page=2), "findings")
    assert "never acknowledged" in second
    assert "never got a reply" not in second
    assert "Errors (2)" in second


def test_notes_are_told_apart_from_errors() -> None:
    drawn = markup(looked_at(opened(LATE), "findings"), "findings")
    assert "Notes (1)" in drawn
    assert "Errors" not in drawn
