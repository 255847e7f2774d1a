"""Time: each rule with a capture that shows it, and one that nearly does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.diagnostics.thresholds import Thresholds
from tests.analyzer.diagnostics.edited import (
    Edit,
    Said,
    changed,
    found,
    path_of,
    told,
)

if TYPE_CHECKING:
    from pathlib import Path

HEALTHY = "r2-signin-full"
MINUTE_MS = 60_000
RULES = ("GC601", "GC602", "GC603", "GC604")


@pytest.mark.parametrize(
    "name", [HEALTHY, "r2-post-full", "lync2013-signin", "forked-lookup", "batch-mixed"]
)
def test_a_healthy_capture_has_none_of_these_findings(name: str) -> None:
    assert told(path_of(name), RULES) == []


def test_a_slow_step_names_its_command(tmp_path: Path) -> None:
    (one,) = found("GC601", tmp_path, "slow-signin")
    assert one.severity == "warning"
    assert "requri" in one.detail
    assert "9.41 s" in one.detail
    assert {40, 44} & set(one.frames)
    assert found("GC602", tmp_path, "slow-signin") == []


def _delayed(item: str, milliseconds: float) -> Edit:
    """Let a reply and all after it come later."""

    def edit(messages: list[Said]) -> list[Said]:
        since = min(one.time for one in messages if one.first == item)
        return [one.later(milliseconds) if one.time >= since else one for one in messages]

    return edit


def test_a_step_just_below_the_threshold_is_not_slow(tmp_path: Path) -> None:
    assert found("GC601", tmp_path, HEALTHY, _delayed("rpl:requri", 2500)) == []
    assert len(found("GC601", tmp_path, HEALTHY, _delayed("rpl:requri", 3100))) == 1


def test_a_threshold_that_was_given_goes_before_that_of_the_flow(tmp_path: Path) -> None:
    sharp, mild = Thresholds(slow_ms=2000), Thresholds(slow_ms=20_000)
    delayed = _delayed("rpl:requri", 2500)
    findings = found("GC601", tmp_path, HEALTHY, delayed, thresholds=sharp)
    assert any("requri" in one.detail for one in findings)
    assert found("GC601", tmp_path, "slow-signin", thresholds=mild) == []


@pytest.mark.parametrize(("milliseconds", "count"), [(4000, 1), (2000, 0)])
def test_a_slow_command_outside_of_the_flows_is_told(
    milliseconds: float, count: int, tmp_path: Path
) -> None:
    findings = found("GC602", tmp_path, "signin-tcp", _delayed("rpl:part", milliseconds))
    assert [one.severity for one in findings] == ["warning"] * count
    assert all("part" in one.detail for one in findings)


def test_a_server_whose_clock_is_wrong_is_told_with_all_evidence(tmp_path: Path) -> None:
    (one,) = found("GC603", tmp_path, "clock-skew")
    assert one.severity == "warning"
    assert "serverTime, ts" in one.detail
    assert "17 min 8 s ahead" in one.detail
    assert one.frames == (59, 101)


def _server_time(minute: bytes) -> Edit:
    """Let serverTime be of another minute of the same hour: the capture is of minute 51."""
    return changed(
        lambda one: b"serverTime=" in one.raw,
        lambda one: one.sub(rb'(serverTime="[^:]*:)\d\d', rb"\g<1>" + minute),
    )


def test_a_clock_within_a_minute_is_right(tmp_path: Path) -> None:
    assert found("GC603", tmp_path, HEALTHY, _server_time(b"51")) == []
    assert len(found("GC603", tmp_path, HEALTHY, _server_time(b"49"))) == 1


def test_the_threshold_of_clocks_can_be_changed(tmp_path: Path) -> None:
    mild = Thresholds(clock_skew_ms=30 * MINUTE_MS)
    assert found("GC603", tmp_path, "clock-skew", thresholds=mild) == []


def test_where_all_servers_agree_the_capture_may_be_wrong(tmp_path: Path) -> None:
    def late(messages: list[Said]) -> list[Said]:
        return [one.later(20 * MINUTE_MS) for one in messages]

    findings = found("GC603", tmp_path, HEALTHY, late)
    assert {one.confidence for one in findings} == {"possible"}
    assert all("clock of the capture" in one.detail for one in findings)
    assert found("GC604", tmp_path, HEALTHY, late) == []


def test_a_refusal_for_skew_is_told(tmp_path: Path) -> None:
    why = b'ms-diagnostics: 1013;reason="Significant time skew detected";source="fe"\r\n'

    def refuse(one: Said) -> Said:
        return one.sub(rb"SIP/2.0 200 OK\r\n", b"SIP/2.0 403 Forbidden\r\n" + why)

    edit = changed(lambda one: one.method == "REGISTER" and one.status == 200, refuse)
    (one,) = found("GC603", tmp_path, HEALTHY, edit)
    assert "1013" in one.detail


def _later(milliseconds: float) -> Edit:
    return lambda messages: [one.later(milliseconds) for one in messages]


def test_two_servers_whose_clocks_differ_are_told(tmp_path: Path) -> None:
    (one,) = found("GC604", tmp_path, "clock-skew", _later(-5 * MINUTE_MS))
    assert one.severity == "warning"
    assert "17 min 8 s apart" in one.detail


def test_one_server_that_is_wrong_by_the_capture_is_told_once(tmp_path: Path) -> None:
    assert found("GC604", tmp_path, "clock-skew") == []
    (one,) = found("GC603", tmp_path, "clock-skew")
    assert "192.168.1.11:5060 agrees with the capture" in one.detail


def test_two_servers_that_are_a_little_apart_are_fine(tmp_path: Path) -> None:
    assert found("GC604", tmp_path, HEALTHY, _server_time(b"51")) == []
