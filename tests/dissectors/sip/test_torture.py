"""The torture messages of RFC 4475 and RFC 5118, and the strict view of RFC 3261."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.sip.messages import SipMessage
from dissectors.sip.parse import parse_message
from dissectors.sip.verdict import RULES, verdict
from dissectors.sip.writer import build_message, write_message
from tests.dissectors.sip.strategies import messages, mutated
from tests.paths import SHARED, require_shared

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = SHARED / "corpus" / "torture"


def _entries() -> list[dict[str, Any]]:
    path = FOLDER / "expected.json"
    # Absence is reported by the test that asks for the corpus.
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


ENTRIES = _entries()
every_entry = pytest.mark.parametrize("entry", ENTRIES, ids=[entry["file"] for entry in ENTRIES])


def _bytes(entry: dict[str, Any]) -> bytes:
    path: Path = FOLDER / entry["file"]
    return path.read_bytes()


def _transport(entry: dict[str, Any]) -> str | None:
    """Return how a message is judged.

    RFC 4475 carries its messages in a bit-exact archive: they are datagrams. RFC 5118 prints them:
    their line ends are not those of a wire, and their lengths were never exact.
    """
    return "udp" if entry["rfc"] == "4475" else None


def test_the_torture_messages_are_all_there() -> None:
    require_shared()
    assert len(ENTRIES) == 75


@every_entry
def test_the_verdict_is_that_of_the_rfc(entry: dict[str, Any]) -> None:
    found = verdict(_bytes(entry), _transport(entry))
    assert ("valid" if found.valid else "invalid") == entry["verdict"], found.problems
    assert found.valid == (not found.problems)


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("rfc5118/ipv6-in-sdp.dat", 268 - 242),
        ("rfc5118/mult-ip-in-sdp.dat", 181 - 180),
        ("rfc5118_crlf/ipv6-in-sdp.dat", 268 - 251),
    ],
)
def test_printed_messages_that_are_too_short_would_be_refused_as_datagrams(
    name: str, missing: int
) -> None:
    # The same defect makes RFC 4475 3.1.2.2 (clerr) invalid; only the transport tells them apart.
    raw = (require_shared() / "corpus" / "torture" / name).read_bytes()
    message = parse_message(raw, stream=False)
    assert isinstance(message, SipMessage)
    assert (message.content_length or 0) - len(message.body) == missing
    assert verdict(raw, None).valid
    assert [text.partition(":")[0] for text in verdict(raw, "udp").problems] == ["Content-Length"]


@pytest.mark.parametrize(
    "entry", [entry for entry in ENTRIES if entry["must_list"]], ids=lambda entry: entry["file"]
)
def test_what_is_listed_is_what_the_message_says(entry: dict[str, Any]) -> None:
    message = parse_message(_bytes(entry), stream=False)
    assert isinstance(message, SipMessage)
    start = message.method if message.kind == "request" else str(message.status)
    call_ids, numbers = entry["call_id"], entry["cseq"]
    cseq = message.cseq
    assert cseq is not None
    assert start == entry["start"]
    assert message.call_id in (call_ids if isinstance(call_ids, list) else [call_ids])
    assert cseq.number in (numbers if isinstance(numbers, list) else [numbers])
    assert cseq.method == entry["cseq_method"]


@every_entry
@pytest.mark.parametrize("stream", [True, False])
def test_torture_messages_are_written_as_they_came(entry: dict[str, Any], stream: bool) -> None:
    raw = _bytes(entry)
    message = parse_message(raw, stream=stream)
    if isinstance(message, SipMessage):
        assert write_message(message) == raw
    else:
        assert not entry["must_list"]


OPTIONS = (
    b"OPTIONS sip:user@example.com SIP/2.0\r\nVia: SIP/2.0/UDP h.example.com;branch=z9hG4bK1\r\n"
    b"Max-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>\r\n"
    b"Call-ID: x@y\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)
SHORT = OPTIONS.replace(b"Length: 0", b"Length: 9")


def _problems(old: bytes, new: bytes, transport: str | None = "udp") -> list[str]:
    assert old in OPTIONS
    return list(verdict(OPTIONS.replace(old, new, 1), transport).problems)


def test_a_plain_message_is_valid() -> None:
    assert verdict(OPTIONS, "UDP") == (True, ())


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (b"OPTIONS sip", b"OPTIONS  sip", "Request-Line: it is not three parts"),
        (b" SIP/2.0\r", b"\r", "Start line: the first line is not a SIP start line"),
        (b"SIP/2.0\r", b"SIP/3.0\r", "SIP-Version: SIP/3.0"),
        (b"sip:user@example.com", b"sip:us%r@example.com", "Request-URI: it is no SIP-URI"),
        (b"sip:user@example.com", b"sip:user@2001:db8::1", "Request-URI: it is no SIP-URI"),
        (b"sip:user@example.com", b"sip:u@[2001:db8::1::2]", "Request-URI: it is no SIP-URI"),
        (b"sip:user@example.com", b"sip:u@example.com?a=b", "Request-URI: it must not have a head"),
        (b"sip:user@example.com", b"<sip:u@example.com>", "Request-Line: it is not three parts"),
        (b"Max", b"Subject: a\x01\r\nMax", "Subject: a control character"),
        (b"Max", b"no colon\r\nMax", "Header line: what stands before the colon"),
        (b"Max", b"a b: c\r\nMax", "Header line: what stands before the colon"),
        (b"Max", b"X: \xff\r\nMax", "Message: bytes outside the body are not UTF-8"),
        (b"Max", b"Date: Sat, 1 Jan 2011 00:00:00 GMT\r\nMax", "Date: the value is not a date"),
        (b"Max", b"Require:\r\nMax", "Require: the value is not a list of option tags"),
        (b"Max", b"Contact: <sip:a>,\r\nMax", "Contact: an extraneous separator"),
        (b"Max", b"Contact: sip:a@b.com;x=,y\r\nMax", "Contact: the value is not"),
        (b"Max", b"Contact: <sip:a>;expires=4294967296\r\nMax", "Contact: expires exceeds"),
        (b"Max", b"Expires: 4294967296\r\nMax", "Expires: the number exceeds"),
        (b"Max", b"Retry-After: 4294967296 (x)\r\nMax", "Retry-After: the number exceeds"),
        (b"Max", b'Warning: 1812 h "x"\r\nMax', "Warning: the value is not three digits"),
        (b"Max", b"Content-Type: text\r\nMax", "Content-Type: the value is not a media type"),
        (b"Max", b"Via: SIP/2.0/UDP h.com;;\r\nMax", "Via: an extraneous separator"),
        (b"Max", b"Route: sip:a@b.com\r\nMax", "Route: the value is not name-addr"),
        (b"Forwards: 70", b"Forwards: 256", "Max-Forwards: the number exceeds 255"),
        (b"Forwards: 70", b"Forwards: " + b"0" * 2000 + b"256", "Max-Forwards: the number exceeds"),
        (b"Max", b"To: <sip:b@example.com>\r\nMax", "To: the header stands several times"),
        (b"Max", b"l: 0\r\nMax", "Content-Length: the header stands several times"),
        (b"From:", b"X-From:", "From: the header is mandatory"),
        (b"<sip:a@", b"A, B <sip:a@", "From: the value is not name-addr"),
        (b"<sip:a@", b'"A <sip:a@', "From: a quoted string is not closed"),
        (b"<sip:b@example.com>", b"< sip:b@example.com >", 'To: blanks inside "<>"'),
        (b"<sip:b@example.com>", b"sip:b@example.com?a=b", 'To: a URI with "?" must be enclosed'),
        (b"CSeq: 1 ", b"CSeq: 2147483648 ", "CSeq: the number is not less than 2**31"),
        (b"CSeq: 1 ", b"CSeq: " + b"9" * 5000 + b" ", "CSeq: the number is not less than 2**31"),
        (b"1 OPTIONS", b"1 INVITE", "CSeq: its method is not that of the request"),
        (b"x@y", b"x@y@z", "Call-ID: the value is not word"),
        (b"Length: 0", b"Length: -1", "Content-Length: the value is not digits"),
        (b"Length: 0", b"Length: 1", "Content-Length: 0 bytes are there"),
    ],
)
def test_what_rfc_3261_forbids_is_named(old: bytes, new: bytes, sentence: str) -> None:
    problems = _problems(old, new)
    assert problems
    assert problems[0].startswith(sentence)
    assert "RFC" in problems[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"sip:user@example.com", b"SIPS:user:pw@[2001:db8::192.0.2.1]:5061;transport=tls"),
        (b"sip:user@example.com", b"tel:+1-555-0100;phone-context=example.com"),
        (b"Max-Forwards: 70\r\n", b""),
        (b"Max-Forwards: 70", b"Max-Forwards: 0070"),
        (b";branch=z9hG4bK1", b""),
        (b";branch=z9hG4bK1", b";ms-received-port=5;ms-received-cid=FF;rport"),
        (b";tag=1", b";tag=1;epid=0123456789ab"),
        (b"<sip:a@", b'"\\"A\\" <b>, c" <sip:a@'),
        (b"1 OPTIONS", b"2147483647 OPTIONS"),
        (b"Max", b"Contact: *\r\nMax"),
        (b"Max", b"Supported:\r\nSupported: gruu-10, com.microsoft.msrtc.presence\r\nMax"),
        (b"Max", b'Contact: <sip:h:1;ms-opaque=d3>;+sip.instance="<urn:uuid:f>"\r\nMax'),
        (b"Max", b"Route: <sip:h;transport=tls;opaque=state:F:Ci.R47;lr>;ms-edge-route\r\nMax"),
        (b"Max", b'X-Any: ;;,,"\r\nMax'),
        (b"Max", b'Warning: 310 lcs.example.com "a", 399 [::1]:5060 "b"\r\nMax'),
        (b"Max", b"Date: Sat, 01 Jan 2011 00:00:00 GMT\r\nMax"),
        (b"Content-Length: 0\r\n", b""),
    ],
)
def test_what_rfc_3261_allows_is_valid(old: bytes, new: bytes) -> None:
    assert _problems(old, new) == []


@pytest.mark.parametrize("status", [b"99", b"1000", b"099", b"700", b"4294967301"])
def test_a_status_outside_the_range_is_named(status: bytes) -> None:
    problems = _problems(b"OPTIONS sip:user@example.com SIP/2.0", b"SIP/2.0 " + status + b" x")
    assert problems == [
        "Status-Line: the Status-Code is not three digits from 100 to 699 (RFC 3261 7.2)."
    ]


def test_a_status_line_without_its_blanks_is_named() -> None:
    problems = _problems(b"OPTIONS sip:user@example.com SIP/2.0", b"SIP/2.0 200")
    assert [text.partition(":")[0] for text in problems] == ["Status-Line"]
    phrase = _problems(b"OPTIONS sip:user@example.com SIP/2.0", b'SIP/2.0 200 "x"')
    assert [text.partition(":")[0] for text in phrase] == ["Status-Line"]


def test_lengths_are_judged_by_the_transport() -> None:
    absent = OPTIONS.replace(b"Content-Length: 0\r\n", b"")
    assert verdict(absent, "udp").valid
    assert not verdict(absent, "tls").valid
    assert verdict(absent, None).valid
    assert not verdict(SHORT, "udp").valid
    assert not verdict(SHORT, "TCP").valid
    assert verdict(SHORT, None).valid
    assert verdict(OPTIONS + b"next datagram bytes", "udp").valid


def test_messages_of_a_real_client_are_valid() -> None:
    count = 0
    for path in sorted((require_shared() / "captures").glob("*.json")):
        for truth in json.loads(path.read_text(encoding="utf-8"))["messages"]:
            start = f"{truth['method']} {truth.get('ruri')} SIP/2.0"
            if truth["kind"] == "response":
                start = f"SIP/2.0 {truth['status']} {truth['reason']}"
            pairs = [(name, value) for name, value in truth["headers"]]
            assert verdict(build_message(start, pairs), "tcp") == (True, ())
            count += 1
    assert count > 1000


torture = st.sampled_from([_bytes(entry) for entry in ENTRIES] or [OPTIONS])


@given(mutated(st.one_of(torture, messages())), st.sampled_from(("udp", "tcp", None)))
def test_broken_bytes_get_a_verdict_and_no_exception(raw: bytes, transport: str | None) -> None:
    found = verdict(raw, transport)
    assert found.valid == (not found.problems)
    message = parse_message(raw, stream=transport == "tcp")
    if isinstance(message, SipMessage):
        assert write_message(message) == raw
        seen = (message.vias, message.contacts, message.headers.names())
        assert all(isinstance(part, tuple) for part in seen)


@pytest.mark.untraced
@pytest.mark.parametrize("name", [b"From", b"Contact", b"Via", b"Warning", b"Retry-After", b"Date"])
@pytest.mark.parametrize(
    "piece", [b" ", b'"', b"a ", b"a;", b"<", b"-", b"a.", b"sip:a", b"1:", b"("]
)
def test_a_verdict_costs_linear_time(name: bytes, piece: bytes) -> None:
    # Some milliseconds; quadratic time would be minutes.
    began = time.process_time()
    for start in (b"", b"sip:", b"SIP/2.0/UDP [", b"<sip:a@", b"1 "):
        value = start + piece * (150_000 // len(piece)) + b"\x01"
        raw = OPTIONS.replace(b"Max", b"X: y\r\n" + name + b": " + value + b"\r\nMax", 1)
        assert not verdict(raw, "udp").valid
    assert time.process_time() - began < 5


def test_the_rules_have_no_order() -> None:
    message = parse_message(SHORT, stream=False)
    assert isinstance(message, SipMessage)
    forward = [text for rule in RULES for text in rule(message, "udp")]
    backward = [text for rule in reversed(RULES) for text in rule(message, "udp")]
    assert sorted(forward) == sorted(backward)
    assert len(forward) == 1
