"""The fast writers give what the general way gives, key by key and cell by cell."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from analyzer.export.messages import (
    MessageWriter,
    message_csv_lines,
    message_json_lines,
)
from analyzer.export.records import csv_header, csv_lines
from analyzer.trace import open_capture
from analyzer.views.messages import FIELDS, FULL_FIELDS, message_record
from tests.analyzer.captures import ESCAPE, TIME_NS, capture, chat, message
from tests.analyzer.export.writers import BUILT, MemoryTrace, rows_of, written_by_twin
from tests.paths import SAMPLES, require_shared

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analyzer.views.messages import Record
    from analyzer.window import Window

# With names that are not ASCII, references, comments and CDATA in chat texts; a malformed body.
CHATS = (
    "plain",
    "",
    "a &lt;b&gt; &amp;amp; &quot;c&quot;",
    "caf&#233; &#x1F600;",
    "Привет, 世界",
    "<![CDATA[<chat>]]>",
    "one<!-- two -->three",
    "line&#13;\r\nbreak",
    "<b>bold</b> text",
    "=SUM(A1)",
    "&broken",
)


def _check(trace: Window, rows: Sequence[int] | None = None) -> int:
    chosen = range(len(trace)) if rows is None else rows
    records = [message_record(trace, row) for row in chosen]
    lines = list(message_json_lines(trace, rows))
    assert [json.loads(line) for line in lines] == records
    assert all(list(json.loads(line)) == list(FIELDS) for line in lines)
    cells = list(message_csv_lines(trace, rows))
    assert cells == list(csv_lines(records, messages=True))
    assert written_by_twin(trace, rows, tuple(FIELDS), "jsonl") == "".join(lines).encode()
    assert written_by_twin(trace, rows, tuple(FIELDS), "csv") == "".join(cells).encode()
    full = [message_record(trace, row, FULL_FIELDS) for row in chosen]
    assert [json.loads(line) for line in message_json_lines(trace, rows, FULL_FIELDS)] == full
    return len(lines)


def _full(*parts: bytes, transport: str = "tcp") -> Record:
    """Return ``FULL_FIELDS`` of one message, as every writer gives them."""
    trace = MemoryTrace(*rows_of(b"".join(parts)), transport)
    record = message_record(trace, 0, FULL_FIELDS)
    lines = "".join(message_json_lines(trace, None, FULL_FIELDS)).encode()
    assert json.loads(lines) == record
    assert written_by_twin(trace, None, FULL_FIELDS, "jsonl") == lines
    return record


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.pcap*")), ids=lambda path: path.name)
def test_samples_are_written_as_the_views_say(path: Path) -> None:
    with open_capture(path) as trace:
        assert _check(trace) == len(trace) > 0


@pytest.mark.parametrize("group", ["sip_malformed", "sip_udp", "sip_tcp_dev"])
def test_strange_messages_are_written_as_the_views_say(group: str) -> None:
    written = 0
    for path in sorted((require_shared() / "corpus/captures" / group).glob("*cap*"))[:12]:
        with open_capture(path) as trace:
            written += _check(trace)
    assert written > 0


def test_chat_texts_are_those_of_the_documents(tmp_path: Path) -> None:
    path = capture(tmp_path / "chats.pcap", *map(chat, CHATS))
    with open_capture(path) as trace:
        assert _check(trace) == len(CHATS)
        texts = [message_record(trace, row)["xccos"] for row in range(len(CHATS))]
    assert [items[0]["text"] for items in texts[:5]] == [
        "plain",
        "",
        'a <b> &amp; "c"',
        "café 😀",
        "Привет, 世界",
    ]
    assert texts[-1] == []  # not well-formed


def test_hostile_headers_are_written_as_the_views_say(tmp_path: Path) -> None:
    path = capture(
        tmp_path / "hostile.pcap",
        message(Call_ID=f'{ESCAPE}"quoted", with, commas'),
        message("SIP/2.0 200 =cmd|' /C calc'!A0", CSeq="99999999999 OPTIONS"),
        message(From="<sip:%s@example.com>;tag=%d"),
    )
    with open_capture(path) as trace:
        assert _check(trace) == 3
        assert "\x1b" not in "".join(message_csv_lines(trace))


def test_chosen_rows_are_written_in_their_order() -> None:
    with open_capture(SAMPLES / "twousers-post.pcap") as trace:
        assert _check(trace, [5, 90, 88]) == 3


def test_chosen_fields_are_written_in_their_order() -> None:
    fields = ("transport", "src", "call_id", "index", "dst", "cseq")
    with open_capture(SAMPLES / "signin-tcp.pcap") as trace:
        for row, line in enumerate(message_json_lines(trace, None, fields)):
            assert list(json.loads(line).items()) == list(
                message_record(trace, row, fields).items()
            )


def test_without_sha1_and_chat_texts_the_capture_is_not_read_again() -> None:
    fields = tuple(name for name in FIELDS if name not in ("sha1", "xccos"))
    with open_capture(SAMPLES / "signin-tcp.pcap") as trace:
        pass  # closed: reading a message back would fail
    assert len(list(message_json_lines(trace, None, fields))) == len(trace)
    assert len(list(message_csv_lines(trace, None, fields))) == len(trace)


def test_the_name_of_the_file_goes_first_whatever_it_is() -> None:
    with open_capture(SAMPLES / "signin-tcp.pcap") as trace:
        line = next(message_json_lines(trace, [0], ("index",), file='100%s "x".pcap'))
        assert json.loads(line) == {"file": '100%s "x".pcap', "index": 0}
        cell = next(message_csv_lines(trace, [0], ("index",), file="a,b"))
        assert cell == '"a,b",0\r\n'


def test_nanoseconds_have_nine_digits(tmp_path: Path) -> None:
    path = capture(tmp_path / "ns.pcap", message(), message(), nanoseconds=True, step_ns=1)
    with open_capture(path) as trace:
        times = [json.loads(line)["time"] for line in message_json_lines(trace)]
        assert _check(trace) == 2
    assert trace.rows.time[1] == TIME_NS + 1
    assert times == ["2026-11-22T07:20:06.541321000Z", "2026-11-22T07:20:06.541321001Z"]


def test_the_csv_is_one_line_a_message_with_as_many_cells_as_the_header() -> None:
    with open_capture(SAMPLES / "twousers-post.pcap") as trace:
        text = csv_header(tuple(FIELDS), messages=True) + "".join(message_csv_lines(trace))
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert text.count("\r\n") == len(rows) == len(trace) + 1
    assert rows[0][:3] == ["index", "frame", "frames"]


def test_a_record_without_a_time_or_with_whole_seconds_is_written_as_the_views_say(
    tmp_path: Path,
) -> None:
    path = capture(tmp_path / "epoch.pcap", message(), message())
    data = bytearray(path.read_bytes())
    data[24:32] = bytes(8)  # the time of the first record
    path.write_bytes(bytes(data))
    with open_capture(path) as trace:
        trace.rows.digits[1] = 0
        assert _check(trace) == 2
        assert [json.loads(line)["time"] for line in message_json_lines(trace)] == [
            None,
            "2026-11-22T07:20:06Z",
        ]


@pytest.mark.parametrize("time", [1, 999_999_999, 10**9, -1, -(10**9), -(10**9) - 1, 2**63 - 1])
@pytest.mark.parametrize("digits", [0, 1, 6, 9])
def test_times_around_the_epoch_are_written_as_the_views_say(time: int, digits: int) -> None:
    trace = MemoryTrace(*rows_of(message(), message(), time=time, digits=digits))
    trace.rows.time[1] += -1 if time > 0 else 1
    assert _check(trace) == 2


START = b"INFO sip:ann@example.com SIP/2.0\r\n"


def test_the_full_form_has_start_line_headers_and_body() -> None:
    assert _full(START, b"Via: SIP/2.0/TCP h\r\nX-Empty:\r\ni : 1 \t\r\n\r\n", "<é/>".encode()) == {
        "start_line": "INFO sip:ann@example.com SIP/2.0",
        "headers": [
            {"name": "Via", "value": "SIP/2.0/TCP h"},
            {"name": "X-Empty", "value": ""},
            {"name": "i", "value": "1"},
        ],
        "body": "<é/>",
        "body_base64": None,
    }


def test_folded_headers_are_unfolded_and_lines_without_a_colon_have_no_name() -> None:
    record = _full(START, b"Subject: one\r\n  two\r\n\tthree\r\nno colon\r\n: x\r\n\r\n")
    assert record["headers"] == [
        {"name": "Subject", "value": "one two three"},
        {"name": "", "value": "no colon"},
        {"name": "", "value": "x"},
    ]


def test_a_header_that_is_not_utf8_is_latin_1_and_the_others_stay_utf8() -> None:
    record = _full(b"INFO sip:\xe9@b SIP/2.0\r\n", b"a: \xe9\r\nb: \xc3\xa9\r\n\r\n")
    assert record["start_line"] == "INFO sip:é@b SIP/2.0"
    assert [one["value"] for one in record["headers"]] == ["é", "é"]


def test_a_body_that_is_not_utf8_is_base64_and_no_body_is_null() -> None:
    record = _full(START, b"\r\n", b"\xff\xd8\xff")
    assert (record["body"], record["body_base64"]) == (None, "/9j/")
    record = _full(START, b"\r\n")
    assert (record["headers"], record["body"], record["body_base64"]) == ([], None, None)


def test_the_body_of_a_datagram_ends_where_it_says() -> None:
    head = START + b"Content-Length: 2\r\n\r\n"
    assert _full(head, b"body", transport="udp")["body"] == "bo"
    assert _full(head, b"body")["body"] == "body"


def test_what_is_no_message_any_more_has_no_parts() -> None:
    assert _full(b"gone") == {"start_line": None, "headers": [], "body": None, "body_base64": None}


def test_lines_of_any_kind_are_read_as_the_parser_reads_them() -> None:
    record = _full(b"INFO sip:a@b SIP/2.0\na: b\r\nc: d\n\nx")
    assert [one["name"] for one in record["headers"]] == ["a", "c"]
    assert record["body"] == "x"
    assert _full(b"INFO sip:a@b SIP/2.0\ra: b\r\rx")["body"] == "x"
    assert _full(START, b"a: b\rc\r\n\r\n")["headers"][0]["value"] == "b\rc"


def test_csv_has_no_columns_for_whole_messages() -> None:
    with pytest.raises(ValueError, match="no CSV has body, headers"):
        message_csv_lines(MemoryTrace(*rows_of(message())), None, ("body", "index", "headers"))


@pytest.mark.parametrize("way", [True, False])
def test_blocks_are_the_lines_in_bytes(way: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.export.messages.compiled", lambda: way and BUILT)
    fields = ("index", "call_id", "xccos")
    with open_capture(SAMPLES / "twousers-post.pcap") as trace:
        for rows in (None, [3, 2], range(5), []):
            lines = "".join(message_json_lines(trace, rows, fields)).encode()
            assert b"".join(MessageWriter("jsonl", fields).blocks(trace, rows)) == lines
            cells = "".join(message_csv_lines(trace, rows, fields, file="x")).encode()
            assert b"".join(MessageWriter("csv", fields, file="x").blocks(trace, rows)) == cells
