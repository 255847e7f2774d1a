"""Display filters: short, exact, and what Wireshark takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.wireshark.filters import (
    MAX_LENGTH,
    call_id_filter,
    frames_filter,
    frames_filters,
    quoted,
)
from tests.analyzer.captures import capture, message
from tests.analyzer.wireshark.tshark import shown
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.untraced


SAMPLE = SAMPLES / "signin-tcp.pcap"


def _frames(text: str) -> list[int]:
    """Read a filter back."""
    if "{" not in text:
        return [int(text.rpartition(" ")[2])]
    found: list[int] = []
    for part in text.partition("{")[2].rstrip("}").split(", "):
        first, _, last = part.partition("..")
        found += range(int(first), int(last or first) + 1)
    return found


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([4], "frame.number == 4"),
        ([4, 6], "frame.number in {4, 6}"),
        ([8, 9], "frame.number in {8, 9}"),
        ([13, 4, 6, 8, 9, 10, 11, 12, 4], "frame.number in {4, 6, 8..13}"),
        ([1, 2, 3], "frame.number in {1..3}"),
        ([], "frame.number == 0"),
    ],
)
def test_runs_of_frames_are_ranges(frames: list[int], expected: str) -> None:
    assert frames_filter(frames) == expected


@given(st.sets(st.integers(1, 10**7), min_size=1))
def test_a_filter_names_the_frames_and_no_others(frames: set[int]) -> None:
    assert _frames(frames_filter(frames)) == sorted(frames)


def test_what_is_too_long_is_split_and_nothing_is_lost() -> None:
    frames = list(range(1, 100_000, 7))
    found = frames_filters(frames)
    assert len(found) > 1
    assert max(map(len, found)) <= MAX_LENGTH
    assert [frame for one in found for frame in _frames(one)] == frames


def test_a_filter_as_long_as_allowed_is_one_filter() -> None:
    text = frames_filter(range(1, 100, 3))
    assert frames_filters(range(1, 100, 3), len(text)) == [text]
    assert len(frames_filters(range(1, 100, 3), len(text) - 1)) == 2


def test_wireshark_shows_the_frames_of_a_long_filter() -> None:
    frames = [*range(3, 78, 5), 10, 11, 12, *range(1000, 4000, 2)]
    found = shown(SAMPLE, frames_filters(frames)[0])
    assert found == sorted(frame for frame in set(frames) if frame < 78)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a@b", '"a@b"'),
        ('a"b', r'"a\"b"'),
        (r"a\b", r'"a\\b"'),
        ("ä", '"ä"'),
        ("a\x1b\n", r'"a\x1b\x0a"'),
        ("\udcff", r'"\xff"'),
    ],
)
def test_strings_are_escaped(text: str, expected: str) -> None:
    assert quoted(text) == expected


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a capture whose Call-IDs have what the filter language gives a meaning."""
    path = tmp_path_factory.mktemp("odd") / "odd.pcap"
    return capture(path, *(message(Call_ID=one) for one in CALL_IDS))


CALL_IDS = ('a"b@example.com', r"a\b{1..2}, 3@example.com", "plain@example.com", "ü@example.com")


def test_wireshark_finds_a_call_id_whatever_it_holds(odd: Path) -> None:
    assert shown(odd, call_id_filter(CALL_IDS[0])) == [1]


def test_several_call_ids_are_a_set(odd: Path) -> None:
    assert call_id_filter("a", "b", "a") == 'sip.Call-ID in {"a", "b"}'
    assert shown(odd, call_id_filter(CALL_IDS[1], CALL_IDS[3])) == [2, 4]
    assert call_id_filter() == "frame.number == 0"
