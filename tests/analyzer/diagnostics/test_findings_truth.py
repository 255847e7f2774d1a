"""What the rules find, held against what is known of every capture of the corpus."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.diagnostics.rule import SEVERITIES
from analyzer.diagnostics.table import diagnose
from tests.analyzer.truths import FLOWS, PLAIN, name_of, opened, truth_of
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.diagnostics.rule import Finding

UNHEALTHY = {"fault-503", "fault-no-reply", "reconnect"}
HEALTHY = [
    path for path in (*PLAIN, *sorted(SAMPLES.glob("*.pcap*"))) if path.stem not in UNHEALTHY
]
every_flow = pytest.mark.parametrize("path", FLOWS, ids=name_of)


@cache
def found_in(path: Path) -> tuple[Finding, ...]:
    return tuple(diagnose(opened(path)[0]))


def told(one: Finding) -> str:
    """Return all that a finding says, in lower case."""
    parts = (one.rule, one.title, one.detail, one.advice, one.user or "", *map(str, one.frames))
    return " ".join(parts).lower()


def meets(one: Finding, wanted: dict[str, Any]) -> bool:
    text = told(one)
    any_of = wanted["keywords_any"] or [""]
    frames = wanted["frames_any_of"]
    return (
        all(word.lower() in text for word in wanted["keywords"])
        and any(word.lower() in text for word in any_of)
        and SEVERITIES.index(one.severity) <= SEVERITIES.index(wanted["severity_at_least"])
        and (not frames or bool(set(frames) & set(one.frames)))
    )


@every_flow
def test_what_a_careful_reader_would_say_is_found(path: Path) -> None:
    for wanted in truth_of(path)["expects"]["findings_required"]:
        found = found_in(path)
        assert any(meets(one, wanted) for one in found), (wanted, [told(one) for one in found])


@every_flow
def test_nothing_is_found_where_all_is_well(path: Path) -> None:
    forbidden = truth_of(path)["expects"]["findings_forbidden_severity"]
    if forbidden is not None:
        severe = SEVERITIES[: SEVERITIES.index(forbidden) + 1]
        assert [told(one) for one in found_in(path) if one.severity in severe] == []


@pytest.mark.parametrize("path", HEALTHY, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_healthy_capture_of_the_real_client_gives_nothing(path: Path) -> None:
    assert [told(one) for one in found_in(path) if one.severity != "note"] == []


@pytest.mark.parametrize("path", [path for path in PLAIN if path.stem in UNHEALTHY], ids=name_of)
def test_a_fault_of_the_real_clients_captures_is_found(path: Path) -> None:
    assert any(one.severity != "note" for one in found_in(path))


@every_flow
def test_every_finding_cites_frames_and_says_how_sure_it_is(path: Path) -> None:
    frames = opened(path)[0].quality.frames
    for one in found_in(path):
        assert one.frames or one.rule.startswith("GC9")
        assert list(one.frames) == sorted(set(one.frames))
        assert all(0 < frame <= frames for frame in one.frames)
        assert one.confidence in ("certain", "likely", "possible")
        assert one.detail
        assert not one.detail.endswith(".")


@every_flow
def test_findings_come_errors_first_and_then_by_time(path: Path) -> None:
    order = [(SEVERITIES.index(one.severity), one.time or 0) for one in found_in(path)]
    assert order == sorted(order)
