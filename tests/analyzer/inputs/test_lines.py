"""Offset and drift from bounds: right within the error that is stated, and that error no joke."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.inputs.bounds import Bound, Bounds
from analyzer.inputs.lines import Line, fit
from tests.analyzer.inputs.vantage import HOUR, MS, SECOND

NOISE = 50_000


def _at(line: Line, time: int) -> int:
    return line.offset_ns + line.drift_ppb * (time - line.at_ns) // SECOND


def _bounds(
    delays: list[tuple[int, int, bool]], offset: int, drift: int, least: int
) -> tuple[Bounds, list[tuple[int, int]]]:
    """Return bounds of messages (time in ms, delay in µs, which way), and the truth."""
    bounds, truth = Bounds([], []), []
    for milliseconds, delay, there in delays:
        time = milliseconds * MS
        ahead = offset + drift * time // SECOND
        truth.append((time, ahead))
        late = least + delay * 1000
        bounds[0 if there else 1].append(Bound(time, ahead + late if there else ahead - late))
    return bounds, truth


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 600_000), st.integers(0, 20_000), st.booleans()),
        min_size=2,
        max_size=40,
    ).filter(lambda delays: len({there for *_, there in delays}) == 2),
    st.integers(-24 * HOUR, 24 * HOUR),
    st.integers(-200_000, 200_000),
    st.integers(0, 50 * MS),
)
def test_the_truth_is_within_the_stated_error(
    delays: list[tuple[int, int, bool]], offset: int, drift: int, least: int
) -> None:
    bounds, truth = _bounds(delays, offset, drift, least)
    line = fit(bounds, NOISE)
    # Eight bounds or more are taken for a sample: one far from the others for a mistake.
    assert all(abs(_at(line, time) - ahead) <= line.error_ns + MS for time, ahead in truth)


def _steady(count: int, drift: int, *, jitter: int = 1000) -> Bounds:
    """Return bounds for ten minutes of messages, their delays 2 ms and up."""
    delays = [
        (600_000 * k // count, jitter * (k * 7919 % 13) // 4, k % 2 == 0) for k in range(count)
    ]
    return _bounds(delays, HOUR, drift, 2 * MS)[0]


def test_messages_both_ways_give_the_offset_to_half_the_round_trip() -> None:
    line = fit(_steady(200, 0), NOISE)
    assert abs(line.offset_ns - HOUR) < MS // 5
    assert line.drift_ppb == 0
    assert 2 * MS <= line.error_ns < 3 * MS


def test_drift_is_found() -> None:
    for drift in (-200_000, -21_000, 21_000, 100_000):
        line = fit(_steady(200, drift), NOISE)
        assert abs(line.drift_ppb - drift) < 1000
        assert line.error_ns < 3 * MS
        assert abs(line.drift_ppb - drift) <= line.drift_error_ppb


def test_a_few_seconds_show_no_drift() -> None:
    delays = [(250 * k, 300 * (k % 3), k % 2 == 0) for k in range(20)]
    assert fit(_bounds(delays, HOUR, 21_000, 2 * MS)[0], NOISE).drift_ppb == 0


def test_mistaken_matches_do_no_harm() -> None:
    bounds = _steady(200, 21_000)
    for k in (10, 40, 77):
        bounds.upper[k] = bounds.upper[k]._replace(ahead_ns=HOUR - 7 * SECOND)
        bounds.lower[k] = bounds.lower[k]._replace(ahead_ns=HOUR + 500 * MS)
    line = fit(bounds, NOISE)
    assert abs(line.drift_ppb - 21_000) < 1500
    assert line.error_ns < 4 * MS


def test_a_clock_that_keeps_to_no_line_has_an_error_that_shows_it() -> None:
    bounds = _steady(200, 0)
    middle = 300 * SECOND
    for kind in bounds:
        kind[:] = [(Bound(time, ahead + 40 * MS * (time > middle))) for time, ahead in kind]
    line = fit(bounds, NOISE)
    for time in (0, middle - MS, middle + MS, 2 * middle):
        truth = HOUR + 40 * MS * (time > middle)
        assert abs(_at(line, time) - truth) <= line.error_ns


def test_a_drift_that_no_clock_has_is_not_told() -> None:
    assert fit(_steady(40, 3_000_000), NOISE).drift_ppb == 0


def test_one_message_each_way_is_enough() -> None:
    bounds = Bounds([Bound(5, HOUR + 3 * MS)], [Bound(5, HOUR - 3 * MS)])
    line = fit(bounds, NOISE)
    assert (line.offset_ns, line.drift_ppb) == (HOUR, 0)
    assert line.error_ns == 3 * MS + NOISE
