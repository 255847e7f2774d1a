"""Bytes of a trace to lines: encodings, line ends, damage, margins of copies, order."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dissectors.capture.text import lines
from dissectors.capture.text.encoding import (
    content_length,
    is_notice,
    message_bytes,
    wire_body,
    with_port,
)
from dissectors.capture.text.lines import TextDecoder, TimeOrder, margin_of
from dissectors.capture.text.values import Annotation, Line, Record

TEXT = "TL_INFO(TF_PROTOCOL) [0]06E4.0EB4\r\nFrom: Zo\u00eb \u5f20 \U0001f600\r\n\r\nlast"


def decoded(data: bytes, *cuts: int) -> list[Line]:
    """Return the lines of a trace whose bytes come in pieces that end at ``cuts``."""
    decoder = TextDecoder()
    ends = [*sorted(min(cut, len(data)) for cut in cuts), len(data)]
    found, start = [], 0
    for end in ends:
        found += decoder.feed(data[start:end])
        start = end
    return found + decoder.close()


def texts(data: bytes) -> list[str]:
    return [line.text for line in decoded(data)]


# Encodings


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_trace_reads_the_same_in_every_unicode_encoding(codec: str) -> None:
    assert texts(TEXT.encode(codec)) == TEXT.split("\r\n")


def test_big_endian_utf_16_is_told_by_its_mark() -> None:
    assert texts(b"\xfe\xff" + TEXT.encode("utf-16-be")) == TEXT.split("\r\n")


@pytest.mark.parametrize(
    ("codec", "mark", "unit"), [("utf-8", b"", 1), ("utf-16-le", b"\xff\xfe", 2)]
)
def test_offsets_are_those_of_the_first_byte_of_each_line(
    codec: str, mark: bytes, unit: int
) -> None:
    data = mark + "ab\r\n\U0001f600\u00e9x\nend".encode(codec)
    found = decoded(data)
    starts = [len(mark), data.index("\U0001f600".encode(codec)), len(data) - 3 * unit]
    assert [line.offset for line in found] == starts
    assert [line.number for line in found] == [1, 2, 3]


def test_lines_of_a_windows_code_page_come_out_as_utf_8() -> None:
    """The wire had UTF-8; the tool wrote what it had decoded in the code page of its machine."""
    (line,) = decoded("From: Zo\u00eb \u2013 \u20ac".encode("cp1252"))
    assert line.text == "From: Zo\u00eb \u2013 \u20ac"
    assert message_bytes(line.text) == "From: Zo\u00eb \u2013 \u20ac".encode()


def test_a_byte_that_is_no_utf_8_is_kept_in_a_trace_that_is() -> None:
    first, second = decoded("Zo\u00eb\n".encode() + b"caf\xe9")
    assert first.text == "Zo\u00eb"
    assert message_bytes(second.text) == b"caf\xe9"


def test_a_line_of_utf_8_with_a_damaged_character_keeps_its_bytes() -> None:
    raw = "\u5f20\u5f20".encode()[:-1]
    (line,) = decoded(raw)
    assert message_bytes(line.text) == raw


def test_bytes_that_the_code_page_does_not_have_come_back() -> None:
    (line,) = decoded(b"a\x81b")
    assert message_bytes(line.text) == b"a\x81b"


def test_half_of_a_pair_in_utf_16_is_replaced() -> None:
    (line,) = decoded(b"\xff\xfe" + "a\ud800b".encode("utf-16-le", "surrogatepass"))
    assert message_bytes(line.text).startswith(b"a")
    assert message_bytes("\ud800") == b"?"


def test_what_powershell_appends_in_utf_16_is_read_among_8_bit_lines() -> None:
    data = b"first\r\n" * 1000 + "\ufeffsecond\r\nthird\r\n".encode("utf-16-le")
    assert texts(data)[1000:1002] == ["second", "third"]


def test_marks_of_files_put_together_are_taken_off() -> None:
    assert texts(b"\xef\xbb\xbfone\n\xef\xbb\xbftwo\n") == ["one", "two"]


# Line ends


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n"])
def test_every_line_end_of_windows_and_unix_is_taken_off(end: str) -> None:
    assert texts(f"one{end}{end}two{end}".encode()) == ["one", "", "two"]


def test_a_lone_cr_stays_in_its_line() -> None:
    assert texts(b"one\rtwo\nthree") == ["one\rtwo", "three"]


def test_a_file_with_no_other_line_end_than_cr_is_cut_at_cr() -> None:
    assert texts(b"line\r" * 9) == ["line"] * 9


def test_zeros_of_a_preallocated_file_are_no_text() -> None:
    assert texts(b"one\n" + b"\0" * 5000 + b"two\n" + b"\0" * 100) == ["one", "two", ""]


def test_a_zero_inside_a_line_is_kept() -> None:
    assert texts(b"one two three four\0five\n") == ["one two three four\0five"]


# Length


def test_a_line_of_a_megabyte_is_legal() -> None:
    (line,) = decoded(b"Q" * 2**20)
    assert len(line.text) == 2**20


def test_an_overlong_line_is_cut_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE", 100)
    decoder = TextDecoder()
    data = b"one\n" + b"Q" * 5000 + b"\ntwo\n"
    found = decoder.feed(data) + decoder.close()
    assert [len(line.text) for line in found] == [3, 100, 3]
    assert found[2].offset == len(data) - 4
    (told,) = decoder.malformed
    assert (told.frame, told.reason) == (2, "the line has 5000 characters; 100 of them are read")


@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_what_is_held_of_an_overlong_line_is_bounded(
    codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "MAX_LINE", 100)
    decoder = TextDecoder()
    for _ in range(1000):
        assert decoder.feed(("Q" * 50).encode(codec)) == []
    (line,) = decoder.close()
    assert len(line.text) == 100


# Pieces

PIECES = st.lists(
    st.sampled_from(
        ["\n", "\r\n", "\r", "\0", "a", "TL_INFO", "\u00e9", "\u5f20", "\U0001f600", "\ufeff"]
    ),
    max_size=60,
)


@given(
    PIECES,
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be"]),
    st.lists(st.integers(0, 400), max_size=6),
)
def test_lines_do_not_depend_on_how_the_bytes_came(
    pieces: list[str], codec: str, cuts: list[int]
) -> None:
    data = "".join(pieces).encode(codec)
    assert decoded(data, *cuts) == decoded(data)


@given(
    tail=st.binary(max_size=300),
    wide=st.booleans(),
    cuts=st.lists(st.integers(4000, 4500), max_size=4),
)
@example(tail=b"\xff\n\0\xff\xfe", wide=False, cuts=[4096])
def test_any_bytes_are_lines_however_they_are_cut(tail: bytes, wide: bool, cuts: list[int]) -> None:
    head = "TL_INFO(TF_PROTOCOL)\r\n".encode("utf-16-le" if wide else "utf-8")
    data = head * (4096 // len(head)) + tail
    whole = decoded(data)
    assert decoded(data, *cuts) == whole
    assert [line.number for line in whole] == list(range(1, len(whole) + 1))
    for line in whole:
        message_bytes(line.text)


# Back to the wire


@pytest.mark.parametrize(
    ("given_lines", "length", "body"),
    [
        (["a", "b"], 4, b"a\r\nb"),
        (["a", "b"], 6, b"a\r\nb\r\n"),
        (["a", "b"], 3, b"a\nb"),
        (["a", "b", ""], 4, b"a\nb\n"),
        (["a", "", "", ""], 1, b"a"),
        (["Zo\u00eb"], 4, "Zo\u00eb".encode()),
        (["Zo\u00eb"], 3, b"Zo\xeb"),
        (["\u5f20 Zo\udceb"], 8, "\u5f20 Zo\u00eb".encode()),
        (["a", "b"], None, b"a\r\nb"),
        (["a", "b"], 77, b"a\r\nb"),
    ],
)
def test_the_length_of_a_body_tells_its_line_ends_and_its_encoding(
    given_lines: list[str], length: int | None, body: bytes
) -> None:
    assert wire_body(given_lines, length) == body


@pytest.mark.parametrize(
    "text",
    ["****MESSAGE BODY DELETED****", "***", "[Body removed]", "<body masked>", "## hidden ##"],
)
def test_a_note_that_a_body_is_hidden_is_told(text: str) -> None:
    assert is_notice(f" {text}\n")


@pytest.mark.parametrize("text", ["**", "-", "<xccos/>", "[one] two", "v=0", "", "(hello)"])
def test_what_people_and_programs_say_is_no_such_note(text: str) -> None:
    assert not is_notice(text)


@pytest.mark.parametrize(
    ("peer", "told"),
    [
        ("fe.contoso.com:5061", "fe.contoso.com:5061"),
        ("fe.contoso.com", "fe.contoso.com:0"),
        ("10.0.0.1:50123", "10.0.0.1:50123"),
        ("[fe80::1]:5061", "[fe80::1]:5061"),
        ("fe80::1", "[fe80::1]:0"),
        ("[fe80::1]", "[fe80::1]:0"),
        ("", ""),
    ],
)
def test_a_peer_always_has_a_port(peer: str, told: str) -> None:
    assert with_port(peer) == told


def test_a_length_is_that_of_the_header_alone() -> None:
    assert content_length("CONTENT-LENGTH: 12") == 12
    assert content_length("l:3") == 3
    assert content_length("Content-Length: twelve") is None
    assert content_length("Call-ID: 12") is None


# Margins of copies


@pytest.mark.parametrize(
    ("before", "following", "stripped"),
    [
        ("", "  folded", "  folded"),
        ("12. ", "13. From: a", "From: a"),
        ("12. ", "13.   folded", "  folded"),
        ("  7: ", " 18: From: a", "From: a"),
        ("12\t", "13\tFrom: a", "From: a"),
        ("> ", "> From: a", "From: a"),
        (">> ", ">>", ""),
        ("> > ", "> > From: a", "From: a"),
        ("- ", "- From: a", "From: a"),
        ("- ", "From: a", "From: a"),
        ("    ", "      folded", "  folded"),
        ("    ", "From: a", "From: a"),
        ("[FE01] ", "From: a", "From: a"),
    ],
)
def test_what_a_copy_has_before_a_line_it_has_before_those_that_follow(
    before: str, following: str, stripped: str
) -> None:
    margin = margin_of(f"{before}TL_INFO(TF_PROTOCOL) [0]", "TL_")
    assert margin is not None
    assert margin.before == len(before)
    assert margin.strip(following) == stripped


def test_a_name_in_brackets_before_a_line_is_the_server() -> None:
    margin = margin_of("[FE01.contoso.com] TL_INFO(", "TL_")
    assert margin is not None
    assert margin.server == "FE01.contoso.com"


def test_other_words_before_the_field_are_no_margin() -> None:
    assert margin_of("he wrote TL_INFO(", "TL_") is None
    assert margin_of("From: a", "TL_") is None


# Order


def ordered(*records: tuple[int, int, str]) -> list[str]:
    """Return the names, ``source`` and sequence, in the order that they come out."""
    order = TimeOrder()
    for time_ms, sequence, source in records:
        record = Annotation(time_ms * 1_000_000, 1, "error", f"{source}{sequence}")
        order.add(record, sequence, source, 1)
    return [said(record) for record in order.close() if not isinstance(record, tuple)]


def said(record: object) -> str:
    assert isinstance(record, Annotation)
    return record.text


def test_records_of_one_millisecond_are_ordered_by_their_sequence() -> None:
    assert ordered((1, 7, "a"), (1, 5, "a"), (1, 6, "a")) == ["a5", "a6", "a7"]


def test_records_of_two_servers_are_ordered_by_time_alone() -> None:
    assert ordered((2, 1, "a"), (1, 9, "b"), (2, 0, "b")) == ["b9", "a1", "b0"]


def test_a_sequence_that_begins_anew_moves_nothing() -> None:
    assert ordered((1, 0xFFFF_FFFF, "a"), (1, 0, "a")) == ["a4294967295", "a0"]


def test_a_clock_that_was_set_back_moves_nothing_that_the_sequence_has_in_order() -> None:
    assert ordered((2000, 1, "a"), (1000, 2, "a")) == ["a1", "a2"]


def test_another_session_at_the_end_of_a_file_stays_there() -> None:
    assert ordered((60_000, 9, "a"), (1, 1, "b")) == ["a9", "b1"]


def test_no_more_is_held_back_than_a_few_hundred_records() -> None:
    order = TimeOrder()
    given_out: list[Record] = []
    for number in range(lines.MAX_HELD + 10):
        order.add(Annotation(number, 1, "error", ""), number, "a", 1)
        given_out += [one for one in order.ready() if isinstance(one, Annotation)]
    assert [record.time_ns for record in given_out] == list(range(10))


def test_no_more_is_held_back_than_some_megabytes() -> None:
    order = TimeOrder()
    order.add(Annotation(1, 1, "error", ""), 1, "a", lines.MAX_HELD_BYTES)
    assert order.ready() == []
    order.add(Annotation(2, 1, "error", ""), 2, "a", 1)
    assert len(order.ready()) == 1
