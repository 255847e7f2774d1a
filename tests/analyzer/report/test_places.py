"""What of a report can be linked to."""

from __future__ import annotations

from analyzer.ladder.values import Note
from analyzer.report.places import Places
from tests.analyzer.report.reports import SAMPLE, content


def test_a_frame_leads_to_the_message_that_it_completes_or_brought_a_part_of() -> None:
    found = content(SAMPLE)
    places, rows = Places(found), found.trace.rows
    assert places.of_frame(57) == f"m{list(rows.frame).index(57)}"
    parts = {
        frame: row
        for row in range(len(rows))
        for frame in found.trace.frames(row)
        if frame not in rows.frame
    }
    assert parts
    assert all(places.of_frame(frame) == f"m{row}" for frame, row in parts.items())
    assert places.of_frame(1) is None


def test_a_finding_leads_to_its_note_in_the_ladder() -> None:
    found = content(SAMPLE)
    target = Places(found).of_finding(found.findings[0])
    prefix, _, number = (target or "").rpartition("-e")
    event = found.ladders[0].ladder.events[int(number)]
    assert prefix == "ladder-1"
    assert isinstance(event, Note)
    assert event.label.startswith("GC409")


def test_a_finding_without_a_note_leads_to_its_last_message() -> None:
    found = content(SAMPLE)
    finding = found.findings[0] | {"rule": "GC000"}
    number = int((Places(found).of_finding(finding) or "").rpartition("-e")[2])
    assert 59 in found.ladders[0].ladder.events[number].frames


def test_a_step_leads_to_its_group() -> None:
    found = content(SAMPLE)
    run = next(run for run in found.flows if run["flow"] == "sign-in")
    places, groups = Places(found), found.ladders[0].ladder.groups
    for step in run["steps"]:
        target = places.of_step(run, step)
        assert (target is None) == (not step["frames"])
        if target is not None:
            assert groups[int(target.rpartition("-g")[2])].step == step["id"]


def test_a_session_is_led_to_where_it_is_told_or_listed() -> None:
    places = Places(content(SAMPLE))
    assert places.session(0) == "session-1"
    assert places.session(None) is None
    assert places.session(7) is None
