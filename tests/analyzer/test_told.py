"""The verdict of a session in one word."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.views.told import told_by_none, verdict_of


def _session(*statuses: str, problems: tuple[str, ...] = ()) -> dict[str, Any]:
    steps = [{"status": status, "frames": []} for status in statuses]
    return {"steps": steps, "rooms": [], "problems": list(problems), "doubts": []}


@pytest.mark.parametrize(
    ("session", "severities", "expected"),
    [
        (_session("ok"), (), "ok"),
        (_session("ok"), ("note",), "ok"),
        (_session("ok"), ("warning", "note"), "doubtful"),
        (_session("ok"), ("error",), "failed"),
        (_session("ok", "missing"), (), "failed"),
        (_session("ok", "not-captured"), (), "not-captured"),
        (_session("ok", "not-captured", problems=("lost",)), (), "doubtful"),
    ],
)
def test_the_worst_decides_and_silence_is_not_health(
    session: dict[str, Any], severities: tuple[str, ...], expected: str
) -> None:
    found = [{"rule": "GC999", "severity": one} for one in severities]
    assert verdict_of(session, found) == expected


def test_a_step_that_was_left_out_is_no_failure_of_who_went_on_without_it() -> None:
    later_done, stopped = _session("ok", "missing", "ok"), _session("ok", "ok", "missing")
    assert verdict_of(later_done, ()) == "doubtful"
    assert verdict_of(stopped, ()) == "failed"
    assert verdict_of(stopped | {"rooms": [{"joined_frame": 80}]}, ()) == "doubtful"
    assert verdict_of(stopped | {"rooms": [{"joined_frame": None}]}, ()) == "failed"
    went_on = {"rule": "GC111", "severity": "note"}
    assert verdict_of(stopped, [went_on]) == "doubtful"
    assert verdict_of(stopped, [went_on, {"rule": "GC301", "severity": "error"}]) == "failed"


def test_a_step_that_was_tried_in_vain_is_a_failure_whatever_came_after() -> None:
    tried = _session("ok", "missing", "ok")
    tried["steps"][1]["frames"] = [79]
    assert verdict_of(tried, [{"rule": "GC111", "severity": "note"}]) == "failed"
    assert verdict_of(_session("ok", "failed", "ok"), ()) == "failed"


def test_a_problem_that_a_finding_tells_is_not_told_again() -> None:
    finding = {"severity": "error", "frames": [57, 59], "title": "lost", "detail": "503"}
    problems = ["post in frame 57: 503 in frame 59", "join in frame 70 refused"]
    assert told_by_none(problems, [finding]) == problems[1:]
    assert told_by_none(problems, [finding | {"severity": "note"}]) == problems
