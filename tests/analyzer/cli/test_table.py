"""Tables fit, cut and stream."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.cli.table import Column, cut, cut_before, table, text_width
from analyzer.cli.terminal import Terminal

PLAIN = Terminal(80, colour=False, unicode=True)
COLUMNS = (
    Column("#", right=True),
    Column("name", least=6),
    Column("path", least=8, keep_end=True),
    Column("more", least=6, rank=1),
)


def _table(width: int, *rows: tuple[str, ...]) -> list[str]:
    return list(table(COLUMNS, rows, Terminal(width, colour=False, unicode=True)))


def test_columns_stand_below_their_titles() -> None:
    assert _table(80, ("1", "ann", "a/b", "x"), ("10", "bob", "c", "y")) == [
        " #  name  path  more",
        " 1  ann   a/b   x",
        "10  bob   c     y",
    ]


def test_the_widest_cells_are_cut_first_and_paths_keep_their_ends() -> None:
    row = ("1", "n" * 30, "/very/long/way/to/a.pcap", "m" * 10)
    lines = _table(50, row)
    assert len(lines) == 2
    assert lines[1] == "1  nnnnnnnnnnnnnnn…  …ng/way/to/a.pcap  mmmmmmmmmm"
    assert len(lines[1]) == 50


def test_a_column_of_high_rank_is_left_out_where_cutting_is_not_enough() -> None:
    lines = _table(24, ("1", "n" * 30, "/very/long/way/to/a.pcap", "m" * 10))
    assert "more" not in lines[0]
    assert max(map(len, lines)) <= 24


def test_a_row_is_one_line_whatever_is_in_it() -> None:
    lines = _table(80, ("1", "two\nlines", "\x1b[2J", "\r"))
    assert lines[1:] == ["1  two\\nlines  \\x1b[2J  \\r"]


def test_no_rows_give_no_table() -> None:
    assert _table(80) == []


def test_rows_stream_after_the_first_ones() -> None:
    taken = 0

    def rows() -> object:
        nonlocal taken
        for number in range(10_000):
            taken += 1
            yield (str(number), "x", "y", "z")

    lines = table(COLUMNS, rows(), PLAIN)  # type: ignore[arg-type]
    next(lines)
    assert taken == 500
    assert sum(1 for _ in lines) == 10_000


def test_a_style_paints_the_cell_and_not_the_gap() -> None:
    columns = (Column("a", style=lambda text: "bad" if text == "no" else "plain"), Column("b"))
    coloured = Terminal(80, colour=True, unicode=True)
    lines = list(table(columns, [("no", "x"), ("yes", "y")], coloured))
    assert lines[1:] == ["\x1b[31mno\x1b[0m   x", "yes  y"]


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("世界", 4), ("e\u0301", 1), ("\u200bx", 1), ("", 0)]
)
def test_wide_and_combining_characters_count_as_shown(text: str, width: int) -> None:
    assert text_width(text) == width


@given(st.text(), st.integers(min_value=1, max_value=30))
def test_what_is_cut_fits(text: str, width: int) -> None:
    for shorten in (cut, cut_before):
        shown = shorten(text, width)
        assert text_width(shown) <= width
        assert shown == text or "…" in shown
