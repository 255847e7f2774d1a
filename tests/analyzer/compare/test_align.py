"""Alignment of tokens: valid, the same both ways, as long as can be, quick on long sequences."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.compare import align as module
from analyzer.compare.align import align

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.compare.values import Token

sequences = st.lists(st.sampled_from("abcd").map(lambda letter: (letter,)), max_size=14)


def tokens(text: str) -> list[Token]:
    return [(letter,) for letter in text]


def longest(a: Sequence[Token], b: Sequence[Token]) -> int:
    """Return the length of the longest common subsequence, the slow way."""
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            best = max(table[i][j + 1], table[i + 1][j])
            table[i + 1][j + 1] = table[i][j] + 1 if one == other else best
    return table[-1][-1]


@given(sequences, sequences)
@settings(max_examples=50, deadline=None)
def test_pairs_are_equal_and_ascending_and_the_same_both_ways(
    a: list[Token], b: list[Token]
) -> None:
    pairs = align(a, b)
    assert all(a[i] == b[j] for i, j in pairs)
    assert all(i < k and j < m for (i, j), (k, m) in pairwise(pairs))
    assert align(b, a) == [(j, i) for i, j in pairs]


@given(sequences, sequences)
@settings(max_examples=30, deadline=None)
def test_what_is_repeated_is_aligned_as_long_as_can_be(a: list[Token], b: list[Token]) -> None:
    a, b = a * 2, b * 2  # nothing occurs once: there are no anchors
    assert len(align(a, b)) == longest(a, b)


@given(sequences, sequences)
@settings(max_examples=30, deadline=None)
def test_a_limit_on_edits_leaves_pairs_valid(a: list[Token], b: list[Token]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MAX_EDITS", 2)
        pairs = align(a * 2, b * 2)
    assert all((a * 2)[i] == (b * 2)[j] for i, j in pairs)
    assert all(i < k and j < m for (i, j), (k, m) in pairwise(pairs))


def test_what_occurs_once_is_not_given_up_for_many_that_repeat() -> None:
    assert (0, 6) in align(tokens("Ixxxxxx"), tokens("xxxxxxI"))


def test_of_repeated_tokens_the_later_ones_are_left_over() -> None:
    assert align(tokens("bbc"), tokens("bbbbc")) == [(0, 0), (1, 1), (2, 4)]


def test_an_empty_side_has_no_pairs() -> None:
    assert align([], tokens("ab")) == []


def test_many_tokens_of_few_kinds_are_aligned() -> None:
    a = tokens("".join("pqrs"[k * k % 7 % 4] for k in range(1200)))
    b = tokens("".join("pqrs"[k * 3 % 11 % 4] for k in range(1200)))
    assert len(align(a, b)) > 500
