"""CSV cells: flat, safe, and reversible."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.export.cells import cells, flat, header, text_cell
from analyzer.export.printable import printable


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        (None, ""),
        ("sip:ann@example.com", "sip:ann@example.com"),
        ("a,b", '"a,b"'),
        ('say "hi"', '"say ""hi"""'),
        ("two\nlines", "two\\nlines"),
        ('=HYPERLINK("x")', '"\'=HYPERLINK(""x"")"'),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@a", "'@a"),
        ("'a", "''a"),
    ],
)
def test_a_text_becomes_a_safe_cell(text: str | None, cell: str) -> None:
    assert text_cell(text) == cell


@given(st.text(min_size=1))
def test_a_cell_gives_the_text_back(text: str) -> None:
    (row,) = csv.reader(io.StringIO(text_cell(text) + "\r\n", newline=""))
    assert len(row) == 1
    guarded = printable(text)[0] in "=+-@'"
    assert row[0] == ("'" if guarded else "") + printable(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (1.5, "1.5"),
        ([1, 2], "1 2"),
        (["a", None], "a "),
        ({"cmd": 2, "rpl": 3}, "cmd=2 rpl=3"),
    ],
)
def test_values_are_flattened(value: object, text: str) -> None:
    assert flat(value) == text


def test_numbers_are_not_taken_for_formulas() -> None:
    assert cells({"a": -1.5, "b": None, "c": False}, messages=False) == ["-1.5", "", "false"]


def test_xccos_items_fill_columns_in_step() -> None:
    item = {
        "element": "rpl",
        "id": "rpl:join",
        "seqid": "1",
        "envid": "9",
        "commandid": {"seqid": "1", "envid": "7"},
        "code": "200",
        "text": "SUCCESS_OK",
    }
    bare = dict.fromkeys(item, None) | {"element": "ntc"}
    record = {"index": 3, "xccos": [item, bare]}
    assert header(record, messages=True)[1:] == [
        "xccos", "xccos_seqid", "xccos_envid", "xccos_commandid", "xccos_code", "xccos_text",
    ]  # fmt: skip
    assert cells(record, messages=True) == [
        "3", "rpl:join ntc", "1 .", "9 .", "1/7 .", "200 .", "SUCCESS_OK .",
    ]  # fmt: skip


def test_the_columns_of_cseq_steps_and_events_are_readable() -> None:
    record = {
        "cseq": {"number": 7, "method": "INVITE"},
        "steps": [{"id": "1", "status": "ok"}, {"id": "2", "status": "failed"}],
        "signed_in": {"frame": 6, "time": "2026-11-22T07:20:06Z", "message": 1},
        "replies": [{"id": "rpl:join"}],
        "rooms": [{"uri": "ma-chan://a/1"}, "ma-chan://a/2"],
    }
    assert cells(record, messages=False) == [
        "7 INVITE", "1=ok 2=failed", "2026-11-22T07:20:06Z", "rpl:join",
        "ma-chan://a/1 ma-chan://a/2",
    ]  # fmt: skip
