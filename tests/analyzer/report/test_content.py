"""What a report tells: which sessions, findings, ladders and messages, and what it leaves out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analyzer.ladder.selection import Choice
from analyzer.named import parse_frames
from analyzer.report import content as module
from analyzer.report.content import cut_ladder
from tests.analyzer.ladder.examples import long, sign_in
from tests.analyzer.report.reports import HOPS, SAMPLE, TWO_USERS, content


def test_everything_is_told_of_a_small_capture() -> None:
    found = content(TWO_USERS)
    assert found.words == ()
    assert found.told == {0, 1}
    assert [one.session for one in found.ladders] == [0, 1]
    assert set(found.stories) == set(found.paths) == {0, 1}
    assert list(found.rows) == list(found.chosen) == list(range(114))
    assert found.total == 114
    assert found.cited < set(found.rows)


def test_one_session_is_told_alone() -> None:
    found = content(TWO_USERS, Choice(sessions=(1,)))
    assert found.told == {1}
    assert [one["index"] for one in found.sessions] == [1]
    assert {run["session"] for run in found.flows} == {1}
    assert 0 < found.total < 114
    assert found.words == ("session 2",)


def test_hop_copies_are_in_the_table_and_once_in_the_ladder() -> None:
    found = content(HOPS)
    drawn = {row for one in found.ladders for arrow in one.ladder.arrows for row in arrow.rows}
    assert drawn < set(found.rows)
    assert len(found.rows) == len(found.trace)


def test_of_some_messages_there_is_one_ladder_and_their_sessions_are_told() -> None:
    found = content(SAMPLE, Choice(frames=parse_frames("57-62")))
    assert [one.session for one in found.ladders] == [None]
    assert found.told == {0}
    assert {found.trace.rows.frame[row] for row in found.rows} == {57, 59, 61, 62}


def test_what_is_not_there_is_refused_with_a_line() -> None:
    with pytest.raises(ValueError, match="no session 9"):
        content(SAMPLE, Choice(sessions=(8,)))


def test_of_many_messages_the_cited_ones_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_MESSAGES", 40)
    found = content(SAMPLE)
    assert len(found.rows) == 40
    assert list(found.rows) == sorted(found.rows)
    assert found.cited < set(found.rows)
    assert found.total == 57


def test_of_many_sessions_those_with_problems_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.views.told.MAX_STORIES", 0)
    found = content(SAMPLE)
    assert found.told == frozenset()
    assert [(one.rule, one.times, one.sessions, one.example) for one in found.tallies] == [
        ("GC409", 1, 1, 0)
    ]
    assert found.counts["error"] == 1
    assert found.judged


def test_of_very_many_sessions_not_all_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.views.told.MAX_STORIES", 0)
    monkeypatch.setattr(module, "MAX_DIAGNOSED", 0)
    found = content(SAMPLE)
    assert not found.judged
    assert found.tallies == []


def test_ladders_end_at_their_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LADDERS", 1)
    found = content(TWO_USERS)
    assert [one.session for one in found.ladders] == [0]


def test_a_cut_ladder_keeps_only_what_is_whole_or_begun_in_it() -> None:
    whole = sign_in()
    cut = cut_ladder(whole, 11)
    assert len(cut.events) == 11
    assert [(one.first, one.last) for one in cut.groups] == [(0, 3), (4, 4), (5, 6), (8, 10)]
    assert cut.brackets == ()
    assert cut_ladder(whole, len(whole.events)) is whole
    assert cut_ladder(long(30), 10) == replace(long(30), events=long(30).events[:10])
