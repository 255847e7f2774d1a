"""Every scanner of heads says of any bytes what the reference says."""

from __future__ import annotations

import re
from functools import cache
from random import Random  # noqa: TID251  (seeded: the same mutants in every run)
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dissectors.notes import BAD_HEADER, COMPACT, MISSING_HEADER, NOT_UTF8, REPEATED
from dissectors.sip import scan
from dissectors.sip.parse import MAX_HEADERS
from tests.dissectors.sip.strategies import messages, mutated, odd_messages
from tests.paths import SHARED, require_shared
from tests.support.reading import capture_bytes
from tests.support.scanners import Scanner, plain, scanners
from tests.support.sip_texts import message, response, torture_messages

if TYPE_CHECKING:
    from collections.abc import Callable

MUTANTS = 15_000
LONGEST = 4000  # of a head to mutate: larger ones are few and take most of the time

_HEAD = re.compile(rb"(?:[A-Z]{3,12} [^\r\n]+ SIP/2\.0|SIP/2\.0 [0-9]{3} [^\r\n]*)\r\n")

BITS = (
    *(b"\r\n", b"\r", b"\n", b"\r\n ", b" ", b"\t", b"\x00", b"\x1c", b"\x7f", b"\\", b"0", b"="),
    *(b'"', b"<", b">", b";", b",", b":", b";tag=", b";branch=", b"RANCH=", b"tag", b"SIP/2.0"),
    *(b"\xff", b"\xa0", b"\x85", b"\xc3\xa9", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"9" * 19),
    b"\xe2\x84\xaa",  # KELVIN SIGN, a "k" in lower case
    *(b"\r\nl: 7", b"\r\nTo : <sip:a>", b"\r\nCSeq: 1 INFO", b"\r\n: x", b"\r\nv: a, b"),
)


def heads_in(data: bytes) -> set[bytes]:
    """Return what looks like a head in a capture, also where packets cut it."""
    found = set()
    for match in _HEAD.finditer(data):
        end = data.find(b"\r\n\r\n", match.start(), match.start() + 20_000)
        if end > 0:
            found.add(data[match.start() : end])
    return found


@cache
def real_heads() -> tuple[bytes, ...]:
    """Return the heads of the corpus, and of the torture messages."""
    require_shared()
    heads = {raw.partition(b"\r\n\r\n")[0] for raw in torture_messages().values()}
    for folder in ("corpus/captures", "captures"):
        for path in (SHARED / folder).rglob("*.pcap*"):
            heads |= heads_in(capture_bytes(path))
    return tuple(sorted(heads))


@pytest.fixture(scope="module", params=scanners()[1:])
def make(request: pytest.FixtureRequest) -> Callable[[], Scanner]:
    """What makes a scanner, other than the reference itself."""
    found: Callable[[], Scanner] = request.param
    return found


@pytest.fixture(scope="module")
def scanner(make: Callable[[], Scanner]) -> Scanner:
    """One for all tests of this file: what it remembers must change no answer."""
    return make()


REFERENCE = plain()


def assert_agrees(scanner: Scanner, head: bytes) -> None:
    assert scanner.scan(head) == REFERENCE.scan(head), head
    line = head.partition(b"\r\n")[0]
    assert scanner.scanner.is_start(line) == REFERENCE.scanner.is_start(line), line


def test_the_heads_of_the_corpus_are_read_alike(scanner: Scanner) -> None:
    heads = real_heads()
    assert len(heads) > 1000
    for head in heads:
        assert_agrees(scanner, head)


def change_bytes(head: bytes, random: Random) -> bytes:
    """Return a head in which a few bytes were put in, exchanged or taken away."""
    at, cut = random.randrange(len(head) + 1), random.randrange(6)
    put = random.choice((b"", bytes((random.randrange(256),)), *[random.choice(BITS)] * 4))
    return head[:at] + put + head[at + random.choice((0, cut)) :]


def change_lines(head: bytes, other: bytes, random: Random) -> bytes:
    """Return a head in which a line was taken away, repeated, rewritten or taken from another."""
    lines = head.split(b"\r\n")
    at, to = random.randrange(len(lines)), random.randrange(len(lines))
    put: tuple[list[bytes], ...] = (
        [],
        [lines[to]],
        [lines[at].swapcase()],
        random.choices(other.split(b"\r\n")),
    )
    return b"\r\n".join([*lines[:at], *random.choice(put), *lines[at + random.randrange(2) :]])


def mutant(originals: tuple[bytes, ...], random: Random) -> bytes:
    """Return a head that was changed in one place or a few."""
    head = random.choice(originals)
    for _ in range(random.choice((1, 1, 1, 2, 3, 5))):
        if random.random() < 0.6:
            head = change_bytes(head, random)
        else:
            head = change_lines(head, random.choice(originals), random)
    return head


def test_damaged_heads_of_the_corpus_are_read_alike(scanner: Scanner) -> None:
    random = Random(3261)
    originals = tuple(head for head in real_heads() if len(head) <= LONGEST)
    for _ in range(MUTANTS):
        assert_agrees(scanner, mutant(originals, random))


def head(*lines: str | bytes, start: str = "INFO sip:a@b SIP/2.0") -> bytes:
    """Return a head that has Call-ID, CSeq, From, To and Via, after some other lines."""
    usual = ("Call-ID: c", "CSeq: 1 INFO", "From: <sip:a>;tag=x", "To: <sip:b>", "Via: a;branch=z")
    every = (start, *lines, *usual)
    return b"\r\n".join(line if isinstance(line, bytes) else line.encode() for line in every)


originals = st.one_of(
    st.sampled_from((message(), message(2, b"x", extra="l: 7"), response(3))),
    messages(),
    odd_messages(),
).map(lambda raw: raw.partition(b"\r\n\r\n")[0])


@given(st.one_of(originals, mutated(originals), mutated(mutated(originals)), st.binary()))
@example(b"")
@example(b"\r\n")
@example(b"INFO sip:a SIP/2.0")
@example(b"INFO sip:a SIP/2.0\r\n")
@example(b"INFO sip:a SIP/2.0\r")
@example(b"INFO sip:a SIP/2.0\nl: 1\n")  # as long as if every line but the last had two end bytes
@example(b"INFO  SIP/2.0")
@example(b"SIP/2.0 200 ")
@example(b"SIP/2.0 200")
@example(b"SIP/2.0 0200 OK\r\nl: 1")
@example(b"SIP/2.0 200 \t OK \t\r\nl: 1")
@example(b"SIP/2.0 " + b"9" * 40 + b" OK")
@example("SIP/2.0 200 \u0422\u0430\u043a".encode())
@example("SIP/2.0 200 \u0422\u0430\u043a".encode() + b"\r\nX: \xff")
@example(b"SIP/2.0 200 \xe4\xf6\r\nX: a")
def test_heads_are_read_alike(scanner: Scanner, raw: bytes) -> None:
    assert_agrees(scanner, raw)


@pytest.mark.parametrize(
    "line",
    [
        *("l: 007", "l: 999999999999999999", "l: 9999999999999999999", "l:", "l: 1 2", "l: +1"),
        *("L : 7", "l\t:\t7\t", "Content-Length: \u0667", f"l: {10**999}", f"l: {10**1000}"),
        *("c: a/b;charset=utf-8 ", "Content-Type", ":", " folded", "\tfolded: x", ""),
        *("max-forwards: ", "Max-Forwards: 70 ", "Max-Forwards : 070", "I: d", "FROM:<sip:a>"),
        *("CSeq: 01 INFO", "CSeq: 0 INFO", "CSeq: 00 INFO", "CSeq: 1  INFO", "CSeq: 1\tINFO"),
        *("CSeq: 1 INFO x", "CSeq: 1", "CSeq: INFO", "CSeq:", "CSeq: 1 IN\u00a0FO", "CSeq: 1 ACK"),
        *(f"CSeq: {10**17} INFO", f"CSeq: {10**18} INFO", f"CSeq: {10**999} INFO", "CSeq: 1 I/O"),
        *("From: sip:a;tag=b", "From: <sip:a>;epid=1;tag=b", "From: <sip:a>;tag;tag=b", "f:"),
        *("From: <sip:a>;TAG=b=c", "From: <sip:a>;tag=", "From: <sip:a>;;tag=b;", "t: <>;tag=b"),
        *('From: "a\\"b" <sip:a>', 'From: "a"<sip:a>', 'From: "a" x <sip:a>', 'From: "a'),
        *('From: "', "From: <"),
        *('From: "\u4f1a" <sip:a>;tag=b', "From: <sip:\u4f1a>", "From: <sip:a>;tag=\u4f1a"),
        *("From: <sip:a\x1cb>", "From: <sip:a", "From: a <sip:a>", "From: <sip:a> ;tag=b", "From:"),
        *('From: <sip:a>;x="a;tag=b";tag=c', "From: <sip:a>x;tag=b", "From: <a b>", "From: <a>;"),
        *("Via: a;branch=", "Via: a;branch= b", "Via: a; branch=b", "Via: a;BRANCH=b", "Via:"),
        *('Via: a;x=";branch=foo";branch=bar', "Via: a;branch=b ;c", "Via: a;branch=b,c;branch=d"),
        *("Via: SIP/2.0/TCP a ; Branch = b", 'Via: SIP/2.0/TCP a;x="1";branch=b', "Via: a,b,,c, "),
        *('Via: "a,b", c', "Via: <a,b>, c", "Via: a;branch=b\x7f", "Via: ,", "Via: a;branch=b;"),
        *("\u212a: x", "K: x", "\u0130: 1", "VI\u0041: a", "v\u00ed: a", "CALL-ID: C", "v:"),
    ],
)  # fmt: skip
def test_values_however_they_are_written_are_read_alike(scanner: Scanner, line: str) -> None:
    for raw in (
        head(line),
        head(line, b"Subject: \xff"),
        head(line, start="SIP/2.0 200 OK"),
        b"INFO sip:a SIP/2.0\r\n" + line.encode(),
        head() + b"\r\n" + line.encode(),
    ):
        assert_agrees(scanner, raw)


@pytest.mark.parametrize("name", ["Call-ID", "Content-Type", "From", "To", "CSeq", "Via", "X-a"])
@pytest.mark.parametrize("value", [b"\xe9", b"\xc3\xa9", b"<sip:\xe9>", b'"\xe9" <sip:a>;tag=b'])
def test_bytes_that_are_not_utf8_are_latin1_line_by_line(
    scanner: Scanner, name: str, value: bytes
) -> None:
    line = name.encode() + b": " + value
    assert_agrees(scanner, b"INFO sip:a SIP/2.0\r\n" + line)
    # The same text in two encodings does not contradict itself.
    assert_agrees(scanner, b"INFO sip:a SIP/2.0\r\nCall-ID: \xc3\xa9\r\nCall-ID: \xe9\r\n" + line)
    found = scanner.scan(b"INFO sip:a SIP/2.0\r\nSubject: \xe9\r\nCall-ID: " + value)
    assert found is not None
    assert found.notes & NOT_UTF8
    assert found.call_id == scan._text(value)


@given(st.binary(max_size=8))
@example(b"\xc0\x80")
@example(b"\xe0\x9f\xbf")
@example(b"\xed\x9f\xbf\xee\x80\x80")
@example(b"\xf0\x8f\xbf\xbf")
@example(b"\xf4\x8f\xbf\xbf")
@example(b"\xf5\x80\x80\x80")
@example(b"\xe2\x82")
def test_what_utf8_is_is_told_alike(scanner: Scanner, text: bytes) -> None:
    text = bytes(byte | 0x80 for byte in text)
    for padding in (b"", b"abcdefg", b"abcdefgh"):
        assert_agrees(scanner, head(b"Subject: " + padding + text))


@pytest.mark.parametrize("size", range(80))
def test_lines_end_alike_wherever_they_lie(scanner: Scanner, size: int) -> None:
    for end in (b"\r\n", b"\r", b"\n", b"\r\r\n", b"\n\r\n", b"\r\n\r\n", b"\r\n "):
        for tail in (b"", b"To: <sip:b>;tag=" + b"t" * size):
            raw = head("X: " + "x" * size) + end + tail
            assert_agrees(scanner, raw)


@pytest.mark.parametrize("lines", [MAX_HEADERS - 1, MAX_HEADERS, MAX_HEADERS + 1])
def test_as_many_lines_are_read(scanner: Scanner, lines: int) -> None:
    rest = lines - head().count(b"\r\n") - 1
    assert_agrees(scanner, head(*["Via: b"] * rest))


def test_what_is_noted(scanner: Scanner) -> None:
    def notes(raw: bytes) -> int:
        found = scanner.scan(raw)
        assert found is not None
        return found.notes

    assert notes(head()) == 0
    assert notes(head("k: x")) == COMPACT
    assert notes(head("no colon")) == BAD_HEADER
    assert notes(head("Call-ID: d")) == REPEATED
    assert notes(head("Call-ID:  c ")) == 0
    assert notes(b"INFO sip:a SIP/2.0") == MISSING_HEADER


def test_the_twin_does_not_ask_the_reference_for_what_is_plain(scanner: Scanner) -> None:
    fresh = scanner._replace(scanner=type(scanner.scanner)(scanner.strings, scanner.cseqs))
    for number, raw in enumerate((message(1, b"x", extra="c: a/b"), response(2), message(3))):
        found = fresh.scan(raw.partition(b"\r\n\r\n")[0])
        assert found is not None
        assert found.call_id == f"c{number + 1}"
    memory = fresh.reference()
    is_reference = memory is fresh.scanner
    assert [bool(memory._starts), any(memory._values)] == [is_reference] * 2


def test_what_the_twin_remembers_of_odd_values_is_bounded(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], Scanner]
) -> None:
    monkeypatch.setattr(scan, "MAX_REMEMBERED", 50)
    scanner = make()
    for number in range(500):
        lines = (f"From: sip:u{number};tag={number}", f"l: x{number}", f"CSeq: 0{number} INFO")
        raw = "\r\n".join((f"INFO  sip:{number} SIP/2.0", *lines)).encode()
        found = scanner.scan(raw)
        assert found is not None
        assert (found.from_uri, found.from_tag) == (f"sip:u{number}", str(number))
        assert found.cseq == (number, "INFO")
    memory = scanner.reference()
    assert 0 < max(len(memory._starts), *map(len, memory._values)) <= 50
