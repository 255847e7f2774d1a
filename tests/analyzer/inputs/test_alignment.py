"""Repetitions of one message, of which each place may have missed some."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.inputs.alignment import MAX_CELLS, LocalOffset, align, most_common_offset
from tests.analyzer.inputs.vantage import HOUR, MS, SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

times = st.lists(st.integers(0, 40), max_size=6).map(sorted)


def _cost(
    pairs: Sequence[tuple[int, int]], first: Sequence[int], second: Sequence[int], limit: int
) -> float:
    away = sum(abs(second[j] - first[i]) for i, j in pairs)
    return away + (len(first) + len(second) - 2 * len(pairs)) * limit / 2


def _best_cost(first: Sequence[int], second: Sequence[int], limit: int) -> float:
    """Return the least cost of all pairings that keep the order, tried one by one."""

    @cache
    def best(i: int, j: int) -> float:
        if i == len(first) or j == len(second):
            return (len(first) - i + len(second) - j) * limit / 2
        paired = abs(second[j] - first[i]) + best(i + 1, j + 1)
        return min(paired, best(i + 1, j) + limit / 2, best(i, j + 1) + limit / 2)

    return best(0, 0)


@given(times, times, st.integers(1, 20))
def test_an_alignment_keeps_the_order_and_costs_least(
    first: list[int], second: list[int], limit: int
) -> None:
    pairs = align(first, second, limit)
    assert pairs == sorted(pairs)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert all(abs(second[j] - first[i]) <= limit for i, j in pairs)
    assert _cost(pairs, first, second, limit) == _best_cost(first, second, limit)


def test_the_first_sending_was_lost_at_one_place() -> None:
    sent = [0, 500 * MS, 1500 * MS]
    assert align(sent, [503 * MS, 1502 * MS], 100 * MS) == [(1, 0), (2, 1)]


def test_each_place_missed_another_sending() -> None:
    assert align([0, 500 * MS], [501 * MS, 1501 * MS], 100 * MS) == [(1, 0)]


def test_thousands_of_repetitions_are_paired_by_their_times() -> None:
    sent = [k * 500 * MS for k in range(3000)]
    lost = {5, 6, 7, 400, 2999}
    seen = [time + 3 * MS for k, time in enumerate(sent) if k not in lost]
    assert len(sent) * len(seen) > MAX_CELLS
    pairs = align(sent, seen, 100 * MS)
    assert [i for i, _ in pairs] == [k for k in range(3000) if k not in lost]
    assert [j for _, j in pairs] == list(range(len(seen)))


def test_the_offset_follows_a_clock_that_drifts_and_is_set() -> None:
    anchors = [(k * SECOND, k * SECOND + k * 100_000 + (HOUR if k > 50 else 0)) for k in range(100)]
    offset = LocalOffset(anchors)
    assert abs(offset.at(20 * SECOND) - 2 * MS) < MS
    assert abs(offset.at(80 * SECOND) - HOUR - 8 * MS) < MS
    assert offset.limit < 500 * MS


def test_one_wrong_anchor_does_not_move_the_offset() -> None:
    anchors = [(k * SECOND, k * SECOND + 5 * MS) for k in range(20)]
    anchors[10] = (10 * SECOND, 17 * SECOND)
    assert LocalOffset(anchors).at(10 * SECOND) == 5 * MS


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_where_every_message_was_repeated_the_offset_is_where_most_meet(lost: int) -> None:
    starts = [0, 3 * SECOND, 10 * SECOND, 11 * SECOND, 25 * SECOND]
    sent = [[start, start + 500 * MS, start + 1500 * MS] for start in starts]
    seen = [[time + HOUR for time in group] for group in sent]
    for group in seen[:lost]:
        del group[0]
    assert most_common_offset(zip(sent, seen, strict=True)) == HOUR


def test_nothing_gives_no_offset() -> None:
    assert most_common_offset([]) is None
    assert not LocalOffset([])
