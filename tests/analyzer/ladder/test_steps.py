"""Which step of which flow a message belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.flows.runs import flows_of
from analyzer.ladder.scene import Scene
from analyzer.ladder.steps import StepBook, ended
from tests.analyzer.ladder.drawn import HOPS, MODEL, POST, RECORDED, TWO, opened

if TYPE_CHECKING:
    from pathlib import Path


def book_of(path: Path) -> StepBook:
    trace = opened(path)
    return StepBook(Scene(trace), flows_of(trace))


def step(book: StepBook, path: Path, frame: int) -> str | None:
    """Return flow and step of the first message of a frame."""
    found = book.of(Scene(opened(path)).origin(opened(path).rows.frame.index(frame)))
    return None if found is None else f"{book.runs[found.run].flow} {found.step.id}"


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (4, "sign-in 1"),
        (6, "sign-in 1"),
        (9, "sign-in 2"),
        (14, "sign-in 3"),
        (12, "sign-in 4"),
        (15, "sign-in 4"),
        (22, "sign-in 5"),
        (23, "sign-in 5"),
        (26, "sign-in 5"),
        (27, "sign-in 6"),
        (37, "posting 1"),
        (49, "posting 2"),
        (53, "posting 3"),
        (59, "posting 4"),
        (66, None),
        (73, None),
    ],
)
def test_a_message_is_of_the_step_that_its_request_shows(frame: int, expected: str | None) -> None:
    assert step(book_of(RECORDED), RECORDED, frame) == expected


def test_all_hops_of_a_message_are_of_one_step() -> None:
    book = book_of(HOPS)
    assert {step(book, HOPS, frame) for frame in (38, 39, 40, 42, 43, 44, 46, 48)} == {"sign-in 5"}


def test_copies_are_of_the_step_that_spreads_them_and_an_echo_alone_of_the_post() -> None:
    assert step(book_of(TWO), TWO, 120) == "posting 5"
    assert step(book_of(RECORDED), RECORDED, 60) == "posting 4"


def test_the_rows_of_a_run_are_those_of_its_steps_and_no_others() -> None:
    book = book_of(TWO)
    found = [book.rows(number) for number in range(len(book.runs))]
    assert all(found)
    assert sum(map(len, found)) == len(set().union(*found))
    assert book.rows(len(found)) == set()


def test_an_upload_is_of_the_step_that_names_its_frame() -> None:
    book = book_of(POST)
    found = [run.session for run in book.runs if run.flow == "posting"]
    upload = book.of_frame(found[0], 345)
    assert upload is not None
    assert upload.step.id == "4"
    assert book.of_frame(found[0] + 7, 345) is None


def test_questions_to_dns_are_of_the_first_step_of_the_sign_in() -> None:
    book = book_of(MODEL)
    assert book.of_frame(0, 2) is None
    book.locates(0, 2)
    found = book.of_frame(0, 2)
    assert found is not None
    assert (book.runs[found.run].flow, found.step.id) == ("sign-in", "1")
    book.locates(7, 2)
    assert book.of_frame(7, 2) is None


def test_the_messages_of_a_session_are_found_by_time() -> None:
    book, rows = book_of(TWO), opened(TWO).rows
    run = next(run for run in book.runs if run.flow == "sign-in")
    found = book.during(run.session, run.started, ended(run))
    times = [rows.time[row] for row in found]
    assert times == sorted(times)
    assert times[0] == run.started
    assert times[-1] <= ended(run)
    assert list(book.during(99, 0, 2**62)) == []
