"""The frames of what commands show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.flows.runs import flows_of
from analyzer.trace import Trace, open_capture
from analyzer.wireshark import shown
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def trace() -> Iterator[Trace]:
    with open_capture(SAMPLES / "fault-503.pcap") as opened:
        yield opened


def test_a_command_has_its_sip_answer_and_its_replies(trace: Trace) -> None:
    join = next(pair for pair in trace.analysis().pairs if pair.command == "join")
    assert sorted(set(shown.of_pair(trace, join))) == [44, 46, 48, 49]


def test_a_post_that_was_refused_has_the_refusal(trace: Trace) -> None:
    post = next(pair for pair in trace.analysis().pairs if pair.outcome == "rejected")
    assert sorted(set(shown.of_pair(trace, post))) == [57, 59]


def test_a_message_has_every_frame_that_brought_bytes_of_it(trace: Trace) -> None:
    row = next(row for row in range(len(trace)) if len(trace.frames(row)) > 1)
    assert tuple(shown.of_message(trace, row)) == trace.frames(row)


def test_a_session_has_its_dialogs_and_its_requests_outside(trace: Trace) -> None:
    analysis = trace.analysis()
    (session,) = analysis.sessions
    frames = set(shown.of_session(trace, session))
    of_dialogs = {frame for one in analysis.dialogs for frame in shown.of_dialog(trace, one)}
    assert of_dialogs < frames
    assert frames == {frame for row in range(len(trace)) for frame in trace.frames(row)}


def test_a_run_has_its_steps_and_copies(trace: Trace) -> None:
    second = [run for run in flows_of(trace) if run.flow == "posting"][1]
    frames = set(shown.of_run(trace, second))
    assert {61, 62, 64} <= frames
    assert {frame for step in second.steps for frame in step.frames} <= frames
