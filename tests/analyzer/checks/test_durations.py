"""Durations as people write them."""

from __future__ import annotations

import pytest

from analyzer.checks.durations import milliseconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("250 ms", 250.0),
        ("5s", 5000.0),
        (" 1.5 min ", 90_000.0),
        ("2 h", 7_200_000.0),
        ("0 ms", 0.0),
        ("10 sec", 10_000.0),
    ],
)
def test_a_number_and_a_unit_are_a_duration(text: str, expected: float) -> None:
    assert milliseconds(text) == expected


@pytest.mark.parametrize(
    "text", ["5", "s", "", "-1 s", "5 S", "5 days", "1e3 s", "\u0665 s", "9" * 10 + " s"]
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration such as 250 ms, 5 s or 2 min"):
        milliseconds(text)
