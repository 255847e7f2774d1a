"""Recorded bodies, and tens of thousands of mutants, are scanned as the reader reads them.

The compiled twin takes what is plain and asks the reference about the rest, so it is tried with
everything that stands near that border. The reference's own scan is tried alike.
"""

from __future__ import annotations

import json
import re
from functools import cache
from random import Random  # noqa: TID251  (seeded: the same mutants in every run)
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.row_writer import RowWriter
from analyzer.rows import Rows
from dissectors.xccos.scan import _plain_rows
from dissectors.xccos.sniff import is_xccos
from tests.dissectors.xccos.scanning import Scan, as_told_by, each_scan, read
from tests.dissectors.xccos.strategies import bodies
from tests.paths import SHARED, require_shared
from tests.support.reading import capture_bytes, messages_in
from tests.support.twin import is_built

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MUTANTS = 30_000
LONGEST = 2000  # of a body to mutate: larger ones are few and take most of the time

BITS = (
    *(b"<", b">", b"&", b";", b'"', b"'", b"/", b"=", b"!", b"?", b"]", b":", b" ", b"\t", b"\r"),
    *(b"\n", b"\0", b"\x01", b"\x7f", b"x", b"]]>", b"</", b"/>", b"<a>", b"</a>", b"<b/>", b"<!"),
    *(b"&amp;", b"&lt;", b"&#13;", b"&#x1F600;", b"&#0;", b"&#xFFFE;", b"&#xD800;", b"&apos"),
    *(b"\xc3\xa9", b"\xe2\x82\xac", b"\xf0\x9f\x98\x80", b"\xff", b"\xc0\x80", b"\xed\xa0\x80"),
    *(b"\xef\xbf\xbe", b"\xef\xbb\xbf", b"\xf4\x90\x80\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80"),
    *(b' id="1"', b" id='2'", b' envid=""', b' code="&amp;"', b' xmlns=""', b' xmlns:a="b"'),
    *(b' xmlns:a=""', b' xmlns:xml="b"', b"<resp>", b"</resp>", b'<commandid seqid="3"/>'),
)
# Every kind of thing that is taken without the reference, and little else
RICH = (
    '<xccos ver="1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" envid="7" xmlns="u">'
    '<rpl id="rpl:a" seqid="1">\r\n<commandid seqid="2" envid="3"/><resp code="200">a &lt;&#x26;'
    "é\r\n</resp><data><fib key='a\">'>don't ]] € 😀</fib></data></rpl ><grpchat/></xccos>\n"
).encode()


def envelope(inner: str) -> bytes:
    return f'<xccos ver="1" envid="7" xmlns="urn:parlano:xml:ns:xccos">{inner}</xccos>'.encode()


@cache
def recorded() -> tuple[bytes, ...]:
    """Return the XCCOS bodies of all messages in the corpus, each once."""
    require_shared()
    found = set()
    for folder in ("captures", "flows", "corpus/captures/xccos_dev"):
        for path in (SHARED / folder).rglob("*.pcap*"):
            for message in messages_in(capture_bytes(path)):
                if message.items:
                    found.add(message.raw.partition(b"\r\n\r\n")[2])
    for path in (SHARED / "captures").glob("*.json"):  # those of encrypted captures too
        for told in json.loads(path.read_text(encoding="utf-8"))["messages"]:
            if told.get("xccos"):
                found.add(told["body"].encode())
    return tuple(sorted(found))


@cache
def as_captured() -> tuple[bytes, ...]:
    """Return what looks like a body anywhere in a capture, also where packets cut it."""
    found = set()
    for path in require_shared().rglob("*.pcap*"):
        found |= set(re.findall(rb"(?s)<xccos.{0,20000}?</xccos>", capture_bytes(path)))
    return tuple(sorted(found))


def mutants(pool: list[bytes]) -> Iterator[bytes]:
    """Yield bodies with one to three damages."""
    random = Random(20_26)
    for _ in range(MUTANTS):
        body = bytearray(random.choice(pool))
        for _ in range(random.randint(1, 3)):
            at, other = random.randrange(len(body) + 1), random.randrange(len(body) + 1)
            how = random.randrange(10)
            if how < 5:
                body[at:at] = random.choice(BITS)
            elif how < 7:
                body[at : at + 1] = bytes([random.randrange(256)])
            elif how == 7:
                del body[at : at + random.randint(1, 6)]
            elif how == 8:
                body[at:at] = body[other : other + random.randint(1, 40)]
            else:
                del body[max(at, 40) :]
        yield bytes(body)


@each_scan
def test_recorded_bodies_are_scanned_as_they_are_read(scan: Scan) -> None:
    found = {*recorded(), *as_captured()}
    assert len(found) > 500
    for body in found:
        assert scan(body) == as_told_by(scan, read(body)), body


@each_scan
def test_mutants_of_recorded_bodies_are_scanned_as_they_are_read(scan: Scan) -> None:
    pool = [body for body in recorded() if len(body) <= LONGEST]
    well_formed = 0
    for body in mutants([*pool, *[RICH] * 20]):
        answer = scan(body)
        assert answer == as_told_by(scan, read(body)), body
        well_formed += answer is not None and not answer[1]
    assert MUTANTS // 10 < well_formed < MUTANTS // 2


@each_scan
def test_a_bit_put_in_anywhere_is_noticed_alike(scan: Scan) -> None:
    for at in range(len(RICH) + 1):
        assert scan(RICH[:at]) == as_told_by(scan, read(RICH[:at])), at
        for bit in BITS:
            body = RICH[:at] + bit + RICH[at:]
            assert scan(body) == as_told_by(scan, read(body)), body


@each_scan
@given(bodies(), st.integers(0, 2**32))
def test_any_byte_of_a_generated_body_may_change(scan: Scan, body: bytes, seed: int) -> None:
    random = Random(seed)
    for _ in range(20):
        at = random.randrange(len(body) + 1)
        changed = body[:at] + bytes([random.randrange(256)]) + body[at + random.randrange(2) :]
        assert scan(changed) == as_told_by(scan, read(changed)), changed


@each_scan
@pytest.mark.parametrize("bit", BITS)
def test_where_a_bit_stands_in_a_body_makes_no_difference(scan: Scan, bit: bytes) -> None:
    """Bodies are looked at in blocks."""
    inner = bit.decode("latin-1")
    for before in range(140):
        text = f"<rpl><resp>{'x' * before}{inner}</resp><data a='{'y' * before}{inner}'/></rpl>"
        body = envelope(text).decode().encode("latin-1")
        assert scan(body) == as_told_by(scan, read(body)), body


@each_scan
@pytest.mark.parametrize(
    "attributes",
    [
        'a="1" b="2" a="3"',
        'abcdefgh="1" abcdefgh="2"',
        'abcdefgh="1" abcdefghi="2" abcdefg="3"',
        'abcdefghi="1" abcdefghj="2"',
        'abcdefghi="1" abcdefghi="2"',
        'xmlns:a="1" xmlns:b="2" xmlns:ab="3"',
        'xmlns:a="1" xmlns:a="2"',
        'xmlns="a" xmlns="a"',
        'xmlns:a="u" a:b="1"',
        'xmlns:xml="http://www.w3.org/XML/1998/namespace"',
        'xmlns:a="http://www.w3.org/XML/1998/namespace"',
        'xmlns="http://www.w3.org/2000/xmlns/"',
        'xmlns:xmlns="http://www.w3.org/2000/xmlns/"',
        'xmlns:xmlfoo="a"',
        'xmlns="&#104;ttp://www.w3.org/2000/xmlns/"',
        'xmlns:="a"',
        'xmlns:1="a"',
        'xmlns="a\x01"',
        'xmlns:a="&#1;"',
        'xml:lang="en"',
        *(" ".join(f'{name}{k}="1"' for k in range(n)) for n in (32, 33) for name in ("a", "long")),
        *(" ".join(f'name{k % (n - 1)}="1"' for k in range(n)) for n in (31, 32, 33)),
    ],
)
def test_attributes_and_declarations_are_judged_alike(scan: Scan, attributes: str) -> None:
    for body in (
        f"<xccos {attributes}><cmd/></xccos>".encode(),
        envelope(f"<cmd {attributes}/>"),
        envelope(f"<cmd><data\n{attributes} ></data></cmd>"),
    ):
        assert scan(body) == as_told_by(scan, read(body)), body


@each_scan
def test_references_are_judged_alike(scan: Scan) -> None:
    numbers = {0, 1, 8, 9, 10, 11, 13, 31, 32, 38, 127, 128, 159, 255, 0x7FF, 0x800, 0xD7FF}
    numbers |= {0xD800, 0xDFFF, 0xE000, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x1FFFE, 0x10FFFF}
    numbers |= {0x110000, 99_999_999, 0xFFFFFFFF, 2**32 + 65, 2**64 + 65}
    spelt = [f"#{n}" for n in numbers] + [f"#x{n:x}" for n in numbers] + ["#x{n:X}", "#X41", "#"]
    spelt += ["#00000065", "#000000065", "#x00000041", "#x000000041", "#x", "#-1", "#6 5", "#x4g"]
    spelt += ["lt", "gt", "amp", "quot", "apos", "LT", "nbsp", "", "am", "ampe", "quo t", "l;t"]
    for reference in spelt:
        for inner in (
            f"<rpl><resp>a\r&{reference};\r\nb</resp></rpl>",
            f'<rpl id="&{reference};"/>',
            f'<rpl><data a="&{reference};"/></rpl>',
            f"<rpl>&{reference}</rpl>",
        ):
            body = envelope(inner)
            assert scan(body) == as_told_by(scan, read(body)), body


BEGINNINGS = (
    *(
        b"",
        b"\r\n",
        b" <",
        b"<",
        b"<a",
        b"<a>",
        b"<a/>",
        b"<xccosx>",
        b"<xccos>",
        b"<XCCOS a",
        b"a",
    ),
    *(
        b"<a:xccos>",
        b"<a:b>",
        b"<a:b:xccos>",
        b"<:xccos>",
        b"<a:xccos:b>",
        b"<xccos:a>",
        b"<a\x0c>",
    ),
    *(b"<?xml version='1.0'?>", b"<?a", b"<??>", b"<?>?>", b"<!-- -->", b"<!DOCTYPE xccos>", b"v="),
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"<\0x\0", b"\0<", b"\n\0<\0", b"\xee", b"\x0b"),
    *(b"<\xc3\xa9:xccos>", b"<" + b"a" * 100 + b":xccos>", b"<" + b"a" * 101 + b":xccos>"),
)


@each_scan
@given(st.lists(st.sampled_from(BEGINNINGS), max_size=4).map(b"".join), st.binary(max_size=4))
def test_what_is_no_xccos_is_told_by_its_beginning(scan: Scan, start: bytes, rest: bytes) -> None:
    body = start + rest
    assert (scan(body) is not None) == is_xccos(body)
    assert scan(body) == as_told_by(scan, read(body))


def takes_the_short_way(body: bytes) -> bool:
    """Tell whether the reference needs no elements."""
    return _plain_rows(body) is not None


def twin_takes_it(body: bytes) -> bool:
    """Tell whether the twin does not ask the reference."""
    from dissectors._speedups import documents, strings

    scanner = documents.DocumentScanner(strings.Strings())
    scanner.scan_items(body)
    return scanner.fallbacks == 0


SHORT_WAYS: list[Any] = [pytest.param(takes_the_short_way, id="reference")]
if is_built():
    SHORT_WAYS.append(pytest.param(twin_takes_it, id="twin"))


@pytest.mark.parametrize("takes", SHORT_WAYS)
def test_ordinary_bodies_take_the_short_way(takes: Callable[[bytes], bool]) -> None:
    """A guard of speed."""
    assert [body for body in recorded() if not takes(body)] == []
    assert takes(RICH.replace(b"</rpl >", b"</rpl>"))
    assert not takes(b"<?xml version='1.0'?>" + RICH)


def numbered_by_rows(found: list[bytes]) -> list[str | None]:
    rows = Rows()
    writer = RowWriter(rows)
    for body in found:
        writer._body(body, 0)
    return rows.strings.values


def numbered_by_twin(found: list[bytes]) -> list[str | None]:
    from dissectors._speedups import documents, strings

    table = strings.Strings()
    scanner = documents.DocumentScanner(table)
    for body in found:
        scanner.scan_items(body)
    return table.values


NUMBERINGS: list[Any] = [pytest.param(numbered_by_rows, id="reference")]
if is_built():
    NUMBERINGS.append(pytest.param(numbered_by_twin, id="twin"))


@pytest.mark.parametrize("numbered", NUMBERINGS)
def test_strings_are_numbered_in_the_order_of_rows_and_only_those_of_rows(
    numbered: Callable[[list[bytes]], list[str | None]],
) -> None:
    inner = '<resp code="5">t&amp;</resp><commandid envid="4" seqid="3"/>'
    rows = [
        envelope(f'<rpl seqid="2" id="rpl:a">{inner}</rpl><rpl id=""/>'),
        envelope('<ntc id="unseen"/><rpl></ntc>'),  # not well-formed
        envelope("<?a?><grpchat id='n'><chat>unseen</chat><resp>unseen</resp></grpchat>"),
        envelope('<grpchat id="m"><chat>unseen</chat></grpchat>'),
        b"<other id='unseen'/>",
    ]
    expected = [None, "rpl", "rpl:a", "2", "7", "3", "4", "5", "t&", "", "grpchat", "n", "m"]
    assert numbered(rows) == expected
    assert numbered(rows * 3) == expected


@each_scan
def test_a_charset_that_is_not_utf8_counts(scan: Scan) -> None:
    body = envelope('<ntc id="é"/>')
    for charset, identifier in (("utf-8", "é"), ("iso-8859-1", "Ã©"), ("US-ASCII", "é")):
        for _ in range(2):
            assert scan(body, f"text/plain; charset={charset}") == (
                [("ntc", identifier, None, "7", None, None, None)],
                False,
            )
