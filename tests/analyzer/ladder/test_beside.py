"""What stands beside SIP: DNS, uploads, holes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.ladder.beside import _gap_words, told
from analyzer.ladder.scene import Scene
from analyzer.ladder.selection import Choice
from analyzer.ladder.values import Note
from analyzer.quality import Hole
from analyzer.times import parse_typed_time
from tests.analyzer.flows.cuts import edited
from tests.analyzer.ladder.drawn import MODEL, POST, between, drawn, opened
from tests.analyzer.truths import FLOWS, named

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.ladder.values import Ladder

HOLES = named(FLOWS, "hole-in-the-middle")


def notes(ladder: Ladder, kind: str) -> list[Note]:
    return [one for one in ladder.events if isinstance(one, Note) and one.kind == kind]


# DNS


def test_questions_and_answers_of_dns_come_before_the_first_message() -> None:
    shown = [(one.label, one.tone) for one in drawn(MODEL).arrows[:4]]
    name = "_tcp.emea.adatum.example"
    assert shown == [
        (f"SRV _sipinternaltls.{name}", "plain"),
        (f"SRV _sipinternaltls.{name}: no such name", "doubtful"),
        (f"SRV _sipinternal.{name}", "plain"),
        (f"SRV _sipinternal.{name}: ocsfe01.emea.adatum.example:5060", "plain"),
    ]


@pytest.mark.parametrize(
    "choice",
    [
        Choice(dialogs=("#0",)),
        Choice(frames=((1, 200),)),
        Choice(from_time=parse_typed_time("13:51")),
        Choice(rooms=("e",)),
    ],
)
def test_who_chose_messages_gets_no_dns(choice: Choice) -> None:
    assert not any(one.kind == "connection" for one in drawn(MODEL, choice).arrows)


def test_a_question_of_a_machine_is_told_once_though_two_sessions_are_on_it() -> None:
    path = named(FLOWS, "stale-duplicate-dialog")
    trace = opened(path)
    asked = [one for one in drawn(path).arrows if one.kind == "connection"]
    assert len(asked) == len({one.frame for one in asked}) == len(trace.quality.queries)


# Uploads


def test_an_upload_goes_from_the_client_to_the_web_service() -> None:
    ladder = drawn(POST)
    (upload,) = [one for one in ladder.arrows if one.kind == "connection"]
    assert between(ladder, upload) == ("grace.o", "Web service")
    assert upload.rows == ()
    assert upload.session == 1 or upload.session == 0
    before = [one.time for one in ladder.arrows if one.label.startswith("INFO rpl:getftok")]
    assert before[0] < upload.time


def test_a_token_that_was_never_used_draws_nothing() -> None:
    kinds = [one.kind for one in drawn(named(FLOWS, "token-no-upload")).lanes]
    assert "web" not in kinds


# Holes


def test_a_hole_is_a_note_between_the_two_ends_of_its_connection() -> None:
    ladder = drawn(HOLES)
    first, second = notes(ladder, "hole")
    assert first.label == "hole in the capture: 12497 bytes missing"
    assert first.text == (
        "12497 bytes from 192.168.1.13:5060 to 192.168.2.20:49182 are missing before frame 53"
    )
    assert {ladder.lanes[at].kind for at in first.lanes} == {"client", "front-end"}
    assert (first.frames, second.frames) == ((53,), (56,))
    assert first.tone == "doubtful"


def test_holes_in_one_place_are_one_note(tmp_path: Path) -> None:
    # Two segments of a reply are gone, and those before and between them are there.
    with edited(tmp_path, MODEL, lambda frame: frame.number not in {69, 71}) as trace:
        lost = trace.quality.holes
        found = notes(drawn(trace), "hole")
    assert sorted(frame for one in found for frame in one.frames) == [one.frame for one in lost]
    assert len(found) == len({one.time for one in found})


def test_holes_of_unknown_length_are_told_as_more_than_what_is_known() -> None:
    scene = Scene(opened(HOLES))
    holes = [Hole(0, 40, 100), Hole(0, 40, 0), Hole(0, 41, 7)]
    label, text, frames = _gap_words(scene, 0, holes)
    assert label == "3 holes in the capture: more than 107 bytes missing"
    assert text.endswith(" are missing before frames 40-41")
    assert frames == (40, 41)
    assert _gap_words(scene, 0, [Hole(0, 9, 0)])[0] == "hole in the capture: some bytes missing"


def test_a_hole_outside_what_is_chosen_is_not_drawn() -> None:
    assert notes(drawn(HOLES, Choice(frames=((1, 40),))), "hole") == []
    assert notes(drawn(HOLES, Choice(dialogs=("#0",))), "hole") == []


def test_a_hole_stays_between_lanes_that_are_shown() -> None:
    assert notes(drawn(HOLES, hide_lanes=("front-end",)), "hole") == []


# Findings


def test_a_finding_is_told_at_the_last_of_its_frames_that_is_shown() -> None:
    from analyzer.diagnostics.table import diagnose

    findings = diagnose(opened(HOLES))
    (hole,) = [one for one in findings if one.rule == "GC901"]
    assert [at for at, one in told(findings, range(1, 55)) if one is hole] == [53]
    assert [at for at, one in told(findings, range(1, 100)) if one is hole] == [56]
    assert list(told(findings, ())) == []
    assert not any(one.severity == "note" for _, one in told(findings, range(1000)))
