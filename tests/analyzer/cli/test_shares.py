"""What is worked out in shares is what one process gives, whatever becomes of the others."""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.cli import shares, triage_text
from analyzer.cli.shares import MIN_SHARE, worked_out
from analyzer.cli.terminal import plain_terminal
from analyzer.trace import open_capture
from analyzer.views.told import tell
from analyzer.views.triage import triage_record
from tests.analyzer.captures import capture, message

if TYPE_CHECKING:
    from pathlib import Path

HERE = os.getpid()
MANY = list(range(3 * MIN_SHARE + 1))


def _squared(value: int) -> tuple[int, str]:
    return value, str(value * value)


def _where(_: int) -> tuple[int]:
    return (os.getpid(),)


def _only_here(value: int) -> tuple[int, str]:
    if os.getpid() != HERE:
        raise RuntimeError
    return _squared(value)


def _unsendable(value: int) -> tuple[Any, ...]:
    return value, value if os.getpid() == HERE else object()


def _no_children() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


@pytest.mark.parametrize("jobs", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 2 * MIN_SHARE - 1, 2 * MIN_SHARE, len(MANY)])
def test_values_come_in_order_from_any_number_of_processes(jobs: int, count: int) -> None:
    assert worked_out(MANY[:count], _squared, jobs) == [_squared(one) for one in MANY[:count]]
    assert _no_children()


def test_each_process_takes_a_share_and_few_values_stay_here() -> None:
    assert len(set(worked_out(MANY, _where, 3))) == 3
    assert set(worked_out(MANY[:MIN_SHARE], _where, 3)) == {(HERE,)}


def test_a_share_whose_child_fails_is_worked_out_here() -> None:
    assert worked_out(MANY, _only_here, 3) == [_squared(one) for one in MANY]
    assert worked_out(MANY, _unsendable, 2) == [(one, one) for one in MANY]
    assert _no_children()


def test_a_child_that_cannot_be_started_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refused)
    assert worked_out(MANY, _squared, 3) == [_squared(one) for one in MANY]


def test_a_process_with_threads_is_not_forked() -> None:
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    try:
        assert set(worked_out(MANY, _where, 3)) == {(HERE,)}
    finally:
        over.set()
        thread.join()


def test_an_error_here_ends_the_children_too() -> None:
    def failing(value: int) -> tuple[int]:
        if value == 0:
            raise KeyError(value)
        return (value,)

    with pytest.raises(KeyError):
        worked_out(MANY, failing, 3)
    assert _no_children()


def _many_sign_ins(path: Path) -> Path:
    """Write a capture of registrations, each of a user of its own."""
    return capture(path, *[_sign_in(number) for number in range(60)])


def _sign_in(number: int) -> bytes:
    user = f"<sip:user{number}@example.com>"
    return message(
        "REGISTER sip:example.com SIP/2.0",
        From=f"{user};tag={number};epid=e{number}",
        To=user,
        Call_ID=f"call-{number}",
        CSeq="1 REGISTER",
    )


def test_a_long_triage_says_the_same_from_one_process_and_from_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    for jobs in (1, 3):
        monkeypatch.setattr(shares, "MIN_SHARE", 5)
        monkeypatch.setattr(triage_text, "usable_jobs", lambda jobs=jobs: jobs)
        with open_capture(_many_sign_ins(tmp_path / f"many{jobs}.pcap")) as trace:
            record = triage_record(trace, "x", whole=False)
            lines = triage_text.triage_lines(record, plain_terminal(), partial(tell, trace, record))
            told.append(list(lines))
    assert told[0] == told[1]
    assert any("60 sessions" in line for line in told[0])
