"""Clocks of inputs against the truth: how wrong each correction is, and what it says of itself."""

from __future__ import annotations

from array import array
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.inputs.bounds import ASSUMED_TRANSIT
from analyzer.inputs.clocks import estimate, reference_of
from analyzer.inputs.matching import connections, match
from analyzer.inputs.values import Clock, Step
from analyzer.inputs.words import describe
from analyzer.trace import open_capture
from tests.analyzer.inputs.vantage import HOUR, MS, SECOND, Place, repeated, seen
from tests.paths import require_shared

if TYPE_CHECKING:
    from analyzer.rows import Stream
    from analyzer.trace import Trace
    from analyzer.window import Window
    from tests.analyzer.inputs.vantage import Seen

SHARED = require_shared()
NAMES = ("client.pcapng", "fe.pcapng", "fe-trace.txt")


@cache
def capture(name: str) -> Trace:
    return open_capture(SHARED / name, index=False)


@cache
def hour() -> Window:
    """Return a sign-in every minute."""
    return repeated(capture("flows/r2-signin-full.pcap"), 60, 60 * SECOND)


def begin() -> int:
    return hour().rows.time[0]


def clocks(*places: Seen) -> list[Clock]:
    inputs = [place.window for place in places]
    matches = match(inputs)
    return estimate(inputs, matches, connections(matches, inputs))


def honest(place: Seen, clock: Clock) -> bool:
    """Tell whether a correction is as good as it says."""
    return place.error_of(clock) <= clock.error_ns


def up(stream: Stream, _: int) -> bool:
    return stream.src < stream.dst


def down(stream: Stream, _: int) -> bool:
    return stream.src > stream.dst


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(
        ["captures/batch.pcap", "captures/reconnect.pcap", "flows/fanout-missing.pcapng"]
    ),
    st.integers(-48 * HOUR, 48 * HOUR),
    st.integers(-200_000, 200_000),
    st.integers(0, 20 * MS),
    st.integers(0, 5 * MS),
    st.floats(0, 0.7),
    st.sampled_from([3, 6, 9]),
    st.integers(0, 99),
)
def test_the_error_is_honest_and_no_wider_than_the_paths(  # noqa: PLR0917
    name: str,
    offset: int,
    drift: int,
    transit: int,
    jitter: int,
    loss: float,
    digits: int,
    seed: int,
) -> None:
    near = seen(capture(name), Place(loss=loss / 2, seed=seed))
    far = seen(
        capture(name),
        Place(
            *(transit, jitter),
            offset_ns=offset, drift_ppb=drift, loss=loss, digits=digits, seed=seed + 1,
        ),
    )  # fmt: skip
    reference, clock = clocks(near, far)
    assert reference == Clock(0, 0, "reference")
    if clock.method == "both ways":
        assert honest(far, clock)
        assert clock.error_ns < transit + 8 * jitter + 10 * MS


@pytest.mark.parametrize("drift", [-200_000, -21_000, 0, 21_000, 100_000])
def test_an_hour_shows_the_drift(drift: int) -> None:
    near = seen(hour())
    far = seen(hour(), Place(2 * MS, MS, offset_ns=-7 * HOUR, drift_ppb=drift, loss=0.1))
    clock = clocks(near, far)[1]
    assert honest(far, clock)
    assert clock.error_ns < 3 * MS
    assert abs(clock.drift_ppb - drift) < 500
    assert (clock.method, clock.matches) == ("both ways", len(far.origin))


def test_milliseconds_and_jittery_stamps_are_averaged() -> None:
    near = seen(hour(), Place(noise_ns=MS, seed=1))
    place = Place(2 * MS, MS, digits=3, noise_ns=MS, offset_ns=2 * HOUR, drift_ppb=30_000)
    far = seen(hour(), place)
    clock = clocks(near, far)[1]
    assert honest(far, clock)
    assert clock.error_ns < 5 * MS


def test_the_same_place_has_the_same_clock() -> None:
    near, far = seen(hour()), seen(hour())
    clock = clocks(near, far)[1]
    assert (clock.offset_ns, clock.drift_ppb, clock.steps) == (0, 0, ())
    assert clock.error_ns < MS


@pytest.mark.parametrize(
    ("by", "digits"), [(HOUR, 3), (-HOUR, 3), (-HOUR, 9), (700 * MS, 6), (-13 * SECOND, 6)]
)
def test_a_clock_that_was_set_is_corrected_on_both_sides(by: int, digits: int) -> None:
    near = seen(hour())
    place = Place(
        *(2 * MS, MS),
        set_at=begin() + HOUR // 2, set_by=by, drift_ppb=30_000, digits=digits, offset_ns=HOUR,
    )  # fmt: skip
    far = seen(hour(), place)
    clock = clocks(near, far)[1]
    (step,) = clock.steps
    assert abs(step.by_ns - by) < 3 * MS
    assert honest(far, clock)
    assert clock.error_ns < 6 * MS
    frames = far.window.rows.frame
    assert step.frame == next(
        frame for frame, true in zip(frames, far.true, strict=True) if true >= begin() + HOUR // 2
    )


def test_two_steps_are_two() -> None:
    """As when summer time ends in a log that is read as if it had not, twice in two years."""
    near = seen(hour())
    far = seen(hour(), Place(2 * MS, set_at=begin() + HOUR // 3, set_by=HOUR))
    rows = far.window.rows
    for row, true in enumerate(far.true):
        if true >= begin() + HOUR * 2 // 3:
            rows.time[row] -= HOUR
            far.shown[row] -= HOUR
    clock = clocks(near, far)[1]
    assert [step.by_ns for step in clock.steps] == [HOUR, -HOUR]
    assert honest(far, clock)


def test_a_small_step_shows_in_the_error() -> None:
    near = seen(hour())
    far = seen(hour(), Place(2 * MS, MS, set_at=begin() + HOUR // 2, set_by=40 * MS))
    clock = clocks(near, far)[1]
    assert clock.steps == ()
    assert honest(far, clock)
    assert clock.error_ns > 10 * MS


def test_a_stall_is_no_step() -> None:
    """For ten seconds nothing gets through to the second place, then everything at once."""
    near, far = seen(hour()), seen(hour(), Place(2 * MS, MS))
    rows = far.window.rows
    stall = begin() + HOUR // 2
    for row, true in enumerate(far.true):
        stream = far.window.streams[rows.stream[row]]
        if stall <= true < stall + 10 * SECOND and stream.src < stream.dst:
            rows.time[row] = stall + 10 * SECOND + row
    clock = clocks(near, far)[1]
    assert clock.steps == ()
    assert honest(far, clock)
    assert clock.error_ns < 4 * MS


def test_mistaken_times_of_a_few_messages_do_no_harm() -> None:
    near, far = seen(hour()), seen(hour(), Place(2 * MS, MS, offset_ns=HOUR, drift_ppb=50_000))
    for row in range(100, len(far.window), 97):
        far.window.rows.time[row] += (row % 11 - 5) * SECOND
    clock = clocks(near, far)[1]
    assert honest(far, clock)
    assert clock.error_ns < 4 * MS
    assert abs(clock.drift_ppb - 50_000) < 500


# No message in common


def test_a_tap_with_two_ports_is_tied_by_requests_and_answers() -> None:
    one, other = (
        seen(hour(), Place(keep=up)),
        seen(hour(), Place(keep=down, offset_ns=HOUR, drift_ppb=50_000)),
    )
    clock = clocks(one, other)[1]
    assert clock.method == "order"
    assert honest(other, clock)
    assert clock.error_ns < 20 * MS
    assert abs(clock.drift_ppb - 50_000) < 1000


@pytest.mark.parametrize(
    ("name", "client"),
    [("fe-two-hops.pcapng", "192.168.2.22"), ("fanout-missing.pcapng", "10.20.2.")],
)
@pytest.mark.parametrize("offset", [-5 * HOUR, 1204 * MS])
def test_two_hops_are_tied_by_what_passed_through_the_front_end(
    name: str, client: str, offset: int
) -> None:
    trace = capture(f"flows/{name}")

    def near_client(stream: Stream, _: int) -> bool:
        return stream.src.startswith(client) or stream.dst.startswith(client)

    near = seen(trace, Place(keep=near_client))
    far = seen(
        trace, Place(keep=lambda stream, row: not near_client(stream, row), offset_ns=offset)
    )
    assert len(far.origin) > 10
    clock = clocks(near, far)[1]
    assert clock.method == "order"
    assert honest(far, clock)
    assert clock.error_ns < 3 * MS


def test_one_direction_seen_at_both_places_is_bounded_by_its_answers() -> None:
    near, far = seen(hour()), seen(hour(), Place(200_000, offset_ns=HOUR, keep=up))
    clock = clocks(near, far)[1]
    assert clock.method in ("one way", "order")
    assert honest(far, clock)
    assert clock.error_ns < ASSUMED_TRANSIT + 10 * MS


def test_one_direction_alone_says_so() -> None:
    near = seen(hour(), Place(keep=up))
    far = seen(hour(), Place(20 * MS, MS, offset_ns=HOUR, keep=up))
    clock = clocks(near, far)[1]
    assert clock.method == "one way"
    assert honest(far, clock)
    assert clock.error_ns >= ASSUMED_TRANSIT
    assert "one direction only" in describe(clock, NAMES)


def test_xccos_replies_follow_their_commands() -> None:
    """The only tie: commands in one input, replies in the other, and no SIP answer in either."""
    trace = capture("flows/r2-signin-full.pcap")
    rows = trace.rows

    def requests(element: str) -> set[int]:
        number = rows.strings.find(element)
        return {
            row
            for row in range(len(rows))
            if number in rows.item_columns["element"][rows.item[row] : rows.item_end(row)]
        }

    asked, told = requests("cmd"), requests("rpl")
    assert len(asked) > 2
    near = seen(trace, Place(keep=lambda _, row: row in asked))
    far = seen(trace, Place(offset_ns=HOUR, keep=lambda _, row: row in told))
    clock = clocks(near, far)[1]
    assert clock.method == "one way"
    assert clock.matches > 2
    assert abs(clock.offset_ns - HOUR) < SECOND


def test_unrelated_inputs_are_left_alone() -> None:
    near = seen(capture("captures/batch.pcap"))
    far = seen(capture("flows/clock-skew.pcap"), Place(offset_ns=HOUR))
    clock = clocks(near, far)[1]
    assert clock.method == "none"
    assert clock.corrected(far.window.rows.time[3]) == far.window.rows.time[3]
    assert describe(clock, NAMES) == (
        "clock unknown: nothing ties it to the other inputs, and its times are not corrected"
    )


def test_two_clients_with_equal_identifiers_tie_nothing() -> None:
    trace = capture("captures/callid-collision.pcap")
    near = seen(trace, Place(keep=lambda stream, _: stream.connection == 0))
    far = seen(trace, Place(keep=lambda stream, _: stream.connection == 1, offset_ns=HOUR))
    assert clocks(near, far)[1].method == "none"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.just(0), min_size=106, max_size=106))
def test_no_times_are_too_strange(times: list[int]) -> None:
    trace = capture("captures/batch.pcap")
    near, far = seen(trace).window, seen(trace).window
    near.rows.time[:], far.rows.time[:] = array("q", times[:53]), array("q", times[53:])
    matches = match([near, far])
    for clock in estimate([near, far], matches, connections(matches, [near, far])):
        assert describe(clock, NAMES)
        array("q", map(clock.corrected, times, range(len(times))))


def test_an_input_without_times_is_not_corrected() -> None:
    near, far = seen(capture("captures/batch.pcap")), seen(capture("captures/batch.pcap"))
    far.window.rows.time[:] = array("q", bytes(8 * len(far.origin)))
    assert clocks(near, far)[1].method == "none"


# More than two


def test_an_input_in_between_ties_two_that_have_nothing_in_common() -> None:
    first = seen(hour(), Place(keep=lambda _, row: row < 1000))
    last = seen(hour(), Place(2 * MS, MS, offset_ns=-HOUR, keep=lambda _, row: row > 2000, seed=1))
    between = seen(
        hour(),
        Place(MS, MS, offset_ns=5 * HOUR, drift_ppb=60_000, keep=lambda _, row: 500 < row < 2500),
    )
    found = clocks(first, last, between)
    assert [clock.against for clock in found] == [0, 2, 0]
    assert honest(last, found[1])
    assert honest(between, found[2])
    assert found[1].error_ns > found[2].error_ns
    assert "by way of fe-trace.txt" in describe(found[1], NAMES)


def test_inputs_that_nothing_ties_do_not_stop_the_others() -> None:
    trace = capture("captures/batch.pcap")
    places = (
        seen(trace),
        seen(capture("flows/clock-skew.pcap")),
        seen(trace, Place(MS, offset_ns=HOUR)),
    )
    assert [clock.method for clock in clocks(*places)] == ["reference", "none", "both ways"]


def test_the_reference_is_the_first_input_with_fine_times() -> None:
    trace = capture("captures/batch.pcap")
    text, fine = seen(trace, Place(digits=3)).window, seen(trace, Place(digits=6)).window
    short = seen(trace, Place(digits=3, keep=lambda _, row: row < 9)).window
    assert reference_of([text, fine, fine]) == 1
    assert reference_of([short, text, text]) == 1
    assert reference_of([short]) == 0
    assert estimate([], [], []) == []


# What is corrected, and what is said


def test_a_time_that_came_twice_is_told_apart_by_its_frame() -> None:
    clock = Clock(1, 0, "both ways", steps=(Step(10, 5 * HOUR, -HOUR),))
    assert clock.corrected(5 * HOUR, 9) == 5 * HOUR
    assert clock.corrected(5 * HOUR, 10) == 6 * HOUR
    assert clock.corrected(4 * HOUR) == 4 * HOUR
    assert clock.corrected(6 * HOUR) == 7 * HOUR


def test_drift_is_counted_in_time_that_passed_and_not_from_a_step() -> None:
    clock = Clock(
        1, 0, "both ways", offset_ns=SECOND, drift_ppb=100_000, at_ns=0,
        steps=(Step(10, HOUR + 60 * SECOND, HOUR),),
    )  # fmt: skip
    assert clock.ahead(50 * SECOND, 9) == SECOND + 5 * MS
    assert clock.ahead(HOUR + 60 * SECOND, 10) == HOUR + SECOND + 6 * MS


def test_beyond_the_messages_the_error_grows() -> None:
    clock = Clock(1, 0, "both ways", error_ns=MS, drift_error_ppb=10_000, since_ns=0, until_ns=HOUR)
    assert clock.error_at(HOUR // 2) == MS
    assert clock.error_at(HOUR + 100 * SECOND) == 2 * MS
    assert clock.error_at(-200 * SECOND) == 3 * MS


@pytest.mark.parametrize(
    ("clock", "text"),
    [
        (Clock(0, 0, "reference"), "clock that the others are compared with"),
        (
            Clock(1, 0, "both ways", 1204 * MS, 21_000, 0, 3 * MS, matches=412),
            "clock 1.204 s ahead of client.pcapng (± 3.0 ms, 412 messages seen in both), "
            "drifts 21 ppm",
        ),
        (
            Clock(1, 0, "both ways", -2 * MS, 0, 0, 3 * MS, matches=1),
            "clock agrees with client.pcapng (± 3.0 ms, 1 message seen in both)",
        ),
        (
            Clock(2, 0, "order", -2 * HOUR - 35 * MS, 0, 0, 12 * MS, matches=9, against=1),
            "clock 2 h and 35 ms behind client.pcapng (± 12 ms, from the order of requests, "
            "answers and copies by way of fe.pcapng)",
        ),
        (
            Clock(
                1, 0, "both ways", HOUR + HOUR // 2 - 12 * MS, 0, 0, 400_000, matches=2,
                steps=(Step(812, 0, -HOUR),),
            ),
            "clock 1 h 30 min less 12 ms ahead of client.pcapng (± 0.4 ms, 2 messages seen in "
            "both), was set back by 1 h at frame 812",
        ),
    ],
)  # fmt: skip
def test_a_clock_is_described_in_one_sentence(clock: Clock, text: str) -> None:
    assert describe(clock, NAMES) == text
