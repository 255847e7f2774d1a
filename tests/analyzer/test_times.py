"""Times as text and as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.times import (
    SECOND,
    clock_text,
    duration_text,
    latency_text,
    parse_typed_time,
    time_text,
)

MOMENT = 1_795_332_006_541_321_987  # 2026-11-22T07:20:06.541321987Z


@pytest.mark.parametrize(
    ("digits", "text"),
    [
        (0, "2026-11-22T07:20:06Z"),
        (3, "2026-11-22T07:20:06.541Z"),
        (6, "2026-11-22T07:20:06.541321Z"),
        (9, "2026-11-22T07:20:06.541321987Z"),
    ],
)
def test_a_time_has_as_many_digits_as_the_capture(digits: int, text: str) -> None:
    assert time_text(MOMENT, digits) == text


def test_the_time_of_day_has_no_zone() -> None:
    assert clock_text(MOMENT, 3) == "07:20:06.541"


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1), st.integers(0, 9))
def test_every_time_that_a_row_can_hold_has_a_text(ns: int, digits: int) -> None:
    assert time_text(ns, digits).endswith("Z")


@pytest.mark.parametrize(
    ("typed", "first", "last"),
    [
        ("2026-11-22", "2026-11-22T00:00:00.000000000Z", "2026-11-22T23:59:59.999999999Z"),
        ("07:20", "2026-11-22T07:20:00.000000000Z", "2026-11-22T07:20:59.999999999Z"),
        ("07:20:06", "2026-11-22T07:20:06.000000000Z", "2026-11-22T07:20:06.999999999Z"),
        ("07:20:06.5", "2026-11-22T07:20:06.500000000Z", "2026-11-22T07:20:06.599999999Z"),
        ("2026-11-22 07:20Z", "2026-11-22T07:20:00.000000000Z", "2026-11-22T07:20:59.999999999Z"),
        (
            "2026-11-22T09:20:06+02:00",
            "2026-11-22T07:20:06.000000000Z",
            "2026-11-22T07:20:06.999999999Z",
        ),
        (
            "2026-11-22T07:20:06.541321987Z",
            "2026-11-22T07:20:06.541321987Z",
            "2026-11-22T07:20:06.541321987Z",
        ),
        # A time of day is of the first day of the capture as that zone has it.
        ("23:00-0900", "2026-11-22T08:00:00.000000000Z", "2026-11-22T08:00:59.999999999Z"),
    ],
)
def test_a_typed_time_means_all_of_its_smallest_unit(typed: str, first: str, last: str) -> None:
    found = parse_typed_time(typed)
    assert time_text(found.first(MOMENT), 9) == first
    assert time_text(found.last(MOMENT), 9) == last


@pytest.mark.parametrize(
    "typed",
    ["", "now", "2026-13-01", "25:00", "07:61", "Z", "2026-11-22T", "7:20", "07:20+99:00", "1"],
)
def test_what_is_no_time_is_refused_in_one_line(typed: str) -> None:
    with pytest.raises(ValueError, match="not a time") as caught:
        parse_typed_time(typed)
    assert "\n" not in str(caught.value)


@given(st.integers(0, 2**62), st.integers(0, 9))
def test_a_time_that_was_shown_can_be_typed(ns: int, digits: int) -> None:
    typed = parse_typed_time(time_text(ns, digits))
    assert typed.first(MOMENT) <= ns <= typed.last(MOMENT)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (541_000_000, "0.541 s"),
        (12_400_000_000, "12.4 s"),
        (187 * SECOND, "3 min 7 s"),
        (7_500 * SECOND, "2 h 5 min"),
        (100_000 * SECOND, "1 d 3 h"),
    ],
)
def test_a_span_is_told_in_its_own_unit(ns: int, text: str) -> None:
    assert duration_text(ns) == text


@pytest.mark.parametrize(
    ("latency", "text"),
    [(None, ""), (0.42, "0.42 ms"), (18.44, "18.4 ms"), (180.2, "180 ms"), (9020.0, "9.02 s")],
)
def test_a_latency_has_three_figures(latency: float | None, text: str) -> None:
    assert latency_text(latency) == text
