"""The quick scan of heads says what the full parser says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dissectors.model import Datagram, Malformed
from dissectors.notes import (
    BAD_LENGTH,
    JUNK,
    NO_LENGTH,
    QUOTED,
    REPEATED,
    RESYNC,
    TRAILING,
    TRUNCATED,
    note_names,
)
from dissectors.sip import scan
from dissectors.sip.datagram import read_datagram
from dissectors.sip.fields import parse_via, split_list
from dissectors.sip.parse import parse_message
from dissectors.sip.stream import StreamReader
from tests.dissectors.sip.strategies import messages, mutated, odd_messages
from tests.paths import require_shared
from tests.support.scanners import Scanner, scanners
from tests.support.sip_texts import message, response, torture_messages
from tests.support.streams import chunk

if TYPE_CHECKING:
    from collections.abc import Callable

    from dissectors.sip.framed import Framed
    from dissectors.sip.scan import Head

# What framing alone can know, or says more exactly.
FRAMING = JUNK | QUOTED | RESYNC | TRUNCATED


@pytest.fixture(scope="module", params=scanners())
def make(request: pytest.FixtureRequest) -> Callable[[], Scanner]:
    """What makes a scanner."""
    found: Callable[[], Scanner] = request.param
    return found


@pytest.fixture(scope="module")
def scanner(make: Callable[[], Scanner]) -> Scanner:
    """One for all tests of this file: what it remembers must change no answer."""
    return make()


def said_by_scan(framed: Framed, scanner: Scanner) -> dict[str, Any]:
    head = scanner.resolved(framed.head)
    return {
        **head._asdict(),
        "status": None if head.status < 0 else head.status,
        "notes": note_names(framed.notes & ~FRAMING),
        "body": framed.raw[framed.body :],
        "branch": None,
    }


def said_by_parser(raw: bytes, *, stream: bool) -> dict[str, Any] | None:
    parsed = parse_message(raw, stream=stream)
    if isinstance(parsed, Malformed):
        return None
    sender, recipient = parsed.from_, parsed.to
    return {
        "method": parsed.method if parsed.kind == "request" else parsed.cseq_method,
        "status": parsed.status,
        "reason": parsed.reason,
        "uri": parsed.uri,
        "call_id": parsed.call_id,
        "cseq": tuple(parsed.cseq) if parsed.cseq else None,
        "from_uri": (sender.uri or None) if sender else None,
        "from_tag": sender.tag if sender else None,
        "to_uri": (recipient.uri or None) if recipient else None,
        "to_tag": recipient.tag if recipient else None,
        "content_type": parsed.content_type,
        "content_length": parsed.content_length,
        "vias": sum(max(1, len(split_list(value))) for value in parsed.headers.all("via")),
        "branch": None,
        "notes": note_names(parsed.notes),
        "body": parsed.body,
    }


def branch_of(raw: bytes) -> int | None:
    parsed = parse_message(raw)
    assert not isinstance(parsed, Malformed)
    first = split_list(parsed.headers.first("via") or "")
    via = parse_via(first[0]) if first else None  # one that cannot be read is not in ``vias``
    return crc32(via.branch.encode()) if via and via.branch else None


def assert_datagram_agrees(raw: bytes, scanner: Scanner) -> bool:
    """Compare both recognisers on a datagram; False when there is nothing to compare."""
    framed = read_datagram(Datagram(1, 0, 6, bytes(12), raw, 0, 0), scanner.scanner)
    if framed is None or framed.notes & JUNK:
        return False
    given_to_parser = raw if framed.notes & TRAILING else framed.raw
    expected = said_by_parser(given_to_parser, stream=False)
    assert said_by_scan(framed, scanner) == expected
    known = branch_of(framed.raw)
    if known is not None and framed.head.branch:
        assert framed.head.branch == known
    return True


def assert_stream_agrees(raw: bytes, scanner: Scanner) -> int:
    """Compare both on every message that a stream of these bytes gives."""
    reader = StreamReader(scanner.scanner, whole=True)
    found = reader.feed(chunk(raw)) + reader.close()
    for framed in found:
        # The parser sees whether the length fits, framing whether it was believed.
        expected = said_by_parser(framed.raw, stream=True)
        if framed.notes & TRUNCATED:
            continue
        actual = said_by_scan(framed, scanner)
        assert expected is not None
        for said in (expected, actual):
            said["notes"] = [name for name in said["notes"] if name != "bad-content-length"]
        assert actual == expected
        assert framed.head.content_length is not None or framed.notes & (NO_LENGTH | BAD_LENGTH)
    return len(found)


@pytest.mark.untraced
@pytest.mark.parametrize("name", torture_messages())
def test_scan_and_parser_agree_on_torture_messages(name: str, scanner: Scanner) -> None:
    raw = torture_messages()[name]
    listed = read_datagram(Datagram(1, 0, 6, bytes(12), raw, 0, 0), scanner.scanner)
    if listed is None:
        assert isinstance(parse_message(raw, stream=False), Malformed)
    else:
        assert assert_datagram_agrees(raw, scanner)
    assert_stream_agrees(raw, scanner)


def test_the_torture_messages_are_there() -> None:
    require_shared()
    assert len(torture_messages()) > 70


TORTURE = list(torture_messages().values())
PLAIN = [message(), message(2, b"<xccos/>"), response(3), message(4, extra="l: 7\r\n")]
originals = st.one_of(st.sampled_from(TORTURE + PLAIN), messages(), odd_messages())


@given(st.one_of(originals, mutated(originals), mutated(mutated(originals))))
@example(message(1, b"x", extra="Content-Length: 01"))
@example(b'OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h;x=";branch=foo";branch=bar\r\n\r\n')
@example(b"OPTIONS sip:a SIP/2.0\r\nTo: sip:b\r\n\r\r\nrest\r\n\r\nmore")
@example(b"OPTIONS sip:a SIP/2.0\r\nTo: sip:b\n\r\nrest")
@example(b"OPTIONS sip:a SIP/2.0\r\nTo: sip:b\r\n\r")
@example(b"OPTIONS sip:a SIP/2.0\r\nTo: sip:b\r\n\r\r\n\r\n")
@example(b"OPTIONS sip:a SIP/2.0\rTo: sip:b\r\rbody\r\n\r\n")
def test_scan_and_parser_agree_on_anything(scanner: Scanner, raw: bytes) -> None:
    assert_datagram_agrees(raw, scanner)
    assert_stream_agrees(raw, scanner)


@given(st.binary(max_size=120))
def test_nothing_is_too_odd_for_the_scan(scanner: Scanner, raw: bytes) -> None:
    found = scanner.scan(b"OPTIONS sip:a@b SIP/2.0\r\n" + raw)
    assert found is None or found.status == -1
    assert scanner.scan(raw) is None or scanner.scanner.is_start(
        raw.lstrip(b"\r\n").split(b"\n")[0]
    )


def head_of(raw: bytes, scanner: Scanner) -> Head:
    found = scanner.scan(raw.partition(b"\r\n\r\n")[0])
    assert found is not None
    return found


def test_the_values_of_a_request(scanner: Scanner) -> None:
    head = head_of(message(7, b"abc", extra="Content-Type: text/plain"), scanner)
    assert head._asdict() == {
        "method": "INFO",
        "status": -1,
        "reason": None,
        "uri": "sip:ma@contoso.com",
        "call_id": "c7",
        "cseq": (7, "INFO"),
        "from_uri": "sip:u1@contoso.com",
        "from_tag": "a",
        "to_uri": "sip:ma@contoso.com",
        "to_tag": "b",
        "content_type": "text/plain",
        "content_length": 3,
        "branch": crc32(b"z9hG4bK7"),
        "vias": 1,
        "notes": 0,
    }


def test_the_method_of_a_response_is_that_of_its_cseq(scanner: Scanner) -> None:
    head = head_of(response(7), scanner)
    assert (head.method, head.status, head.reason, head.uri) == ("INFO", 200, "OK", None)


def test_what_is_remembered_changes_no_answer(make: Callable[[], Scanner]) -> None:
    once, twice = make(), make()
    heads = [raw.partition(b"\r\n\r\n")[0] for raw in TORTURE + PLAIN]
    first = [once.scan(head) for head in heads]
    assert [once.scan(head) for head in heads] == first
    assert [twice.scan(head) for head in reversed(heads)] == first[::-1]


def test_what_is_remembered_is_bounded(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], Scanner]
) -> None:
    monkeypatch.setattr(scan, "MAX_REMEMBERED", 50)
    scanner = make()
    for number in range(500):
        head = message(number, extra=f"X-{number}: a", method=f"M{number}")
        found = scanner.scan(head.partition(b"\r\n\r\n")[0])
        assert found is not None
        assert found.cseq == (number, f"M{number}")
        assert found.call_id == f"c{number}"
    memory = scanner.reference()
    assert max(len(memory._starts), len(memory._names), *map(len, memory._values)) <= 50


def test_equal_lengths_that_are_written_differently_do_not_contradict(scanner: Scanner) -> None:
    head = head_of(message(1, b"abcde", extra="Content-Length: 05"), scanner)
    assert head.notes & REPEATED
    assert not head.notes & BAD_LENGTH


def test_lengths_that_contradict_each_other_are_bad(scanner: Scanner) -> None:
    assert head_of(message(1, b"abcde", extra="Content-Length: 6"), scanner).notes & BAD_LENGTH
