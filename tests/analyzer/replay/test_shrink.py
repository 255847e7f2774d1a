"""Minimal cases: what is looked for still shows, little else is left, and it is well-formed."""

from __future__ import annotations

import fcntl
import sys
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.replay.check import errors_of
from analyzer.replay.derive.build import derive
from analyzer.replay.parts import without
from analyzer.replay.script import SERVER
from analyzer.replay.script_json import read_script, write_script
from analyzer.replay.shrink import Shrunk, finding_shows, shrink, until_exit
from analyzer.replay.transport.commands import CommandError, run_command
from analyzer.trace import open_capture
from tests.paths import SAMPLES, SHARED, require_shared

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.replay.script import Script

pytestmark = pytest.mark.usefixtures("corpus")


@pytest.fixture(scope="module", name="corpus")
def _corpus() -> Path:
    return require_shared()


@cache
def script(path: Path) -> Script:
    with open_capture(path, index=False) as trace:
        return derive(trace)


def shrunk(name: str, rule: str, *, playable: bool = False) -> tuple[Script, Shrunk]:
    folder = SAMPLES if (SAMPLES / name).is_file() else SHARED / "flows"
    whole = script(folder / name)
    return whole, shrink(whole, lambda one: finding_shows(one, [rule]), playable=playable)


def said(one: Script) -> list[str]:
    """Return the start of each turn, without slots."""
    return [turn.message.start.split(" ")[0] for turn in one.turns]


@pytest.mark.parametrize(
    ("name", "rule", "turns"),
    [
        ("fault-503.pcap", "GC409", 2),
        ("fault-no-reply.pcap", "GC301", 6),
        ("fault-no-reply.pcap", "GC408", 6),
        ("reconnect.pcap", "GC203", 2),
        ("partial-join.pcap", "GC303", 12),
        ("overload-503-burst.pcap", "GC204", 12),
        ("retry-503-succeeds.pcap", "GC201", 16),
        ("lookup-404.pcap", "GC101", 3),
        ("token-no-upload.pcap", "GC502", 8),
    ],
)
def test_the_finding_is_still_there_in_a_few_turns(name: str, rule: str, turns: int) -> None:
    whole, least = shrunk(name, rule)
    assert finding_shows(least.script, [rule])
    assert len(least.script.turns) <= turns
    assert len(least.script.turns) + len(least.dropped) == len(whole.turns)
    assert least.runs <= 60
    assert errors_of(least.script) == []
    assert read_script(write_script(least.script)) == least.script


def test_of_a_refused_post_the_post_and_its_answer_are_left() -> None:
    _, least = shrunk("fault-503.pcap", "GC409")
    assert [turn.message.start for turn in least.script.turns][
        1
    ] == "SIP/2.0 503 Service Unavailable"
    assert "this one is refused" in {slot.value for slot in least.script.slots}
    assert least.script.turns[1].answers == least.script.turns[0].id
    assert {party.id for party in least.script.parties} == {"client1", SERVER}
    assert len(least.script.dialogs) == len(least.script.connections) == 1


def test_a_case_that_is_to_be_played_keeps_how_it_came_about() -> None:
    _, least = shrunk("fault-503.pcap", "GC409", playable=True)
    starts = said(least.script)
    assert starts[0] == "REGISTER"
    assert starts.count("INVITE") == 2
    assert "SUBSCRIBE" not in starts
    assert len(starts) <= 24
    learned = [slot for slot in least.script.slots if slot.kind == "uri" and slot.said_by == SERVER]
    assert learned
    assert errors_of(least.script) == []


def test_the_same_case_is_found_every_time() -> None:
    assert shrunk("overload-503-burst.pcap", "GC204") == shrunk("overload-503-burst.pcap", "GC204")


def test_a_whole_group_of_rules_is_meant_by_its_beginning() -> None:
    whole = script(SAMPLES / "fault-no-reply.pcap")
    assert finding_shows(whole, ["GC3", "gc408"])
    assert not finding_shows(whole, ["GC301", "GC101"])


def test_a_script_that_gives_no_capture_shows_nothing() -> None:
    whole = script(SAMPLES / "fault-503.pcap")
    assert not finding_shows(without(whole, frozenset(turn.id for turn in whole.turns)), ["GC"])


# What is tried on the way.


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_every_script_that_is_tried_is_well_formed(seed: int, playable: bool) -> None:
    def holds(one: Script) -> bool:
        assert errors_of(one) == []
        kept = {turn.id for turn in one.turns}
        assert all(name in kept for turn in one.turns for name in turn.after)
        return hash((seed, len(kept))) % 3 > 0

    least = shrink(script(SAMPLES / "fault-no-reply.pcap"), holds, most=12, playable=playable)
    assert least.runs <= 13


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_turns_that_must_stay_are_left_with_what_they_answer_and_little_else(
    data: st.DataObject,
) -> None:
    whole = script(SAMPLES / "signin-tcp.pcap")
    requests = [turn.id for turn in whole.turns if turn.is_request and turn.cause is None]
    wanted = set(data.draw(st.lists(st.sampled_from(requests), min_size=1, max_size=3)))
    least = shrink(whole, lambda one: wanted <= {turn.id for turn in one.turns})
    roots = {turn.id for turn in least.script.turns if not (turn.cause or turn.answers)}
    assert roots == wanted


def test_a_turn_waits_for_what_a_dropped_one_had_waited_for() -> None:
    whole = script(SAMPLES / "signin-tcp.pcap")
    later = next(turn for turn in whole.turns if len(turn.after) == 1 and turn.cause is None)
    middle = whole.turn(later.after[0])
    assert middle is not None
    assert middle.after
    left = without(whole, frozenset({middle.id})).turn(later.id)
    assert left is not None
    assert left.after == middle.after


def test_a_value_that_nobody_says_any_more_is_given_as_recorded() -> None:
    whole = script(SAMPLES / "signin-tcp.pcap")
    learned = next(slot for slot in whole.slots if slot.kind == "uri" and slot.said_by == SERVER)
    assert learned.turn is not None
    left = without(whole, frozenset({learned.turn})).slot(learned.name)
    assert left is not None
    assert left.value == learned.value
    assert left.said_by is None or left.turn != learned.turn


def test_tries_are_bounded_and_told() -> None:
    told: list[tuple[int, int]] = []
    whole = script(SAMPLES / "signin-tcp.pcap")
    least = shrink(whole, lambda _: False, progress=lambda *one: told.append(one), most=5)
    assert (least.script, least.dropped) == (whole, ())
    assert least.runs <= 6
    assert told[-1] == (5, len(whole.turns))


# Commands.

HAS_503 = "import sys; sys.exit('SIP/2.0 503' not in open(sys.argv[1], encoding='utf-8').read())"


def test_a_command_that_exits_with_zero_says_that_it_still_shows() -> None:
    whole = script(SAMPLES / "fault-503.pcap")
    command = [sys.executable, "-Ic", HAS_503, "{}"]
    assert until_exit(whole, command)
    refused = next(turn for turn in whole.turns if turn.message.status == 503)
    assert not until_exit(without(whole, frozenset({refused.id})), command)


def test_a_command_that_cannot_be_run_is_one_line() -> None:
    with pytest.raises(
        CommandError, match="'/nowhere/at-all x' cannot be run: No such file"
    ) as error:
        run_command(["/nowhere/at-all", "x"])
    assert "\n" not in str(error.value)


LOCKED = """
import fcntl, subprocess, sys
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
wait = "import threading; threading.Event().wait(30)"
subprocess.run([sys.executable, "-Ic", wait], pass_fds=[lock.fileno()])
"""


def test_a_command_that_takes_too_long_is_ended_with_what_it_started(tmp_path: Path) -> None:
    held = tmp_path / "lock"
    assert run_command([sys.executable, "-Ic", LOCKED, str(held)], seconds=1.0) is None
    began = monotonic()
    with held.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # free when the last process that has it is gone
    assert monotonic() - began < 20.0


def test_a_command_that_a_signal_ends_has_a_negative_status() -> None:
    assert run_command([sys.executable, "-Ic", "import os; os.kill(os.getpid(), 9)"]) == -9
