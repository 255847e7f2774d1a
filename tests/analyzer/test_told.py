"""The verdict of a session in one word."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.views.told import told_by_none, verdict_of


def _session(*statuses: str, problems: tuple[str, ...] = ()) -> dict[str, Any]:
    steps = [{"status": status} for status in statuses]
    return {"steps": steps, "problems": list(problems), "doubts": []}


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
    assert verdict_of(session, [{"severity": one} for one in severities]) == expected


def test_a_problem_that_a_finding_tells_is_not_told_again() -> None:
    finding = {"severity": "error", "frames": [57, 59], "title": "lost", "detail": "503"}
    problems = ["post in frame 57: 503 in frame 59", "join in frame 70 refused"]
    assert told_by_none(problems, [finding]) == problems[1:]
    assert told_by_none(problems, [finding | {"severity": "note"}]) == problems
