"""Framing in streams: each case whole, byte by byte, and cut in two at every place."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dissectors.model import Chunk, Piece
from dissectors.notes import note_names
from dissectors.sip.ending import MAX_BODY
from dissectors.sip.held import MAX_SEARCH
from dissectors.sip.resume import MAX_HEAD, MAX_START_LINE
from dissectors.sip.scan import HeadScanner
from dissectors.sip.stream import StreamReader
from tests.support.sip_texts import message, response
from tests.support.streams import Hole, byte_by_byte, chunk, framed, result, split_at

if TYPE_CHECKING:
    from collections.abc import Sequence

ONE, TWO, THREE = message(1), message(2, b"<xccos/>"), response(3, b"abc")
BODY = b"<xccos ver='1'/>"


class Case(NamedTuple):
    """Parts of a stream, and the messages to be found: (bytes, notes)."""

    parts: Sequence[bytes | Hole]
    expected: Sequence[tuple[bytes, str]]
    whole: bool = True


def headless(raw: bytes, name: bytes) -> bytes:
    """Return a message without a header."""
    return b"\r\n".join(line for line in raw.split(b"\r\n") if not line.startswith(name))


def pasted(length: int = 0) -> bytes:
    """Return a chat text that holds a trace, with a length that is off by ``length``."""
    text = b"look:\r\n" + response(90) + message(91, b"hello") + b"what now?"
    return message(5, text, length=str(len(text) + length), extra="Content-Type: text/plain")


LOOSE = b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\n"
FOLDED = message(1, b"x", extra="Subject: a\r\n\tb").replace(
    b"\r\nSubject: a\r\n", b"\r\nSubject: a"
)
LONG_URI = b"INFO sip:" + b"a" * MAX_START_LINE + b"@contoso.com SIP/2.0"
LONG_START = message(1).replace(b"INFO sip:ma@contoso.com SIP/2.0", LONG_URI, 1)
FRAGMENT = b"SIP/2.0 100 Trying\r\nVia: x\r\n"

CASES: dict[str, Case] = {
    "one message": Case([ONE], [(ONE, "")]),
    "a body": Case([TWO], [(TWO, "")]),
    "several messages": Case([ONE + TWO + THREE], [(ONE, ""), (TWO, ""), (THREE, "")]),
    "keep-alives": Case(
        [b"\r\n\r\n" + ONE + b"\r\n\r\n\r\n\r\n" + TWO + b"\r\n" + THREE + b"\r\n\r\n"],
        [(ONE, ""), (TWO, ""), (THREE, "")],
    ),
    "odd numbers of line ends": Case(
        [b"\n" + ONE + b"\r\n\n\n\r" + TWO + b"\r"], [(ONE, ""), (TWO, "")]
    ),
    "keep-alives alone": Case([b"\r\n\r\n" * 5], []),
    "folded": Case(
        [message(1, b"x", extra="Subject: a").replace(b"Subject: a", b"Subject: a\r\n\tb") + TWO],
        [
            (message(1, b"x", extra="Subject: a").replace(b": a", b": a\r\n\tb"), "folded"),
            (TWO, ""),
        ],
    ),
    "folded Content-Length": Case(
        [message(1, b"xyz").replace(b"Length: ", b"Length:\r\n ") + TWO],
        [(message(1, b"xyz").replace(b"Length: ", b"Length:\r\n "), "folded"), (TWO, "")],
    ),
    "compact": Case(
        [message(1, b"xyz").replace(b"Content-Length", b"l").replace(b"Via", b"v") + TWO],
        [
            (message(1, b"xyz").replace(b"Content-Length", b"l").replace(b"Via", b"v"), "compact"),
            (TWO, ""),
        ],
    ),
    "LF alone": Case(
        [message(1, b"x\n", end=b"\n") + TWO + message(3, end=b"\n")],
        [(message(1, b"x\n", end=b"\n"), "lf-only"), (TWO, ""), (message(3, end=b"\n"), "lf-only")],
    ),
    "the empty line alone ended by LF": Case(
        [message(1, b"x").replace(b"\r\n\r\n", b"\r\n\n") + TWO],
        [(message(1, b"x").replace(b"\r\n\r\n", b"\r\n\n"), "lf-only"), (TWO, "")],
    ),
    "the last header alone ended by LF": Case(
        [message(1, b"x").replace(b"\r\n\r\n", b"\n\r\n") + TWO],
        [(message(1, b"x").replace(b"\r\n\r\n", b"\n\r\n"), "lf-only"), (TWO, "")],
    ),
    "an empty line with one CR more": Case(
        [message(1, b"x").replace(b"\r\n\r\n", b"\r\n\r\r\n") + TWO],
        [(message(1, b"x").replace(b"\r\n\r\n", b"\r\n\r\r\n"), ""), (TWO, "")],
    ),
    "mixed line ends": Case(
        [message(1, b"x").replace(b"\r\nTo", b"\nTo") + TWO],
        [(message(1, b"x").replace(b"\r\nTo", b"\nTo"), "lf-only"), (TWO, "")],
    ),
    "a repeated header": Case(
        [message(1, b"x", extra="Call-ID: other") + TWO],
        [(message(1, b"x", extra="Call-ID: other"), "repeated-header"), (TWO, "")],
    ),
    "a header that is not UTF-8": Case(
        [message(1, b"x", extra="Subject: ?").replace(b"?", b"\xff\xfe") + TWO],
        [(message(1, b"x", extra="Subject: ?").replace(b"?", b"\xff\xfe"), "not-utf8"), (TWO, "")],
    ),
    "a header without a colon": Case(
        [message(1, b"x", extra="Subject") + TWO],
        [(message(1, b"x", extra="Subject"), "bad-header"), (TWO, "")],
    ),
    "no length and no body": Case(
        [message(1, length=None) + TWO], [(message(1, length=None), "no-content-length"), (TWO, "")]
    ),
    "no length but a body": Case(
        [message(1, BODY, length=None) + b"\r\n" + TWO],
        [(message(1, BODY, length=None), "no-content-length"), (TWO, "")],
    ),
    "no length at the end": Case(
        [ONE + message(2, BODY, length=None)],
        [(ONE, ""), (message(2, BODY, length=None), "no-content-length")],
    ),
    "a length that is too small": Case(
        [message(1, BODY, length="3") + TWO],
        [(message(1, BODY[:3], length="3"), ""), (TWO, "resynchronised")],
    ),
    "a length that is too small, and lines left over": Case(
        [message(1, LOOSE, length="3") + TWO],
        [(message(1, LOOSE[:3], length="3"), ""), (TWO, "resynchronised")],
    ),
    "a length that is too small, and words left over": Case(
        [message(1, b"one two three", length="3") + TWO],
        [(message(1, b"one", length="3"), ""), (TWO, "resynchronised")],
    ),
    "a length that is too small, and letters left over": Case(
        [message(1, b"onetwo", length="3") + TWO],
        [(message(1, b"one", length="3"), ""), (TWO, "resynchronised")],
    ),
    "a length that is too large": Case(
        [message(1, BODY, length="100") + TWO + THREE],
        [
            (message(1, BODY, length="100"), "bad-content-length"),
            (TWO, ""),
            (THREE, ""),
        ],
    ),
    "a length that is too large and reaches to the end": Case(
        [message(1, BODY, length="99999") + TWO + THREE],
        [(message(1, BODY, length="99999"), "bad-content-length"), (TWO, ""), (THREE, "")],
    ),
    "lengths that are too large one after another": Case(
        [message(1, BODY, length="500") + message(2, BODY, length="5000") + THREE],
        [
            (message(1, BODY, length="500"), "bad-content-length"),
            (message(2, BODY, length="5000"), "bad-content-length"),
            (THREE, ""),
        ],
    ),
    "a length that is too large, alone": Case(
        [message(1, BODY, length="99999")], [(message(1, BODY, length="99999"), "truncated")]
    ),
    "a negative length": Case(
        [message(1, BODY, length="-5") + TWO],
        [(message(1, BODY, length="-5"), "bad-content-length"), (TWO, "")],
    ),
    "a length that is no number": Case(
        [message(1, BODY, length="many") + TWO],
        [(message(1, BODY, length="many"), "bad-content-length"), (TWO, "")],
    ),
    "a length beyond every limit": Case(
        [message(1, BODY, length="9" * 40) + TWO],
        [(message(1, BODY, length="9" * 40), "bad-content-length"), (TWO, "")],
    ),
    "lengths that contradict each other": Case(
        [message(1, BODY, extra="Content-Length: 2") + TWO],
        [
            (message(1, BODY[:2], length="16", extra="Content-Length: 2"), "*"),
            (TWO, "resynchronised"),
        ],
    ),
    "unknown methods": Case(
        [message(1, method="NEWMETHOD") + message(2, b"x", method="lower~case")],
        [(message(1, method="NEWMETHOD"), ""), (message(2, b"x", method="lower~case"), "")],
    ),
    "a method whose CSeq differs": Case(
        [message(1, b"x").replace(b"CSeq: 1 INFO", b"CSeq: 1 BYE") + TWO],
        [(message(1, b"x").replace(b"CSeq: 1 INFO", b"CSeq: 1 BYE"), "cseq-mismatch"), (TWO, "")],
    ),
    "a trace pasted into a text": Case(
        [ONE + pasted() + TWO], [(ONE, ""), (pasted(), ""), (TWO, "")]
    ),
    "a pasted trace, then keep-alives": Case(
        [pasted() + b"\r\n\r\n" + TWO], [(pasted(), ""), (TWO, "")]
    ),
    "a pasted trace at the end": Case([ONE + pasted()], [(ONE, ""), (pasted(), "")]),
    "a pasted trace, keep-alives at the end": Case(
        [ONE + pasted() + b"\r\n\r\n"], [(ONE, ""), (pasted(), "")]
    ),
    "a pasted trace, then a message that is cut": Case(
        [pasted() + b"INFO sip:ma@con"], [(pasted(), "")]
    ),
    "a message inside a message": Case(
        [message(1, FRAGMENT, extra="Content-Type: message/sipfrag") + TWO],
        [(message(1, FRAGMENT, extra="Content-Type: message/sipfrag"), ""), (TWO, "")],
    ),
    "a message inside a message, then something else": Case(
        [message(1, FRAGMENT, extra="Content-Type: message/sipfrag") + b"junk\r\n" + TWO],
        [
            (message(1, FRAGMENT, extra="Content-Type: message/sipfrag"), ""),
            (TWO, "resynchronised"),
        ],
    ),
    "garbage between messages": Case(
        [ONE + b"\x00\x01garbage\r\n\x02 more: of it\r\n" + TWO],
        [(ONE, ""), (TWO, "resynchronised")],
    ),
    "garbage without a line end before a message": Case(
        [ONE + b"\x00\x01gar bage: " + TWO], [(ONE, ""), (TWO, "resynchronised")]
    ),
    "garbage before a response": Case(
        [b"\x17\x03\x03 x\r\n" + THREE + ONE], [(THREE, "resynchronised"), (ONE, "")]
    ),
    "a head that broke off before the next message": Case(
        [ONE[:-20] + b"\r\n" + TWO + THREE],
        [(ONE[:-20] + b"\r\n", "truncated bad-header"), (TWO, ""), (THREE, "")],
    ),
    "text that only looks like a start line": Case(
        [ONE + b"SIP/2.0 is fine\r\nREGISTER now SIP/2.0\r\nThe SIP/2.0 200 OK\r\n" + TWO],
        [(ONE, ""), (TWO, "resynchronised")],
    ),
    "a stream that begins in a body": Case(
        [b"rest of a body</xccos>" + ONE + TWO], [(ONE, "resynchronised"), (TWO, "")], whole=False
    ),
    "a stream that begins in a head": Case(
        [ONE[30:] + TWO + THREE], [(TWO, "resynchronised"), (THREE, "")], whole=False
    ),
    "a stream that begins with a message though that is not known": Case(
        [ONE + TWO], [(ONE, ""), (TWO, "")], whole=False
    ),
    "a hole in a head": Case(
        [ONE + TWO[:60], Hole(50), TWO[110:] + THREE],
        [(ONE, ""), (TWO[:60], "hole truncated missing-header"), (THREE, "resynchronised")],
    ),
    "a hole in a start line": Case(
        [ONE + TWO[:10], Hole(50), TWO[60:] + THREE], [(ONE, ""), (THREE, "resynchronised")]
    ),
    "a hole in a body": Case(
        [message(1, b"a" * 90)[:-50], Hole(20), b"a" * 30 + TWO + THREE],
        [
            (message(1, b"a" * 90)[:-50], "hole truncated"),
            (TWO, "resynchronised"),
            (THREE, ""),
        ],
    ),
    "a hole where a body begins": Case(
        [message(1, b"a" * 90)[:-90], Hole(20), b"a" * 70 + TWO],
        [(message(1, b"a" * 90)[:-90], "hole truncated"), (TWO, "resynchronised")],
    ),
    "a hole that ends with the body": Case(
        [message(1, b"a" * 90)[:-50], Hole(50), TWO],
        [(message(1, b"a" * 90)[:-50], "hole truncated"), (TWO, "resynchronised")],
    ),
    "a hole over the end of a body": Case(
        [message(1, b"a" * 90)[:-50], Hole(50 + 70), TWO[70:] + THREE],
        [(message(1, b"a" * 90)[:-50], "hole truncated"), (THREE, "resynchronised")],
    ),
    "a hole in a body with a pasted trace behind it": Case(
        [pasted()[:-400], Hole(20), pasted()[-380:] + TWO],
        [(pasted()[:-400], "hole truncated"), (TWO, "resynchronised")],
    ),
    "a hole in a body whose length lies": Case(
        [message(1, b"a" * 90, length="400")[:-50], Hole(20), b"a" * 30 + TWO + THREE],
        [
            (message(1, b"a" * 90, length="400")[:-50], "hole truncated"),
            (TWO, "resynchronised"),
            (THREE, ""),
        ],
    ),
    "a hole in a body whose length lies beyond the end": Case(
        [message(1, b"a" * 90, length="40000")[:-50], Hole(20), b"a" * 30 + TWO + THREE],
        [
            (message(1, b"a" * 90, length="40000")[:-50], "hole truncated"),
            (TWO, "resynchronised"),
            (THREE, ""),
        ],
    ),
    "two holes in a body": Case(
        [message(1, b"a" * 90)[:-60], Hole(20), b"a" * 10, Hole(20), b"a" * 10 + TWO],
        [(message(1, b"a" * 90)[:-60], "hole truncated"), (TWO, "resynchronised")],
    ),
    "a hole in a body without a length": Case(
        [message(1, b"a" * 90, length=None)[:-60], Hole(20), b"a" * 40 + TWO],
        [
            (message(1, b"a" * 90, length=None)[:-60], "hole truncated no-content-length"),
            (TWO, "resynchronised"),
        ],
    ),
    "a hole between messages": Case(
        [ONE, Hole(len(TWO)), THREE], [(ONE, ""), (THREE, "resynchronised")]
    ),
    "a hole of unknown length": Case(
        [message(1, b"a" * 90)[:-50], Hole(0), b"a" * 30 + TWO],
        [(message(1, b"a" * 90)[:-50], "hole truncated"), (TWO, "resynchronised")],
    ),
    "holes in every message": Case(
        [ONE[:50], Hole(9), ONE[59:] + TWO[:70], Hole(9), TWO[79:] + THREE],
        [
            (ONE[:50], "hole truncated missing-header"),
            (TWO[:70], "hole resynchronised truncated missing-header"),
            (THREE, "resynchronised"),
        ],
    ),
    "the end in a head": Case(
        [ONE + TWO[:60]], [(ONE, ""), (TWO[:60], "truncated missing-header")]
    ),
    "the end in a start line": Case([ONE + TWO[:15]], [(ONE, "")]),
    "the end in a body": Case([ONE + TWO[:-3]], [(ONE, ""), (TWO[:-3], "truncated")]),
    "the end before the body": Case([ONE + TWO[:-8]], [(ONE, ""), (TWO[:-8], "truncated")]),
    "the end in the empty line": Case([ONE + TWO[:-9]], [(ONE, ""), (TWO[:-9], "truncated")]),
    "binary garbage alone": Case([bytes(range(256)) * 4], []),
    "something else that mentions SIP": Case(
        [b"User-Agent: SIP/2.0 tester\r\n\r\nSIP/2.0\r\n"], []
    ),
    "a message ended by CR alone": Case(
        [ONE.replace(b"\r\n", b"\r") + TWO + THREE], [(TWO, "resynchronised"), (THREE, "")]
    ),
}


def overlong(by: int) -> bytes:
    return message(1, BODY, length=str(len(BODY) + by))


for _by in (1, 2, 4, 5, 13, 16, 19, 20, 30, 33, 34, 36, 37, 60):
    for _next in (TWO, THREE):
        # With its start line and the name of its first header it is seen where it begins; with less
        # of it only when the rest comes, and then the bytes stand in both messages.
        _seen = _by >= _next.index(b"Via:") + 4
        _first = overlong(_by) if _seen else overlong(_by) + _next[:_by]
        CASES[f"a length that is {_by} too large before {_next[:4].decode()}"] = Case(
            [ONE + overlong(_by) + _next + ONE],
            [
                (ONE, ""),
                (_first, "bad-content-length" if _seen else ""),
                (_next, "" if _seen else "resynchronised"),
                (ONE, ""),
            ],
        )
CASES["lengths that are too large again and again"] = Case(
    [overlong(3) + overlong(3) + overlong(3) + TWO],
    [
        (overlong(3) + b"INF", ""),
        (overlong(3) + b"INF", "resynchronised"),
        (overlong(3) + b"INF", "resynchronised"),
        (TWO, "resynchronised"),
    ],
)
CASES["a body that ends like the beginning of a message"] = Case(
    [message(1, b"BE") + message(2, method="NOTIFY").replace(b"To:", b"Too:")],
    [
        (message(1, b"BE"), ""),
        (message(2, method="NOTIFY").replace(b"To:", b"Too:"), "missing-header"),
    ],
)


def check(actual: Sequence[tuple[bytes, int, int]], expected: Sequence[tuple[bytes, str]]) -> None:
    assert [raw for raw, _, _ in actual] == [raw for raw, _ in expected]
    for (raw, body, notes), (_, names) in zip(actual, expected, strict=True):
        if names != "*":
            assert sorted(note_names(notes)) == sorted(names.split())
        assert raw[:body].endswith(b"\n") or "truncated" in names


every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@every_case
def test_messages_are_found(case: Case) -> None:
    check(result(case.parts, whole=case.whole).messages, case.expected)


@every_case
def test_byte_by_byte_gives_the_same(case: Case) -> None:
    assert result(byte_by_byte(case.parts), whole=case.whole) == result(
        case.parts, whole=case.whole
    )


@pytest.mark.untraced
@every_case
def test_a_cut_anywhere_gives_the_same(case: Case) -> None:
    expected = result(case.parts, whole=case.whole)
    total = sum(len(part) for part in case.parts if isinstance(part, bytes))
    for place in range(1, total):
        assert result(split_at(case.parts, place), whole=case.whole) == expected, place


def test_no_byte_is_counted_twice_or_forgotten() -> None:
    for name, case in CASES.items():
        if "too large" in name:
            continue  # bytes that were taken back stand in two messages
        found, junk = result(case.parts, whole=case.whole)
        total = sum(len(part) for part in case.parts if isinstance(part, bytes))
        kept = sum(len(raw) for raw, _, _ in found)
        line_ends = total - kept - junk
        assert 0 <= line_ends <= 25, name


PIECES = [ONE, TWO, THREE, pasted(), message(4, BODY, length=None), message(5, LOOSE, length="3"),
          message(6, BODY, length="77"), b"\r\n\r\n", b"junk: x\r\n", b"\x00", b"INFO", b"SIP/2.0",
          FRAGMENT, message(8, end=b"\n"), ONE[:40], TWO[-40:], b"\n"]  # fmt: skip


@given(
    st.lists(st.one_of(st.sampled_from(PIECES), st.builds(Hole, st.integers(0, 60))), max_size=7),
    st.lists(st.integers(0, 3000), max_size=6),
    st.booleans(),
)
@example([message(6, BODY, length="77"), b"SIP/2.0", TWO[-40:], THREE], [283], True)
def test_how_bytes_were_cut_does_not_matter(
    parts: list[bytes | Hole], cuts: list[int], whole: bool
) -> None:
    expected = result(_joined(parts), whole=whole)
    cut = parts
    for place in cuts:
        cut = split_at(cut, place)
    assert result(cut, whole=whole) == expected
    assert result(byte_by_byte(parts), whole=whole) == expected


def _joined(parts: Sequence[bytes | Hole]) -> list[bytes | Hole]:
    joined: list[bytes | Hole] = []
    for part in parts:
        if joined and isinstance(part, bytes) and isinstance(joined[-1], bytes):
            joined[-1] += part
        else:
            joined.append(part)
    return joined


@given(st.lists(st.binary(max_size=60), max_size=6), st.booleans())
def test_any_bytes_are_survived(parts: list[bytes], whole: bool) -> None:
    total = sum(map(len, parts))
    found, junk = result(parts, whole=whole)
    assert sum(len(raw) for raw, _, _ in found) + junk <= total


# where the bytes lie


def test_the_frame_of_a_message_is_the_one_that_completes_it() -> None:
    found, _ = framed([ONE[:20], ONE[20:] + TWO[:100], TWO[100:] + THREE])
    assert [one.frame for one in found] == [2, 3, 3]
    assert [[piece.frame for piece in one.pieces] for one in found] == [[1, 2], [2, 3], [3]]


def test_a_late_chunk_completes_a_message_though_it_is_not_its_last() -> None:
    reader = StreamReader(HeadScanner(), whole=True)
    late = Chunk(0, ONE[:50], 9, 9000, 6, 0)
    assert reader.feed(late) == []
    (one,) = reader.feed(Chunk(0, ONE[50:], 4, 4000, 6, 70))
    assert (one.frame, one.time_ns) == (9, 9000)


def test_pieces_follow_the_fragments_of_a_packet() -> None:
    reader = StreamReader(HeadScanner(), whole=True)
    data = ONE + TWO
    fragments = (Piece(1, 1000, 400), Piece(2, 5000, len(data) - 400))
    found = reader.feed(Chunk(0, data, 2, 2000, 6, 1000, fragments))
    assert [one.raw for one in found] == [ONE, TWO]
    size = len(ONE)
    assert found[0].pieces == (Piece(1, 1000, size),)
    assert found[1].pieces == (
        Piece(1, 1000 + size, 400 - size),
        Piece(2, 5000, len(data) - 400),
    )


# limits


def test_a_start_line_of_four_kilobytes_is_read() -> None:
    assert result([LONG_START + TWO]) == result(byte_by_byte([LONG_START + TWO]))
    check(result([LONG_START + TWO]).messages, [(LONG_START, ""), (TWO, "")])


def test_a_head_at_the_limit_is_read_and_beyond_it_is_passed_over() -> None:
    def with_head(size: int) -> bytes:
        head = message(1, extra="Q: ")
        return head.replace(b"Q: ", b"Q: " + b"a" * (size - len(head) + 4))

    largest, larger = with_head(MAX_HEAD), with_head(MAX_HEAD + 1)
    for parts in ([largest + TWO], [largest[:9], largest[9:200_000], largest[200_000:] + TWO]):
        check(result(parts).messages, [(largest, ""), (TWO, "")])
    whole = result([larger + TWO])
    check(whole.messages, [(TWO, "resynchronised")])
    for size in (100, 1460, 65_000):
        stream = larger + TWO
        parts = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert result(parts) == whole


def test_sip_after_two_megabytes_of_binary_is_found_when_asked_for() -> None:
    garbage = bytes(range(256)) * (2 << 12)
    found = result([garbage, ONE])
    check(found.messages, [(ONE, "resynchronised")])
    assert found.junk == len(garbage)
    parts = [garbage[at : at + 1460] for at in range(0, len(garbage), 1460)]
    assert result([*parts, ONE]) == found


def test_a_stream_without_any_message_is_called_hopeless() -> None:
    reader = StreamReader(HeadScanner(), whole=False)
    for number in range(MAX_SEARCH // 1000 + 5):
        reader.feed(chunk(b"x" * 999 + b"\n", number))
    assert reader.hopeless
    hopeful = StreamReader(HeadScanner(), whole=False)
    hopeful.feed(chunk(ONE))
    for number in range(MAX_SEARCH // 1000 + 5):
        hopeful.feed(chunk(b"x" * 999 + b"\n", number))
    assert not hopeful.hopeless


def test_a_body_at_the_limit_is_waited_for_and_beyond_it_is_not_believed() -> None:
    body = bytes(MAX_BODY)
    largest = message(1, body)
    cut = [largest[at : at + 65_000] for at in range(0, len(largest), 65_000)]
    (one, two), _ = result([*cut, TWO])
    assert one == (largest, len(largest) - MAX_BODY, 0)
    assert two[0] == TWO
    larger = message(1, body, length=str(MAX_BODY + 1))
    cut = [larger[at : at + 65_000] for at in range(0, len(larger), 65_000)]
    check(result([*cut, TWO]).messages, [(larger, "bad-content-length"), (TWO, "")])


# hostile: what is counted is how often bytes are looked at again


class Counting(StreamReader):
    """Counts the bytes that framing looks at."""

    looked_at = 0

    def _frame(self, data: bytes, why: int | None) -> list[object]:  # type: ignore[override]
        self.looked_at += len(data)
        return super()._frame(data, why)  # type: ignore[return-value]


HOSTILE: dict[str, bytes] = {
    "no length and no end": message(1, length=None) + b"a" * (1 << 20),
    "heads without an end": b"INFO sip:a@b SIP/2.0\r\nVia: x\r\n" * (1 << 15),
    "a line without an end": b"SIP/2.0 200 " + b"a" * (1 << 20),
    "tokens without an end": b"xSIP/2.0 200 " * (1 << 16),
    "lengths that lie": message(1, length="15000000") * (1 << 12),
    "a pasted trace that something follows": pasted() + b"a" * (1 << 20),
    "bytes of no line": b"a" * (1 << 20),
    "line ends": b"\r\n" * (1 << 19),
    "empty lines after heads that are none": b"a b\r\n\r\n" * (1 << 17),
}


@pytest.mark.untraced
@pytest.mark.parametrize("stream", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("size", [61, 1460])
def test_the_work_is_bounded_whatever_comes(stream: bytes, size: int) -> None:
    stream = stream[: size << 10]
    reader = Counting(HeadScanner(), whole=True)
    for number, at in enumerate(range(0, len(stream), size), 1):
        reader.feed(chunk(stream[at : at + size], number))
        assert len(reader._buffer) <= len(stream)
    reader.close()
    assert reader._buffer == b""
    # Held bytes are looked at again for every eighth that comes to them, and up to MAX_HEAD of
    # them for every chunk where a head does not end.
    assert reader.looked_at <= 40 * len(stream) + (len(stream) // size) * 2000


def test_a_reader_is_idle_where_the_next_byte_begins_a_message() -> None:
    reader = StreamReader(HeadScanner(), whole=True)
    assert reader.idle
    reader.feed(chunk(ONE[:30]))
    assert not reader.idle
    reader.feed(chunk(ONE[30:], 2))
    assert reader.idle
    other = StreamReader(HeadScanner(), whole=True)
    other.behind = reader.behind
    assert other.behind == reader.behind
