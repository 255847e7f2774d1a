"""Times of a report: in the chosen zone, with UTC at hand."""

from __future__ import annotations

from datetime import timedelta, timezone
from zoneinfo import ZoneInfo

from lxml import etree

from analyzer.moments import Moments

TIME = "2026-11-22T23:30:06.541123456Z"
EAST = Moments(timezone(timedelta(hours=2)))


def _filled(cell: object) -> etree._Element:
    assert callable(cell)
    made = etree.Element("td")
    cell(made)
    return made[0]


def test_a_time_is_shown_in_the_zone_and_named_in_utc() -> None:
    time = _filled(EAST.moment(TIME))
    assert time.text == "2026-11-23 01:30:06.541123 UTC+02:00"
    assert time.get("datetime") == "2026-11-22T23:30:06.541Z"
    assert time.get("title") == f"{time.text}\n2026-11-22 23:30:06.541123 UTC"


def test_a_clock_is_the_time_of_day_alone() -> None:
    assert _filled(Moments().clock(TIME)).text == "23:30:06.541123"
    assert _filled(Moments().clock("2026-11-22T23:30:06Z")).text == "23:30:06"
    assert Moments().clock(None) is None


def test_a_span_says_its_date_once_and_the_zone_at_its_end() -> None:
    later = "2026-11-22T23:30:08.1Z"
    assert Moments().span(TIME, later) == "2026-11-22 23:30:06.541123 to 23:30:08.1 UTC"
    assert Moments().span(None, later) == ""
    days = Moments().span(TIME, "2026-11-23T00:00:00Z")
    assert days == "2026-11-22 23:30:06.541123 to 2026-11-23 00:00:00 UTC"


def test_a_zone_knows_summer_time() -> None:
    berlin = Moments(ZoneInfo("Europe/Berlin"))
    assert berlin.heading("2026-07-01T12:00:00Z") == "time (UTC+02:00)"
    assert berlin.heading("2026-12-01T12:00:00Z") == "time (UTC+01:00)"
    assert berlin.heading(None) == "time (UTC)"
