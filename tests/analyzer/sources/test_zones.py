"""Times of traces that do not say their zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.sources.zones import corrected
from analyzer.zones import parse_zone

SECOND = 1_000_000_000
BERLIN = ZoneInfo("Europe/Berlin")


def _ns(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * SECOND  # type: ignore[misc,arg-type]


def test_a_time_without_zone_is_taken_as_utc() -> None:
    assert corrected(_ns(2012, 1, 18, 5, 0), None) == _ns(2012, 1, 18, 5, 0)
    assert corrected(_ns(2012, 1, 18, 5, 0), UTC) == _ns(2012, 1, 18, 5, 0)


def test_an_offset_is_taken_off() -> None:
    zone = timezone(timedelta(hours=2))
    assert corrected(_ns(2012, 1, 18, 5, 0) + 123, zone) == _ns(2012, 1, 18, 3, 0) + 123


def test_summer_time_is_that_of_the_day() -> None:
    assert corrected(_ns(2012, 1, 18, 5, 0), BERLIN) == _ns(2012, 1, 18, 4, 0)
    assert corrected(_ns(2012, 7, 18, 5, 0), BERLIN) == _ns(2012, 7, 18, 3, 0)


@given(st.integers(-(2**63), 2**63 - 1))
def test_no_time_is_too_far(time: int) -> None:
    for zone in (BERLIN, timezone(timedelta(hours=-14)), None):
        assert abs(corrected(time, zone) - time) <= 14 * 3600 * SECOND


def test_the_hour_that_comes_twice_is_told_by_what_came_before() -> None:
    first = corrected(_ns(2010, 10, 31, 2, 59), BERLIN)
    assert first == _ns(2010, 10, 31, 0, 59)
    assert corrected(_ns(2010, 10, 31, 2, 0), BERLIN, first) == _ns(2010, 10, 31, 1, 0)
    assert corrected(_ns(2010, 10, 31, 2, 58), BERLIN, first) == _ns(2010, 10, 31, 0, 58)
    assert corrected(_ns(2010, 10, 31, 3, 0), BERLIN, first) == _ns(2010, 10, 31, 2, 0)


@pytest.mark.parametrize(
    ("text", "hours"),
    [("UTC", 0), ("UTC+1", 1), ("utc-05:00", -5), ("GMT +2", 2), ("+0530", 5.5), ("Etc/GMT-1", 1)],
)
def test_zones_are_read_as_people_write_them(text: str, hours: float) -> None:
    assert parse_zone(text).utcoffset(datetime(2026, 1, 1)) == timedelta(hours=hours)  # noqa: DTZ001
