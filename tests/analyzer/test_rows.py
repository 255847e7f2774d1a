"""Rows: columns of numbers, strings kept once, and their order."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from analyzer.columns import LIMITS, Columns
from analyzer.row_writer import RowWriter
from analyzer.rows import Interned, Rows
from dissectors.model import Datagram, Piece
from dissectors.sip.datagram import read_datagram
from dissectors.sip.scan import HeadScanner
from tests.support.sip_texts import message, response

if TYPE_CHECKING:
    from dissectors.sip.framed import Framed

ITEMS = (
    b'<xccos xmlns="urn:parlano:xml:ns:xccos" ver="1" envid="99999999999999999999">'
    b'<rpl id="rpl:join" seqid="1"><commandid seqid="4" envid="5"/>'
    b'<resp code="200">SUCCESS_OK</resp></rpl>'
    b'<grpchat id="grpchat" seqid="2"><chat>hello</chat></grpchat></xccos>'
)


def framed(scanner: HeadScanner, raw: bytes, frame: int) -> Framed:
    found = read_datagram(Datagram(frame, frame * 10, 6, bytes(12), raw, 100, 0), scanner)
    assert found is not None
    return found


def filled(messages: list[tuple[int, bytes]]) -> Rows:
    rows = Rows()
    scanner, writer = HeadScanner(rows.strings, rows.cseqs), RowWriter(rows)
    for frame, raw in messages:
        writer.write([(3, [framed(scanner, raw, frame)])])
    rows.finish()
    return rows


def text(rows: Rows, name: str, row: int) -> str | None:
    number: int = getattr(rows, name)[row]
    return rows.strings.values[number]


# strings


def test_a_value_is_kept_once_and_none_is_number_zero() -> None:
    strings: Interned[str] = Interned()
    assert [strings.id(value) for value in (None, "a", "b", "a", None, "")] == [0, 1, 2, 1, 0, 3]
    assert strings.values == [None, "a", "b", ""]
    assert [strings.value(number) for number in range(4)] == [None, "a", "b", ""]
    assert len(strings) == 4


def test_looking_for_a_value_gives_it_no_number() -> None:
    strings: Interned[str] = Interned()
    strings.id("a")
    assert strings.find("a") == 1
    assert strings.find("b") is None
    assert len(strings) == 2


def test_a_table_keeps_its_numbers_when_it_is_handed_to_another_process() -> None:
    strings: Interned[str] = Interned()
    for value in ("x", "y", "z"):
        strings.id(value)
    again = pickle.loads(pickle.dumps(strings))
    assert again.values == strings.values
    assert again.id("y") == 2
    assert again.id("new") == 4


# columns


def columns(order: str | None = None) -> Columns:
    return Columns((("a", "I"), ("b", "q")), order=order)


def test_rows_are_in_the_columns_after_a_flush() -> None:
    table = columns()
    for number in range(5):
        table.append((number, -number))
    table.flush()
    assert list(table.columns["a"]) == [0, 1, 2, 3, 4]
    assert list(table.columns["b"]) == [0, -1, -2, -3, -4]
    table.flush()
    assert len(table.columns["a"]) == 5


@given(st.lists(st.integers(0, 50), max_size=3000))
def test_rows_that_are_a_little_late_find_their_place(jitter: list[int]) -> None:
    table = columns(order="a")
    for number, late in enumerate(jitter):
        table.append((max(0, number - late), number))
    table.flush()
    assert list(table.columns["a"]) == sorted(table.columns["a"])
    assert sorted(table.columns["b"]) == list(range(len(jitter)))


def test_rows_of_the_same_place_keep_their_order() -> None:
    table = columns(order="a")
    for number in range(3 * Columns.BATCH):
        table.append((number // 7, number))
    table.flush()
    assert list(table.columns["b"]) == list(range(3 * Columns.BATCH))


def test_columns_can_be_put_into_another_order_and_together() -> None:
    one, two = columns(), columns()
    for number in (3, 1, 2):
        one.append((number, number))
        two.append((10 * number, 0))
    one.flush()
    two.flush()
    one.permute([1, 2, 0])
    assert list(one.columns["a"]) == [1, 2, 3]
    one.extend(two)
    assert list(one.columns["a"]) == [1, 2, 3, 30, 10, 20]


def test_numbers_that_no_column_can_hold_become_the_nearest_that_can_be() -> None:
    table = columns()
    table.append((1 << 40, 1 << 80))
    table.append((-1, -(1 << 80)))
    table.append((7, 7))
    table.flush()
    assert list(table.columns["a"]) == [LIMITS["I"][1], 0, 7]
    assert list(table.columns["b"]) == [LIMITS["q"][1], LIMITS["q"][0], 7]


def test_the_limits_are_those_of_the_columns() -> None:
    kinds = {code for table in (Rows.MESSAGE, Rows.PIECE, Rows.ITEM) for _, code in table}
    assert kinds == set(LIMITS)
    for code, (low, high) in LIMITS.items():
        table = Columns((("a", code),))
        table.append((low,))
        table.append((high,))
        table.flush()
        assert list(table.columns["a"]) == [low, high]


# messages


def test_the_row_of_a_request() -> None:
    raw = message(7, b"abc", extra="Content-Type: text/plain")
    rows = filled([(5, raw)])
    assert len(rows) == 1
    expected: dict[str, Any] = {
        "method": "INFO",
        "reason": None,
        "uri": "sip:ma@contoso.com",
        "call_id": "c7",
        "from_uri": "sip:u1@contoso.com",
        "from_tag": "a",
        "to_uri": "sip:ma@contoso.com",
        "to_tag": "b",
        "content_type": "text/plain",
    }
    assert {name: text(rows, name, 0) for name in expected} == expected
    numbers = {
        name: getattr(rows, name)[0]
        for name in ("time", "digits", "frame", "stream", "status", "content_length", "length")
    }
    assert numbers == {
        "time": 50,
        "digits": 6,
        "frame": 5,
        "stream": 3,
        "status": -1,
        "content_length": 3,
        "length": len(raw),
    }
    assert rows.cseqs.values[rows.cseq[0]] == (7, "INFO")
    assert (rows.vias[0], rows.notes[0]) == (1, 0)
    assert rows.piece_list(0) == [Piece(5, 100, len(raw))]
    assert rows.frames(0) == (5,)
    assert rows.xccos(0) == []


def test_the_row_of_a_response() -> None:
    rows = filled([(5, response(7))])
    assert (rows.status[0], text(rows, "reason", 0), text(rows, "uri", 0)) == (200, "OK", None)
    assert text(rows, "method", 0) == "INFO"


def test_the_items_of_a_message() -> None:
    rows = filled([(1, message(1)), (2, message(2, ITEMS)), (3, message(3, ITEMS))])
    assert [rows.items[row] for row in range(3)] == [0, 2, 2]
    reply, chat = rows.xccos(1)
    assert (reply.element, reply.id, reply.seqid) == ("rpl", "rpl:join", "1")
    assert reply.envid == "99999999999999999999"
    assert (reply.commandid, reply.code, reply.text) == (("4", "5"), "200", "SUCCESS_OK")
    assert (chat.element, chat.commandid, chat.code, chat.text) == ("grpchat", None, None, None)
    assert rows.xccos(2) == rows.xccos(1)
    assert rows.item_end(2) - rows.item[2] == 2


def test_messages_are_put_into_the_order_of_their_frames() -> None:
    frames = [(frame * 7) % 2003 for frame in range(2003)]
    rows = filled([(frame, message(frame, ITEMS if frame % 5 == 0 else b"")) for frame in frames])
    assert list(rows.frame) == list(range(2003))
    for row in range(2003):
        assert text(rows, "call_id", row) == f"c{row}"
        assert rows.piece_list(row)[0].frame == row
        assert len(rows.xccos(row)) == (2 if row % 5 == 0 else 0)


def test_a_message_in_several_frames_knows_them_all() -> None:
    rows = Rows()
    whole = framed(HeadScanner(rows.strings, rows.cseqs), message(1), 4)
    pieces = (Piece(9, 0, 10), Piece(4, 70, 10), Piece(9, 90, 5))
    RowWriter(rows).write([(0, [whole._replace(pieces=pieces)])])
    rows.finish()
    assert rows.frames(0) == (4, 9)
    assert rows.piece_list(0) == list(pieces)


def test_a_message_costs_little_memory() -> None:
    rows = filled([(frame, message(frame % 50, ITEMS)) for frame in range(5000)])
    size = sum(
        column.itemsize * len(column) for table in rows.tables for column in table.columns.values()
    )
    assert size / 5000 < 250
    assert len(rows.strings) < 100
