"""The table of rules as a whole: ids, words, pages, what is chosen and what explains what."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from analyzer.diagnostics.explained import EXPLAINED_BY
from analyzer.diagnostics.pages import FAMILIES, pages, write_pages
from analyzer.diagnostics.rule import SEVERITIES, Case, Hit
from analyzer.diagnostics.select import (
    at_least,
    chosen,
    condition_of,
    ids_of,
    near,
    thresholds_of,
)
from analyzer.diagnostics.table import DEFAULTS, RULES, diagnose
from tests.analyzer.truths import FLOWS, named, opened
from tests.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.diagnostics.rule import Rule

every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))


def test_no_two_rules_have_one_id() -> None:
    from analyzer.diagnostics import table

    every = [rule.id for module in table._MODULES for rule in module.RULES]
    assert len(every) == len(set(every)) == len(RULES)
    assert list(RULES) == sorted(RULES)


@every_rule
def test_a_rule_says_everything_that_a_person_needs(rule: Rule) -> None:
    assert re.fullmatch(r"GC[1-79]\d\d", rule.id)
    assert rule.severity in SEVERITIES
    assert 5 < len(rule.title) < 60
    assert not rule.title.endswith(".")
    assert rule.explanation.endswith(".")
    assert rule.advice.endswith(".")
    assert rule.source
    assert rule.id[:3] in FAMILIES


def test_the_pages_in_the_source_tree_are_those_of_the_table() -> None:
    """`make rule-pages` writes them."""
    there = {
        path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs/rules").glob("*.md")
    }
    assert there == pages()


def test_a_page_of_a_rule_that_is_gone_is_removed(tmp_path: Path) -> None:
    (tmp_path / "GC999.md").write_text("old")
    (tmp_path / "notes.md").write_text("mine")
    write_pages(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*pages(), "notes.md"}


def test_what_explains_a_rule_exists() -> None:
    assert set(EXPLAINED_BY) <= set(RULES)
    for prefixes in EXPLAINED_BY.values():
        assert all(any(one.startswith(prefix) for one in RULES) for prefix in prefixes)


def test_a_finding_is_left_out_where_another_explains_it_though_that_was_not_asked_for() -> None:
    trace, _ = opened(named(FLOWS, "session-expired"))
    assert diagnose(trace, rules=[RULES["GC205"]]) == []


def test_a_rule_is_asked_once_in_a_run() -> None:
    trace, _ = opened(named(FLOWS, "lookup-404"))
    asked: list[Case] = []

    def test(case: Case) -> list[Hit]:
        asked.append(case)
        return [Hit("it", (0,), 0)]

    rule = replace(RULES["GC101"], test=test)
    case = Case(trace, DEFAULTS, rules=(rule,))
    assert case.hits(rule) == case.hits(rule)
    assert list(case.others("GC111", ("GC1",))) == [(rule, Hit("it", (0,), 0))]
    assert len(asked) == 1


def test_only_the_wanted_sessions_are_looked_at() -> None:
    trace, analysis = opened(named(FLOWS, "stale-duplicate-dialog"))
    rules, rest = [RULES["GC203"]], range(1, len(analysis.sessions))
    assert [one.session for one in diagnose(trace, rules=rules)] == [0]
    assert diagnose(trace, rules=rules, sessions=list(rest)) == []


def test_a_beginning_selects_all_rules_that_begin_so() -> None:
    assert {rule.id[:3] for rule in chosen(["gc1"])} == {"GC1"}
    assert [rule.id for rule in chosen(["GC204,GC201"])] == ["GC201", "GC204"]
    assert [rule.id for rule in chosen(["GC20"], ["GC201", "GC202,GC203"])][:1] == ["GC204"]
    assert len(chosen()) == len(RULES)
    assert "GC111" not in [rule.id for rule in chosen(ignore=["GC111"])]


def test_an_unknown_id_is_refused_with_what_comes_near() -> None:
    with pytest.raises(ValueError, match=r"unknown rule GC240; near it: .*GC204"):
        ids_of("GC240")
    assert near("GC20l")[0].startswith("GC2")


def test_thresholds_are_set_by_name() -> None:
    found = thresholds_of(["slow_ms=5000", "auth_cycles = 4"])
    assert (found.slow_ms, found.auth_cycles) == (5000.0, 4)
    assert found.token_minutes == DEFAULTS.token_minutes


@pytest.mark.parametrize(
    "text", ["slow=1", "slow_ms", "slow_ms=", "slow_ms=-1", "slow_ms=nan", "auth_cycles=1.5"]
)
def test_a_threshold_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="threshold"):
        thresholds_of([text])


def test_a_condition_is_a_severity_or_an_id() -> None:
    assert condition_of("warning") == ("warning", frozenset({"error", "warning"}))
    assert condition_of("gc204") == ("GC204", frozenset({"GC204"}))
    with pytest.raises(ValueError, match="unknown rule HOLES"):
        condition_of("holes")
    with pytest.raises(ValueError, match="neither"):
        condition_of(" ,")


def test_severities_are_cut_from_below() -> None:
    trace, _ = opened(named(FLOWS, "retry-503-succeeds"))
    found = diagnose(trace, rules=[RULES["GC201"]])
    assert at_least(found, "note") == found
    assert at_least(found, "warning") == []
    assert at_least(found, None) == found
