"""SIP in datagrams: one message, or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.model import Datagram, Piece
from dissectors.notes import note_names
from dissectors.sip.datagram import read_datagram
from dissectors.sip.resume import MAX_HEAD
from dissectors.sip.scan import HeadScanner
from tests.support.sip_texts import message, response

BODY = b"<xccos ver='1'/>"
ONE, TWO = message(1), message(2, BODY)
NO_BLANK = ONE[:-2]


def datagram(payload: bytes, *, missing: int = 0, quoted: bool = False) -> Datagram:
    return Datagram(7, 8_000, 6, bytes(12), payload, 1000, missing, (), quoted)


def read(given: Datagram) -> tuple[bytes, int, list[str]] | None:
    """Return the bytes of the message, where its body begins, and its notes."""
    found = read_datagram(given, HeadScanner())
    if found is None:
        return None
    assert (found.frame, found.time_ns, found.digits) == (7, 8_000, 6)
    assert b"".join(
        given.payload[piece.offset - 1000 : piece.offset - 1000 + piece.length]
        for piece in found.pieces
    ) == (found.raw)
    return found.raw, found.body, note_names(found.notes)


CASES: dict[str, tuple[Datagram, bytes, bytes, str]] = {
    # what is read, the message, its body, its notes
    "a message": (datagram(TWO), TWO, BODY, ""),
    "a response": (datagram(response(3, BODY)), response(3, BODY), BODY, ""),
    "line ends before": (datagram(b"\r\n\r\n" + TWO), TWO, BODY, ""),
    "bytes behind": (datagram(TWO + b"\0\0\0"), TWO, BODY, "trailing-bytes"),
    "two messages": (datagram(TWO + ONE), TWO, BODY, "trailing-bytes"),
    "no length": (
        datagram(message(1, BODY, length=None)),
        message(1, BODY, length=None),
        BODY,
        "",
    ),
    "no length, and a second message": (
        datagram(message(1, BODY, length=None) + ONE),
        message(1, BODY, length=None) + ONE,
        BODY + ONE,
        "",
    ),
    "a length that is too large": (
        datagram(message(1, BODY, length="99")),
        message(1, BODY, length="99"),
        BODY,
        "bad-content-length",
    ),
    "a length that is too small": (
        datagram(message(1, BODY, length="6")),
        message(1, BODY[:6], length="6"),
        BODY[:6],
        "trailing-bytes",
    ),
    "a length that is no number": (
        datagram(message(1, BODY, length="-7")),
        message(1, BODY, length="-7"),
        BODY,
        "bad-content-length",
    ),
    "cut in the body": (
        datagram(TWO[:-5], missing=5),
        TWO[:-5],
        BODY[:-5],
        "truncated",
    ),
    "cut in the body of unknown length": (
        datagram(message(1, BODY, length=None), missing=5),
        message(1, BODY, length=None),
        BODY,
        "truncated",
    ),
    "no empty line": (datagram(NO_BLANK), NO_BLANK, b"", ""),
    "no end of the last line": (datagram(NO_BLANK[:-2]), NO_BLANK[:-2], b"", ""),
    "LF alone": (
        datagram(message(1, BODY, end=b"\n")),
        message(1, BODY, end=b"\n"),
        BODY,
        "lf-only",
    ),
    "the empty line alone ended by LF": (
        datagram(ONE[:-2] + b"\n"),
        ONE[:-2] + b"\n",
        b"",
        "lf-only",
    ),
    "CR alone": (
        datagram(message(1, BODY, end=b"\r")),
        message(1, BODY, end=b"\r"),
        BODY,
        "",
    ),
    "junk before": (datagram(b"\x01junk: " + TWO), TWO, BODY, "junk-before"),
    "junk that reads as part of the method": (
        datagram(b"xyz" + TWO),
        TWO,
        BODY,
        "junk-before",
    ),
    "junk in words": (datagram(b"one two " + TWO), TWO, BODY, "junk-before"),
    "junk on its own line": (datagram(b"SIP/ junk\r\n" + TWO), TWO, BODY, "junk-before"),
    "junk before a response": (
        datagram(b"\0\0" + response(3)),
        response(3),
        b"",
        "junk-before",
    ),
    "quoted": (datagram(TWO, quoted=True), TWO, BODY, "icmp-quoted"),
    "quoted and cut": (
        datagram(TWO[:-9], quoted=True),
        TWO[:-9],
        BODY[:-9],
        "truncated icmp-quoted",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_message_of_a_datagram(case: tuple[Datagram, bytes, bytes, str]) -> None:
    given, raw, body, notes = case
    found = read(given)
    assert found is not None
    assert found[0] == raw
    assert raw[found[1] :] == body
    assert sorted(found[2]) == sorted(notes.split())


@pytest.mark.parametrize("known", [{"missing": 700}, {"quoted": True}])
def test_of_a_cut_head_the_line_that_was_cut_is_not_believed(known: dict[str, bool]) -> None:
    cut = TWO[: TWO.index(b"Call-ID: ") + 10]
    found = read_datagram(datagram(cut, **known), HeadScanner())
    assert found is not None
    assert found.raw == cut
    assert found.head.call_id is None
    assert found.head.to_tag == "b"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\r\n\r\n",
        b"SIP/",
        b"SIP/2.0",
        b"M-SEARCH * HTTP/1.1\r\nHost: x\r\n\r\n",
        b"<134> proxy: got SIP/2.0 200 OK from 10.0.0.1",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + TWO,
        bytes(1400) + b"SIP/" + bytes(99),
    ],
)
def test_other_datagrams_give_none(payload: bytes) -> None:
    assert read(datagram(payload)) is None


def test_a_method_of_its_own_is_no_junk() -> None:
    strange = message(1, method="xyzINFO")
    found = read_datagram(datagram(strange), HeadScanner())
    assert found is not None
    assert found.head.method == "xyzINFO"
    assert note_names(found.notes) == []


def test_the_pieces_follow_the_fragments() -> None:
    fragments = (Piece(5, 100, 50), Piece(6, 900, len(TWO) - 50 + 4), Piece(7, 2000, 60))
    given = datagram(b"\r\n\r\n" + TWO + b"x" * 60)._replace(fragments=fragments)
    found = read_datagram(given, HeadScanner())
    assert found is not None
    assert found.pieces == (Piece(5, 104, 46), Piece(6, 900, len(TWO) - 46))


def test_a_head_beyond_the_limit_is_not_read() -> None:
    largest = message(1, extra="Q: " + "a" * (MAX_HEAD - len(message(1, extra="Q: ")) + 4))
    assert read(datagram(largest)) is not None
    assert read(datagram(largest.replace(b"Q: ", b"Q: a", 1))) is None


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=99).map(lambda data: data + TWO)))
def test_any_bytes_are_survived(payload: bytes) -> None:
    for given_ in (datagram(payload), datagram(payload, missing=3), datagram(payload, quoted=True)):
        found = read(given_)
        assert found is None or found[0] in payload


@given(st.integers(0, len(TWO)))
def test_a_cut_anywhere_is_survived(length: int) -> None:
    found = read(datagram(TWO[:length], missing=len(TWO) - length))
    start_line = TWO.index(b"\r\n")
    if length >= start_line + 2:
        assert found is not None
        assert found[0] == TWO[:length]
        assert (length == len(TWO)) != ("truncated" in found[2])
