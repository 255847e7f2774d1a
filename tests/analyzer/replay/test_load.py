"""Many clients as figures: who they are, when they begin, what they came to."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay import load
from analyzer.replay.load import (
    MAX_KEPT,
    Histogram,
    Load,
    Tally,
    UsersError,
    line_of,
    parse_users,
    read_users,
)
from analyzer.replay.options import User
from analyzer.replay.results import Latency, Outcome, Status, Verdict
from tests.analyzer.replay.fakes import Fake

if TYPE_CHECKING:
    from pathlib import Path


def _load(clients: int, rate: float, ramp: float = 0.0, users: tuple[User, ...] = ()) -> Load:
    return Load(lambda _index, _user: Fake(), users, clients, rate, ramp)


def test_without_a_ramp_starts_are_even() -> None:
    assert list(_load(5, 20.0).starts()) == pytest.approx([0.0, 0.05, 0.1, 0.15, 0.2])


def test_a_ramp_reaches_the_rate_at_its_end() -> None:
    starts = list(_load(400, 20.0, ramp=10.0).starts())
    assert starts[0] == 0.0
    # Half as many as at the full rate: the mean of a rate that grows evenly is its half.
    assert sum(1 for start in starts if start < 10.0) == 100
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert gaps[99:] == pytest.approx([0.05] * 300, rel=0.01)


@given(st.integers(1, 300), st.floats(0.1, 1000), st.floats(0, 100))
def test_starts_never_go_back_and_no_two_are_closer_than_the_rate_allows(
    clients: int, rate: float, ramp: float
) -> None:
    starts = list(_load(clients, rate, ramp).starts())
    assert len(starts) == clients
    for earlier, later in pairwise(starts):
        assert later - earlier >= (1 / rate) * 0.999


def test_users_are_taken_in_turn() -> None:
    one, two = User("a@example.com"), User("b@example.com")
    crowd = _load(3, 1.0, users=(one, two))
    assert [crowd.user(index) for index in range(3)] == [one, two, one]
    assert _load(3, 1.0).user(2) is None


# Users


def test_users_are_read_with_their_slots() -> None:
    text = (
        "user,password,login,text1,room1\n"
        'alice@example.com,s3cret,EXAMPLE\\alice,"hello, all\nof you",\n'
        "\n"
        "sip:bob@example.com,,,,main\n"
    )
    assert parse_users(text, "users.csv") == (
        User("alice@example.com", "s3cret", "EXAMPLE\\alice", {"text1": "hello, all\nof you"}),
        User("bob@example.com", None, None, {"room1": "main"}),
    )


def test_a_file_of_users_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    path.write_bytes(b"\xef\xbb\xbfuser\r\nj\xc3\xb6rg@example.com\r\n")
    assert read_users(path) == (User("jörg@example.com", None, None, {}),)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "u:1: the first line names the columns: user,password[,login][,SLOT...]"),
        ("alice@example.com,secret\n", "u:1: the first line names the columns: user,"),
        ("user;password\na@b;c\n", "u:1: the first line names the columns: user,"),
        ("user,pass word\n", "u:1: 'pass word' is no name of a slot"),
        ("user,user\n", "u:1: two columns user"),
        ("user\n", "u: no users below the header"),
        ("user,password\na@b,c\na@b\n", "u:3: 1 fields, and 2 columns"),
        ("user\nalice\n", "u:2: the user is no name@domain: 'alice'"),
        ("user\na b@c\n", "u:2: the user is no name@domain: 'a b@c'"),
        ("user,password\na@b,c\x00d\n", "u:2: "),
        ('user,password\na@b,"c\nd"\n', "u:3: control character in password"),
        ("user,text1\na@b,\x1b[2J\n", "u:2: control character in text1"),
        ('user\n"a@b\n', "u:2: "),
    ],
)
def test_what_is_wrong_with_users_is_said_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(UsersError) as caught:
        parse_users(text, "u")
    assert str(caught.value).startswith(complaint)
    assert "\n" not in str(caught.value)


def test_no_complaint_shows_a_password() -> None:
    for text in ("user,password\nalice,hunter2\n", "user,password\na@b,hunter2,\n"):
        with pytest.raises(UsersError) as caught:
            parse_users(text, "u")
        assert "hunter2" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsersError, match=r"cannot read .*: No such file or directory"):
        read_users(tmp_path / "absent.csv")
    (tmp_path / "latin.csv").write_bytes(b"user\na@b\nj\xf6rg@example.com\n")
    with pytest.raises(UsersError, match=r"latin\.csv:3: not UTF-8"):
        read_users(tmp_path / "latin.csv")


@given(st.text(max_size=200))
def test_any_text_is_users_or_one_line(text: str) -> None:
    try:
        users = parse_users("user,password\n" + text, "u")
    except UsersError as error:
        lines = str(error).splitlines()
    else:
        lines = [user.user for user in users if user.user.count("@") == 1][:1]
    assert len(lines) == 1


def test_too_many_users_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "MAX_USERS", 3)
    with pytest.raises(UsersError, match="more than 3 users"):
        parse_users("user\n" + "a@b\n" * 4, "u")


# Percentiles


@given(st.lists(st.floats(1e-6, 1e3), min_size=1, max_size=200), st.integers(5, 50))
def test_percentiles_are_those_of_the_sorted_samples_within_a_bucket(
    samples: list[float], kept: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(load, "MAX_EXACT", kept)
        times = Histogram()
        for seconds in samples:
            times.add(seconds)
        found = times.percentiles("INFO")
    ordered = sorted(samples)
    for share, value in ((50, found.p50), (90, found.p90), (95, found.p95), (99, found.p99)):
        rank = -(-share * len(ordered) // 100)  # nearest rank, upwards
        assert value == pytest.approx(ordered[rank - 1], rel=0.006)
    assert found.max == ordered[-1]
    assert found.samples == len(samples)


def test_few_samples_are_exact() -> None:
    times = Histogram()
    for number in range(1, 101):
        times.add(number / 1000)
    assert times.percentiles("INFO")[1:] == (100, 0.05, 0.09, 0.095, 0.099, 0.1)


def test_a_million_samples_take_no_more_room_than_the_buckets() -> None:
    times = Histogram()
    for number in range(200_000):
        times.add((number % 1000 + 1) / 1000)
    assert len(times._buckets) < 800
    assert len(times._exact) <= load.MAX_EXACT


# Counters


def _outcome(*statuses: Status, complete: bool = True) -> Outcome:
    verdicts = tuple(Verdict("t1", "client1", None, "INFO", status) for status in statuses)
    return Outcome(verdicts, ("retried",), (Latency("INFO", 0.25),), complete)


def test_a_view_says_how_it_stands() -> None:
    tally = Tally(5)
    for _ in range(4):
        tally.begin()
    tally.finish(_outcome("held", "unexpected"))
    tally.finish(_outcome("held", "missing", "differs", "missing"))
    tally.finish(_outcome("held", complete=False))
    view = tally.view(10.0, 200, {"fin": 3, "refused": 1})
    assert (view.clients, view.started, view.running, view.done, view.failed) == (5, 4, 1, 3, 2)
    assert view.rate == 20.0
    assert view.errors == (("missing", 2), ("differs", 1), ("refused", 1))
    assert view.latencies == (("INFO", 3, 0.25, 0.25, 0.25, 0.25, 0.25),)
    assert tally.view(15.0, 250, {}).rate == 10.0
    assert line_of(view) == (
        "10 s, 4 of 5 started, 1 running, 2 failed, 20 messages/s, 2 missing, 1 differs, "
        "1 refused, slowest: INFO p99 250 ms"
    )


def test_a_result_has_what_did_not_hold_and_counts_the_rest() -> None:
    tally = Tally(2)
    missing: list[Status] = ["missing"] * MAX_KEPT
    for _ in range(2):
        tally.begin()
        tally.finish(_outcome(*missing, "held"))
    result = tally.result(tally.view(1.0, 0, {}))
    assert len(result.outcome.verdicts) == MAX_KEPT
    assert result.left_out == MAX_KEPT
    assert result.verdicts == {"missing": 2 * MAX_KEPT, "held": 2}
    assert result.outcome.notes == ("retried (×2)",)
    assert result.outcome.played == 2
    assert not result.held


def test_all_held_is_only_so_when_everybody_played() -> None:
    tally = Tally(2)
    tally.begin()
    tally.finish(_outcome("held"))
    assert not tally.result(tally.view(1.0, 0, {})).held
    tally.begin()
    tally.finish(_outcome("held"))
    assert tally.result(tally.view(2.0, 0, {})).held
