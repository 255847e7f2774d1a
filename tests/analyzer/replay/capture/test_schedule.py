"""Times in messages: moved by what the capture is moved by, in their own form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay.capture.schedule import shifted, shifted_date

SECOND = 1_000_000_000
DAY = 86_400 * SECOND


@pytest.mark.parametrize(
    ("text", "shift", "moved"),
    [
        ("2026-11-22T07:20:06Z", SECOND, "2026-11-22T07:20:07Z"),
        ("2026-11-22T07:20:06Z", SECOND // 2, "2026-11-22T07:20:06Z"),
        ("2026-11-22T07:20:06.9Z", SECOND // 10, "2026-11-22T07:20:07.0Z"),
        ("2010-06-13T12:18:20.1234567Z", -DAY, "2010-06-12T12:18:20.1234567Z"),
        ("2026-12-31T23:59:59.5+02:00", SECOND, "2027-01-01T00:00:00.5+02:00"),
        ("2026-11-22T07:20:06", DAY, "2026-11-23T07:20:06"),
        ("22.11.2026 07:20", DAY, "22.11.2026 07:20"),
        ("2026-13-22T07:20:06Z", DAY, "2026-13-22T07:20:06Z"),
        ("0001-01-01T00:00:00Z", -DAY, "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59Z", DAY, "9999-12-31T23:59:59Z"),
    ],
)
def test_an_iso_time_keeps_its_precision_and_zone(text: str, shift: int, moved: str) -> None:
    assert shifted(text, shift) == moved


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("Sun, 13 Jun 2010 12:18:20 GMT", "Mon, 14 Jun 2010 12:18:20 GMT"),
        ("Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ("soon", "soon"),
        ("", ""),
    ],
)
def test_a_date_keeps_the_form_of_rfc_1123(text: str, moved: str) -> None:
    assert shifted_date(text, DAY) == moved


@given(st.datetimes().map(lambda one: one.isoformat() + "Z"), st.integers(-DAY, DAY))
def test_there_and_back_is_nowhere(text: str, shift: int) -> None:
    whole = shift // SECOND * SECOND
    there = shifted(text, whole)
    assert shifted(there, -whole) == text or there == text


@given(st.text(max_size=40), st.integers(-(1 << 62), 1 << 62))
def test_any_text_can_be_moved(text: str, shift: int) -> None:
    assert isinstance(shifted(text, shift), str)
    assert isinstance(shifted_date(text, shift), str)
