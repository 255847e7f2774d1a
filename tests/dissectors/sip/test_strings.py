"""Tables of strings and of CSeqs: the reference and its compiled twin number alike."""

from __future__ import annotations

from importlib import import_module
from typing import Any, TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analyzer.rows import Interned
from tests.support.twin import is_built

Table: TypeAlias = Any
"""``Interned``, ``Strings`` or ``CSeqs``: a class to call."""

LENGTHS = (0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 254, 255, 256, 32_763, 32_764, 400_000)
"""Around every change in how a string is hashed, and in how its length and bytes are kept."""

texts = st.one_of(st.text(max_size=40), st.sampled_from(("", "INFO", "sip:ü@contoso.com")))
pairs = st.tuples(
    st.one_of(st.integers(0, 10**20), st.sampled_from((10**17, 10**18 - 1, 10**18, 10**999))),
    st.text(st.characters(exclude_characters=" \t"), min_size=1, max_size=12),
)


def tables(name: str) -> list[Any]:
    found = [pytest.param(Interned, id="reference")]
    if is_built():
        twin = import_module("dissectors._speedups.strings")
        found.append(pytest.param(getattr(twin, name), id="twin"))
    return found


@pytest.fixture(scope="module", params=tables("Strings"))
def strings(request: pytest.FixtureRequest) -> Table:
    """What makes a table of strings."""
    return request.param


@pytest.fixture(scope="module", params=tables("CSeqs"))
def cseqs(request: pytest.FixtureRequest) -> Table:
    """What makes a table of CSeqs."""
    return request.param


def assert_numbers_as_a_list_would(table: Any, values: list[Any]) -> None:  # noqa: ANN401
    kept: list[Any] = [None]
    for value in values:
        assert table.find(value) == (kept.index(value) if value in kept else None)
        if value not in kept:
            kept.append(value)
        assert table.id(value) == kept.index(value)
        assert len(table) == len(kept)
    assert [table.value(number) for number in range(len(kept))] == kept
    assert table.values == kept


@given(st.lists(texts, max_size=30))
@example(["", "\0", "\0\0", "a\0", "a"])
@example(["\ud800", "\udfff", "\U0010ffff"])
def test_strings_are_numbered_in_the_order_they_come(strings: Table, values: list[str]) -> None:
    assert_numbers_as_a_list_would(strings(), values)


@given(st.lists(pairs, max_size=20))
@example([(0, "INFO"), (1, "INFO"), (10, "INFO"), (1, "0INFO")])
def test_cseqs_are_numbered_in_the_order_they_come(
    cseqs: Table, values: list[tuple[int, str]]
) -> None:
    assert_numbers_as_a_list_would(cseqs(), values)


def test_nothing_is_number_0(strings: Table, cseqs: Table) -> None:
    for table in (strings(), cseqs()):
        assert (table.id(None), table.find(None), table.value(0)) == (0, 0, None)
        assert (len(table), table.values) == (1, [None])


def test_a_number_that_was_not_given_has_no_value(strings: Table) -> None:
    table = strings()
    table.id("a")
    with pytest.raises(IndexError):
        table.value(2)


def test_strings_of_every_length_are_told_apart(strings: Table) -> None:
    table = strings()
    values = [letter * length for length in LENGTHS[1:] for letter in "ab"]
    # The same but for one character, wherever it stands.
    values += ["a" * at + "c" + "a" * (32 - at) for at in range(33)]
    assert [table.id(value) for value in ["", *values]] == list(range(1, len(values) + 2))
    assert [table.id(value) for value in ["", *values]] == list(range(1, len(values) + 2))
    assert table.values == [None, "", *values]


def test_a_large_table_keeps_what_it_has(strings: Table) -> None:
    table = strings()
    values = [f"{number:x}@contoso.com" for number in range(60_000)]
    numbers = [table.id(value) for value in values]
    assert numbers == list(range(1, 60_001))
    assert [table.id(value) for value in values] == numbers
    assert table.find("60000@contoso.com") is None
    assert table.values == [None, *values]


def test_the_values_grow_with_the_table(strings: Table, cseqs: Table) -> None:
    for table, one, other in ((strings(), "a", "b"), (cseqs(), (1, "ACK"), (2, "ACK"))):
        table.id(one)
        before = table.values
        assert before == [None, one]
        table.id(other)
        assert table.value(2) == other
        assert table.values is before
        assert before == [None, one, other]
