"""The compiled writer gives the bytes of the reference, whatever the rows hold."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from analyzer.rows import Rows
from analyzer.trace import open_capture
from analyzer.views.messages import FIELDS, FULL_FIELDS, message_record
from dissectors.model import Malformed
from dissectors.sip.parse import parse_message
from tests.analyzer.captures import capture, chat
from tests.analyzer.export.writers import (
    BUILT,
    MemoryTrace,
    rows_of,
    with_compiled_tables,
    written,
    written_by_twin,
)
from tests.paths import SAMPLES, require_shared

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analyzer.window import Window

EVERYTHING = (*FIELDS, *FULL_FIELDS)
FORMS = {"jsonl": EVERYTHING, "csv": tuple(FIELDS)}
SAMPLE = SAMPLES / "twousers-post.pcap"


def _check(
    trace: Window, rows: Sequence[int] | None = None, fields: Sequence[str] = EVERYTHING
) -> int:
    """Hold both writers against each other, and JSON against the records."""
    count = 0
    for form, known in FORMS.items():
        some = [name for name in fields if name in known]
        if some:
            expected = written(trace, rows, some, form, "a, 'b'.pcap")
            assert written_by_twin(trace, rows, some, form, "a, 'b'.pcap") == expected
            count = expected.count(b"\n")
    return count


def _records(trace: Window) -> list[Any]:
    lines = written_by_twin(trace, None, EVERYTHING, "jsonl").decode().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.pcap*")), ids=lambda path: path.name)
def test_samples_are_written_alike(path: Path) -> None:
    with open_capture(path) as trace:
        assert _check(trace) == len(trace) > 0


@pytest.mark.parametrize("name", ["captures", "corpus/captures"])
def test_all_captures_are_written_alike(name: str) -> None:
    messages = 0
    for path in sorted((require_shared() / name).rglob("*cap*")):
        if path.is_file() and path.suffix not in (".json", ".md") and path.stat().st_size < 1 << 21:
            with open_capture(path) as trace:
                messages += _check(trace)
    assert messages > 100


@given(st.permutations(EVERYTHING), st.integers(1, len(EVERYTHING)))
@settings(max_examples=40)
def test_any_fields_in_any_order_are_written_alike(fields: list[str], count: int) -> None:
    with open_capture(SAMPLE) as trace:
        _check(trace, None, fields[:count])


@given(st.lists(st.integers(0, 113), max_size=20))
@settings(max_examples=20)
def test_any_rows_in_any_order_are_written_alike(rows: list[int]) -> None:
    with open_capture(SAMPLE) as trace:
        assert _check(trace, rows) == len(rows)


# Whatever text has: lone surrogates, controls, quotes, formulas, what UTF-16 needs two units for.
ANY_TEXT = st.text(st.characters(), max_size=12) | st.sampled_from(
    ["", "=1", "'", "-", '"', "a,b", "\ud800", "😀", "\x7f", "\u2028", "é" * 9, "\\" * 20, "x" * 70]
)
BIG = 2**63 - 1


@st.composite
def _any_rows(draw: st.DrawFn) -> Rows:
    rows = Rows()
    texts: list[str | None] = [None, "grpchat", "text/plain;charset=utf-16"]
    texts += draw(st.lists(ANY_TEXT, unique=True, min_size=5, max_size=9))
    ids = [rows.strings.id(text) for text in texts]
    pairs = [(draw(st.integers(0, 10**24)), draw(ANY_TEXT.filter(lambda text: " " not in text)))]
    pair_ids = [0, *map(rows.cseqs.id, pairs)]
    string, number = st.sampled_from(ids), st.integers(-(2**63), BIG) | st.integers(-2, 700)
    pieces = items = 0
    for frame in range(1, draw(st.integers(1, 4)) + 1):
        row = dict.fromkeys((name for name, _ in Rows.MESSAGE), 0)
        for name in ("method", "reason", "uri", "call_id", "from_uri", "from_tag", "to_uri"):
            row[name] = draw(string)
        row |= {"to_tag": draw(string), "content_type": draw(string), "frame": frame}
        row |= {"time": draw(number), "digits": draw(st.integers(0, 11)), "status": draw(number)}
        row |= {"content_length": draw(number), "cseq": draw(st.sampled_from(pair_ids))}
        row |= {"notes": draw(st.sampled_from([0, 1, 4097, (1 << 32) - 1]))}
        row |= {"piece": pieces, "pieces": draw(st.sampled_from([0, 1, 1, 2, 3, 40]))}
        row |= {"item": items, "items": draw(st.sampled_from([0, 1, 1, 2]))}
        for _ in range(row["pieces"]):
            rows.piece_table.append((draw(st.integers(1, 9)), draw(st.integers(0, 300)), 20))
        for _ in range(row["items"]):
            columns = [draw(string) for _ in range(6)]
            flag, rest = draw(st.booleans()), (draw(string), draw(string))
            columns[0] = columns[0] or 1
            rows.item_table.append((*columns, flag, *rest))
        pieces, items = pieces + row["pieces"], items + row["items"]
        rows.message_table.append(tuple(row.values()))
    rows.finish()
    return rows


@given(_any_rows(), st.booleans(), st.sampled_from(["tcp", "udp"]))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_rows_hold_is_written_alike(rows: Rows, tables: bool, transport: str) -> None:
    trace = MemoryTrace(rows, (chat("one &amp; two") + chat("é😀")) * 2, transport)
    expected = {form: written(trace, None, fields, form) for form, fields in FORMS.items()}
    if tables:
        with_compiled_tables(rows)
    for form, fields in FORMS.items():
        assert written_by_twin(trace, None, fields, form) == expected[form]


PLAIN = (
    b'INFO sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nCall-ID : x\r\nSubject:\t \xc3\xa9 "q" \t\r\n'
    b'f: <sip:a@b>;tag=1\r\nContent-Length: 12\r\n\r\na "b" \\ \xf0\x9f\x98\x80'
)
# What turns a plain message into one that only the parser understands, or nearly.
SPLICES = [
    *(b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\n\n", b"\r\n ", b"\r\n\t", b"\r\nX", b"\r\n:", b":"),
    *(b" ", b"\t", b"\xe9", b"\xc3\xa9", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\0"),
    *(b"SIP/2.0 ", b" SIP/2.0", b"SIP/2.0 200 OK\r\n", b"sip/2.0 ", b"Content-Length: 4\r\n"),
    *(b"\x0b", b"\x0c", b"\x85", b"\x7f", b'"', b"\\", b"\\r\\n", b"\xef\xbb\xbf", b"\x1f" * 40),
]


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    data = PLAIN
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        until = at + draw(st.sampled_from([0, 0, 1, 2, 5]))
        data = data[:at] + draw(st.sampled_from([b"", *SPLICES])) + data[until:]
    return data


@given(_mutated(), st.sampled_from(["tcp", "udp"]), st.sampled_from([None, 5, 40]))
@example(PLAIN, "tcp", None)
@example(b"", "tcp", None)
@example(b"SIP/2.0 200 \r\n\r\n", "tcp", None)
@settings(max_examples=700)
def test_whole_messages_are_written_as_the_parser_reads_them(
    data: bytes, transport: str, cut: int | None
) -> None:
    message = parse_message(data, stream=transport != "udp")
    declared, notes = None, 0
    if not isinstance(message, Malformed):
        declared, notes = message.content_length, message.notes
    declared = -1 if declared is None else min(declared, BIG)
    rows, _ = rows_of(data, cut=cut, content_length=declared, notes=notes)
    trace = MemoryTrace(rows, data, transport)
    records = [message_record(trace, 0, FULL_FIELDS)]
    for write in (written, written_by_twin):
        lines = write(trace, None, FULL_FIELDS, "jsonl").decode().splitlines()
        assert [json.loads(line) for line in lines] == records


UTF8 = st.text(st.characters(exclude_categories=["Cs"]), max_size=30).map(str.encode)
NEARLY = st.lists(
    st.sampled_from([0x20, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF])
    | st.sampled_from([0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF]),
    max_size=12,
).map(bytes)


@given(st.lists(UTF8 | NEARLY | st.binary(max_size=20), max_size=4).map(b"".join))
@settings(max_examples=700)
def test_bodies_of_any_bytes_are_text_exactly_where_they_are_utf8(body: bytes) -> None:
    data = PLAIN.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body
    trace = MemoryTrace(*rows_of(data))
    lines = written_by_twin(trace, None, ("body", "body_base64"), "jsonl")
    assert json.loads(lines) == message_record(trace, 0, ("body", "body_base64"))
    assert lines == written(trace, None, ("body", "body_base64"), "jsonl")


def test_long_messages_cross_every_boundary_of_the_writer() -> None:
    sizes = [0, 1, 7, 8, 9, 2047, 2048, 2049, 4097, 70_000, 300_000]
    heads = b"\r\n".join([b"INFO sip:a@b SIP/2.0", *[b"X-%d: \xc3\xa9" % k for k in range(90)]])
    filler = ('<a b="1">\x01é€😀' * 50_000).encode()
    messages = [heads + b"\r\n\r\n" + filler[:size] for size in sizes]
    trace = MemoryTrace(*rows_of(*messages))
    assert written(trace, None, FULL_FIELDS, "jsonl") == written_by_twin(
        trace, None, FULL_FIELDS, "jsonl"
    )


@pytest.mark.parametrize("number", [1999, 2000, 2001])
def test_as_many_headers_are_written_as_the_parser_reads(number: int) -> None:
    data = b"INFO sip:a@b SIP/2.0\r\n" + b"a: b\r\n" * number + b"\r\n"
    trace = MemoryTrace(*rows_of(data))
    records = [message_record(trace, 0, EVERYTHING)]
    assert len(records[0]["headers"]) == min(number, 2000)
    assert _records(trace) == records
    assert _check(trace) == 1


def test_a_head_that_is_too_long_is_written_as_the_parser_reads_it() -> None:
    for size in (262_130, 262_140, 262_150, 300_000):
        data = b"INFO sip:a@b SIP/2.0\r\na: b\r\nb: " + b"x" * size + b"\r\n\r\nbody"
        trace = MemoryTrace(*rows_of(data))
        assert _records(trace) == [message_record(trace, 0, EVERYTHING)]
        assert _check(trace) == 1


def test_pieces_far_apart_and_in_any_order_are_read_back() -> None:
    messages = [
        b"INFO sip:%d@b SIP/2.0\r\n\r\n" % k + bytes([65 + k % 26]) * 900 for k in range(999)
    ]
    rows, data = rows_of(*messages, cut=300)
    trace = MemoryTrace(rows, data)
    for chosen in (None, range(0, 999, 7), list(range(998, -1, -1)), [5, 900, 6, 901, 5]):
        assert _check(trace, chosen, ("body", "sha1")) == len(chosen or messages)


def test_a_file_that_shrank_gives_what_is_there() -> None:
    rows, data = rows_of(*[chat(f"text {k}") for k in range(9)])
    for size in (0, 1, 500, len(data) - 10):
        trace = MemoryTrace(rows, data[:size])
        assert _check(trace) == 9


def test_chat_texts_are_written_alike(tmp_path: Path) -> None:
    texts = ["a&amp;lt;b", "&lt;&gt;&quot;&apos;&amp;", 'é, "q"', "=1", "&#65;", "", "a\rb", "\t\n"]
    path = capture(tmp_path / "chats.pcap", *map(chat, texts))
    with open_capture(path) as trace:
        assert _check(trace) == len(texts)


def test_batches_are_numbered_on_and_share_their_strings() -> None:
    with open_capture(SAMPLE) as trace:
        expected = written(trace, None, EVERYTHING, "jsonl")
        cuts = [*range(0, len(trace), 30), len(trace)]
        parts = [
            written_by_twin(trace, range(first, last), EVERYTHING, "jsonl")
            for first, last in pairwise(cuts)
        ]
        assert b"".join(parts) == expected


if BUILT:
    from analyzer._speedups.lines import LineWriter

    def _writer(
        trace: Window, fields: Sequence[str] = EVERYTHING, form: str = "jsonl"
    ) -> LineWriter:
        return LineWriter(fields, form=form, streams=trace.streams, read=trace.read)

    def test_one_writer_writes_batches_of_rows_that_share_tables() -> None:
        with open_capture(SAMPLE) as trace, open_capture(SAMPLES / "signin-tcp.pcap") as other:
            writer = _writer(trace, ("index", "call_id", "cseq", "reason"))
            strings, cseqs = trace.rows.strings, trace.rows.cseqs
            first = b"".join(writer.write(trace.rows, 7))
            lines = [json.loads(line) for line in first.splitlines()]
            assert [line["index"] for line in lines] == list(range(7, 7 + len(trace)))
            again = b"".join(_writer(other, ("call_id",)).write(other.rows))
            writer = _writer(other, ("call_id",))
            assert b"".join(writer.write(trace.rows)) == written(trace, None, ("call_id",), "jsonl")
            assert b"".join(writer.write(other.rows)) == again
            assert (trace.rows.strings, trace.rows.cseqs) == (strings, cseqs)

    def test_blocks_hold_whole_lines_and_are_large() -> None:
        rows, data = rows_of(*[chat("x" * 700) for _ in range(2000)])
        blocks = _writer(MemoryTrace(rows, data)).write(rows)
        assert all(block.endswith(b"}\n") for block in blocks)
        assert all(1 << 18 <= len(block) < 1 << 19 for block in blocks[:-1])
        assert len(blocks) > 3

    def test_blocks_come_one_by_one_and_the_columns_cannot_grow_meanwhile() -> None:
        rows, data = rows_of(*[chat("x" * 700) for _ in range(999)])
        blocks = _writer(MemoryTrace(rows, data)).blocks(rows)
        first = next(blocks)
        with pytest.raises(BufferError):
            rows.time.append(0)
        rest = b"".join(blocks)
        assert (first + rest).count(b"\n") == 999
        rows.time.append(0)

    def test_what_is_no_row_or_no_field_is_refused() -> None:
        rows, data = rows_of(PLAIN)
        trace = MemoryTrace(rows, data)
        for row in (-1, 1, 1 << 40):
            with pytest.raises(IndexError):
                _writer(trace).write(rows, 0, [row])
        with pytest.raises(KeyError):
            _writer(trace, ("nothing",))
        with pytest.raises(ValueError, match="no CSV has headers"):
            _writer(trace, ("headers",), "csv")

    @pytest.mark.parametrize("column", ["call_id", "cseq", "stream", "item", "piece", "pieces"])
    def test_numbers_that_lead_nowhere_are_refused(column: str) -> None:
        rows, data = rows_of(PLAIN)
        rows.items[0] = 1
        getattr(rows, column)[0] = 1 << 31
        with pytest.raises(IndexError):
            _writer(MemoryTrace(rows, data)).write(rows)

    def test_columns_of_another_type_or_length_are_refused() -> None:
        rows, data = rows_of(PLAIN)
        writer = _writer(MemoryTrace(rows, data))
        rows.frame, kept = rows.time, rows.frame
        with pytest.raises(ValueError, match="column"):
            writer.write(rows)
        rows.frame = kept[:0]
        with pytest.raises(ValueError, match="column"):
            writer.write(rows)
        rows.frame = kept
        assert b"".join(writer.write(rows)).count(b"\n") == 1

    def test_an_error_of_reading_is_passed_on_and_the_writer_goes_on() -> None:
        rows, data = rows_of(PLAIN)
        trace = MemoryTrace(rows, data)
        failing = [True]

        def read(offset: int, length: int) -> bytes:
            if failing.pop():
                raise OSError("gone")
            return trace.read(offset, length)

        writer = LineWriter(EVERYTHING, streams=trace.streams, read=read)
        with pytest.raises(OSError, match="gone"):
            writer.write(rows)
        failing.append(False)
        assert b"".join(writer.write(rows)) == written(trace, None, EVERYTHING, "jsonl")
