"""Nothing printed steers a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.export.printable import printable, printable_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("bell\x07", "bell\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\u202emoc.live", "\\u202emoc.live"),
        ("\ud800", "\\ud800"),
        ("Grüße, 世界", "Grüße, 世界"),
    ],
)
def test_control_characters_are_spelt_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_nothing_printed_can_steer_a_terminal(text: str) -> None:
    shown = printable(text)
    assert not any(ord(one) < 0x20 or 0x7F <= ord(one) < 0xA0 for one in shown)
    assert shown.encode("utf-8").decode() == shown


def test_lines_of_a_body_stay_lines() -> None:
    assert printable_lines("v=0\r\no=\x1b\r\n") == ["v=0", "o=\\x1b", ""]
