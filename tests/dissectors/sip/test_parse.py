"""A whole message: what is read of it, and what is noted."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given

from dissectors import notes
from dissectors.model import Malformed
from dissectors.notes import note_names
from dissectors.sip.messages import Header, Headers, SipMessage
from dissectors.sip.parse import MAX_HEAD, MAX_HEADERS, parse_message
from dissectors.sip.writer import build_message
from tests.dissectors.sip.strategies import messages
from tests.paths import require_shared

INFO = b"""INFO sip:ocschannel01@contoso.com;gruu SIP/2.0\r
Via: SIP/2.0/TLS 192.0.2.7:50136;ms-received-port=53248;ms-received-cid=FF8800\r
Via: SIP/2.0/TCP 192.0.2.8, SIP/2.0/TCP [2001:db8::9]:5060;branch=z9hG4bK1\r
FROM: "Dee \\"D\\" Jones" <sip:dee@contoso.com>;tag=66064880da;epid=a4ac5a5f0f\r
To: <sip:ocschannel01@contoso.com>;tag=E9535C\r
CALL-ID: 06aba2f23c6441c0\r
CSEQ: 3 INFO\r
MAX-FORWARDS: 70\r
Contact: <sip:dee@contoso.com;opaque=user:epid:9256f5885d;gruu>\r
Supported: ms-sender\r
Supported: gruu-10\r
Event: presence;id=4\r
Expires: 600;x=1\r
User-Agent: UCCAPI/3.5 OC/3.5\r
Content-Type: Text / Plain ;charset=utf-8\r
Content-Length: 26\r
\r
<xccos ver="1" envid="7"/>"""

ACK = (
    b"ACK sip:b SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:b>\r\n"
    b"Call-ID: c\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n"
)


def read(raw: bytes, *, stream: bool = True) -> SipMessage:
    message = parse_message(raw, stream=stream)
    assert isinstance(message, SipMessage)
    return message


def names(raw: bytes, *, stream: bool = True) -> list[str]:
    return note_names(read(raw, stream=stream).notes)


def test_a_microsoft_request_is_read_whole() -> None:
    message = read(INFO)
    assert (message.kind, message.method, message.version) == ("request", "INFO", "SIP/2.0")
    assert message.uri == "sip:ocschannel01@contoso.com;gruu"
    assert (message.status, message.reason) == (None, None)
    assert message.body == b'<xccos ver="1" envid="7"/>'
    assert message.raw == INFO
    assert (message.notes, message.problems) == (0, ())


def test_the_properties_read_their_headers_in_any_case() -> None:
    message = read(INFO)
    assert message.call_id == "06aba2f23c6441c0"
    assert message.cseq == (3, "INFO")
    assert message.cseq_method == "INFO"
    assert message.max_forwards == 70
    assert message.content_type == "Text / Plain ;charset=utf-8"
    assert message.media_type == "text/plain"
    assert message.content_length == 26
    assert message.expires == 600
    assert message.event == "presence"
    assert message.user_agent == "UCCAPI/3.5 OC/3.5"


def test_addresses_give_display_name_uri_tag_and_epid() -> None:
    message = read(INFO)
    sender, recipient = message.from_, message.to
    assert sender is not None
    assert recipient is not None
    assert (sender.display, sender.uri) == ('Dee "D" Jones', "sip:dee@contoso.com")
    assert (sender.tag, sender.epid) == ("66064880da", "a4ac5a5f0f")
    assert (recipient.display, recipient.tag, recipient.epid) == ("", "E9535C", None)
    assert [contact.uri for contact in message.contacts] == [
        "sip:dee@contoso.com;opaque=user:epid:9256f5885d;gruu"
    ]


def test_vias_are_listed_over_headers_and_commas() -> None:
    vias = read(INFO).vias
    assert [(via.transport, via.host, via.port) for via in vias] == [
        ("TLS", "192.0.2.7", 50136),
        ("TCP", "192.0.2.8", None),
        ("TCP", "[2001:db8::9]", 5060),
    ]
    assert [via.branch for via in vias] == [None, None, "z9hG4bK1"]
    assert (vias[0].ms_received_port, vias[0].ms_received_cid) == (53248, "FF8800")


def test_absent_headers_are_none() -> None:
    message = read(b"SIP/2.0 100 Trying\r\n\r\n")
    values = [
        *(message.call_id, message.cseq, message.cseq_method, message.from_, message.to),
        *(message.content_type, message.media_type, message.content_length, message.expires),
        *(message.event, message.user_agent, message.max_forwards),
    ]
    assert values == [None] * 12
    assert (message.vias, message.contacts) == ((), ())


def test_server_stands_in_for_user_agent() -> None:
    assert read(b"SIP/2.0 200 OK\r\nServer: RTC/3.5\r\n\r\n").user_agent == "RTC/3.5"


def test_headers_are_a_sequence_that_finds_long_and_compact_names() -> None:
    headers = read(b"ACK sip:b SIP/2.0\r\nv: 1\r\nX: 2\r\nVIA: 3\r\n\r\n").headers
    assert headers.first("Via") == headers.first("v") == "1"
    assert headers.all("via") == ("1", "3")
    assert headers.all("absent") == ()
    assert headers.names() == ("via", "session-expires")
    assert "V" in headers
    assert "From" not in headers
    assert headers[1] == Header("X", "2", b"X: 2\r\n")
    assert headers[1] in headers
    assert headers[1:] == Headers([headers[1], headers[2]])
    assert [header.name for header in headers] == ["v", "X", "VIA"]
    assert len({headers, Headers(headers)}) == 1
    assert headers != Headers()
    assert repr(headers[1:2]) == "Headers([('X', '2')])"


def test_lines_may_fold_and_have_blanks_before_the_colon() -> None:
    raw = ACK.replace(b"Call-ID: c", b"Call-ID \t:\r\n  c\r\n\td")
    message = read(raw)
    assert message.call_id == "c d"
    assert message.headers[3] == Header("Call-ID", "c d", b"Call-ID \t:\r\n  c\r\n\td\r\n")
    assert note_names(message.notes) == ["folded"]


def test_lone_lf_ends_lines_and_is_noted() -> None:
    message = read(ACK.replace(b"\r\n", b"\n"))
    assert message.call_id == "c"
    assert note_names(message.notes) == ["lf-only"]


def test_one_lf_among_crlf_is_noted() -> None:
    assert names(ACK.replace(b"c\r\n", b"c\n")) == ["lf-only"]


def test_lone_cr_ends_lines_when_it_ends_the_first() -> None:
    message = read(ACK.replace(b"\r\n", b"\r"))
    assert (message.call_id, len(message.headers)) == ("c", 6)
    assert message.problems == ("The lines are ended by CR alone.",)


def test_lone_cr_inside_a_line_is_part_of_the_value() -> None:
    message = read(ACK.replace(b"Call-ID: c", b"Call-ID: c\rTo: x"))
    assert message.call_id == "c\rTo: x"


def test_line_ends_before_the_start_line_are_passed_over() -> None:
    message = read(b"\r\n\r\n" + ACK)
    assert message.start_line == b"ACK sip:b SIP/2.0"
    assert message.margins.before == b"\r\n\r\n"


def test_the_empty_line_may_be_absent() -> None:
    message = read(ACK.removesuffix(b"\r\n"))
    assert (len(message.headers), message.body) == (6, b"")
    assert message.problems == ("The empty line after the headers is absent.",)
    cut = read(ACK.removesuffix(b"\r\n\r\n"))
    assert cut.headers.first("l") == "0"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"Foobar roobar", ("", "Foobar roobar")),
        (b": value", ("", "value")),
        (b"  : value", ("", "value")),
    ],
)
def test_lines_without_a_name_are_kept_and_noted(line: bytes, expected: tuple[str, str]) -> None:
    raw = ACK.replace(b"Via:", line + b"\r\nVia:", 1)
    header = read(raw).headers[0]
    assert ((header.name, header.value), header.raw) == (expected, line + b"\r\n")
    assert names(raw) == ["bad-header"]


def test_compact_names_are_noted() -> None:
    assert names(ACK.replace(b"Call-ID:", b"i:")) == ["compact"]


def test_bytes_that_are_not_utf8_are_shown_as_latin1_and_kept() -> None:
    message = read(ACK.replace(b"Call-ID: c", b"Call-ID: \xe9"))
    assert message.call_id == "é"
    assert message.headers[3].raw == b"Call-ID: \xe9\r\n"
    assert note_names(message.notes) == ["not-utf8"]
    assert read(ACK.replace(b"Call-ID: c", "Call-ID: é".encode())).notes == 0


@pytest.mark.parametrize(
    ("line", "method", "uri"),
    [
        (b"ACK  sip:b  SIP/2.0", "ACK", "sip:b"),
        (b"ACK sip:b; lr SIP/2.0", "ACK", "sip:b; lr"),
        (b"ACK sip:b SIP/2.0  ", "ACK", "sip:b"),
        (b" ACK\tsip:b SIP/2.0", "ACK", "sip:b"),
        (b"ACK <sip:b> SIP/2.0", "ACK", "<sip:b>"),
        (b"ACK SIP/2.0", "ACK", ""),
    ],
)
def test_request_lines_against_the_rules_are_read_and_noted(
    line: bytes, method: str, uri: str
) -> None:
    message = read(ACK.replace(b"ACK sip:b SIP/2.0", line))
    assert (message.method, message.uri) == (method, uri)
    assert note_names(message.notes) == ["bad-start-line"]


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        (b"SIP/2.0 200", 200, ""),
        (b"SIP/2.0  200 OK", 200, "OK"),
        (b"SIP/2.0 20 OK", 20, "OK"),
        (b"SIP/2.0 4294967301 big", 4294967301, "big"),
        (b"SIP/2.0 " + b"9" * 5000 + b" x", 10**1000 - 1, "x"),
    ],
)
def test_status_lines_against_the_rules_are_read_and_noted(
    line: bytes, status: int, reason: str
) -> None:
    message = read(ACK.replace(b"ACK sip:b SIP/2.0", line))
    assert (message.kind, message.status, message.reason) == ("response", status, reason)
    assert (message.method, message.uri, message.cseq_method) == (None, None, "ACK")
    assert note_names(message.notes) == ["bad-start-line"]


@pytest.mark.parametrize("line", [b"SIP/2.0 100 ", b"SIP/2.0 200 OK", "SIP/2.0 200 Так".encode()])
def test_status_lines_by_the_rules_have_no_note(line: bytes) -> None:
    assert names(ACK.replace(b"ACK sip:b SIP/2.0", line)) == []


@pytest.mark.parametrize("method", ["BENOTIFY", "SERVICE", "NEGOTIATE", "NEWMETHOD", "RE%47.x"])
def test_any_token_is_a_method(method: str) -> None:
    message = read(ACK.replace(b"ACK", method.encode()))
    assert (message.method, message.cseq, message.notes) == (method, (1, method), 0)


def test_another_version_is_noted() -> None:
    message = read(ACK.replace(b"sip:b SIP/2.0", b"sip:b SIP/7.0"))
    assert message.version == "SIP/7.0"
    assert note_names(message.notes) == ["bad-version"]
    assert names(ACK.replace(b"sip:b SIP/2.0", b"sip:b sip/2.0")) == []


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"INVITE sip:alan@example.com\r\nCall-ID: 1\r\n\r\n",
        b"SIP/2.0\r\n\r\n",
        b"SIP/2.0 abc SIP/2.0\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"A" * (MAX_HEAD + 1) + b" sip:b SIP/2.0\r\n\r\n",
    ],
)
def test_bytes_without_a_start_line_are_malformed(raw: bytes) -> None:
    found = parse_message(raw)
    assert isinstance(found, Malformed)
    assert (found.layer, found.raw) == ("sip", raw[:256])


def test_the_cseq_of_another_method_is_noted() -> None:
    assert names(ACK.replace(b"CSeq: 1 ACK", b"CSeq: 1 INVITE")) == ["cseq-mismatch"]
    response = ACK.replace(b"ACK sip:b SIP/2.0", b"SIP/2.0 200 OK")
    assert names(response) == []


@pytest.mark.parametrize("name", [b"Via", b"From", b"To", b"Call-ID", b"CSeq"])
def test_absent_mandatory_headers_are_noted(name: bytes) -> None:
    message = read(ACK.replace(name + b":", b"X-Other:"))
    assert note_names(message.notes) == ["missing-header"]
    assert message.problems[0].startswith(name.decode())


def test_max_forwards_may_be_absent() -> None:
    assert "Max-Forwards" not in read(ACK).headers
    assert read(ACK).notes == 0


@pytest.mark.parametrize("line", [b"Call-ID: x", b"To: <sip:x>", b"From: <sip:x>", b"CSeq: 2 ACK"])
def test_single_headers_with_different_values_are_noted(line: bytes) -> None:
    assert names(ACK.replace(b"Via:", line + b"\r\nVia:")) == ["repeated-header"]


def test_repeated_headers_that_agree_or_may_repeat_are_not_noted() -> None:
    assert names(ACK.replace(b"Via:", b"i: c\r\nVia:")) == ["compact"]
    assert names(ACK.replace(b"Via:", b"Supported: a\r\nSupported: b\r\nVia:")) == []


@pytest.mark.parametrize(
    ("value", "length"), [(b"-999", None), (b"", None), (b"1, 2", None), (b"9" * 5000, None)]
)
def test_a_length_that_is_no_number_is_noted(value: bytes, length: int | None) -> None:
    for stream in (True, False):
        message = read(ACK.replace(b"Length: 0", b"Length: " + value) + b"body", stream=stream)
        assert (message.content_length, message.body) == (length, b"body")
        assert note_names(message.notes) == ["bad-content-length"]


def test_lengths_that_contradict_one_another_are_noted() -> None:
    raw = ACK.replace(b"Via:", b"Content-Length: 4\r\nVia:") + b"body"
    assert names(raw) == ["bad-content-length", "repeated-header"]
    agree = ACK.replace(b"Via:", b"Content-Length: 0\r\nVia:")
    assert names(agree) == []


def test_a_stream_message_has_all_its_bytes_as_body() -> None:
    message = read(ACK + b"body")
    assert (message.body, message.margins.after) == (b"body", b"")
    assert note_names(message.notes) == ["bad-content-length"]


def test_a_stream_message_without_length_is_noted() -> None:
    raw = ACK.replace(b"Content-Length: 0\r\n", b"")
    assert names(raw) == ["no-content-length"]
    assert names(raw, stream=False) == []


def test_the_body_of_a_datagram_ends_at_its_length() -> None:
    message = read(ACK.replace(b"Length: 0", b"Length: 3") + b"bodyrest", stream=False)
    assert (message.body, message.margins.after) == (b"bod", b"yrest")
    assert note_names(message.notes) == ["trailing-bytes"]


def test_the_body_of_a_short_datagram_is_what_is_there() -> None:
    message = read(ACK.replace(b"Length: 0", b"Length: 9999") + b"body", stream=False)
    assert message.body == b"body"
    assert note_names(message.notes) == ["bad-content-length"]


def test_huge_numbers_are_exact() -> None:
    message = read(ACK.replace(b"CSeq: 1 ", b"CSeq: 36893488147419103232 "))
    assert message.cseq == (36893488147419103232, "ACK")


def test_headers_beyond_the_limit_are_kept_but_not_read() -> None:
    raw = ACK.replace(b"Via:", b"X-Y: 1\r\n" * MAX_HEADERS + b"Via:") + b"body"
    message = read(raw)
    assert len(message.headers) == MAX_HEADERS
    assert message.body == b"body"
    assert any(f"exceeds {MAX_HEADERS} headers" in text for text in message.problems)


def test_a_head_beyond_the_limit_is_kept_but_not_read() -> None:
    raw = ACK.replace(b"Via:", b"X-Y: " + b"y" * MAX_HEAD + b"\r\nVia:") + b"body"
    message = read(raw)
    assert (len(message.headers), message.body) == (0, b"body")
    assert message.margins.blank.startswith(b"X-Y: yyy")
    assert any(f"or {MAX_HEAD} bytes" in text for text in message.problems)


HOSTILE = {
    "blanks in the start line": b"ACK" + b" " * 200_000 + b"x",
    "CR without end": b"ACK sip:b SIP/2.0\r\nX: " + b"\r" * 200_000,
    "CR lines": b"ACK sip:b SIP/2.0\r" + b"\rX" * 100_000,
    "folds": b"ACK sip:b SIP/2.0\r\nFrom: " + b"\r\n " * 80_000 + b"x\r\n\r\n",
    "open quotes": b"ACK sip:b SIP/2.0\r\nm: " + b'"\\' * 100_000 + b"\r\n\r\n",
    "escaped quotes": b"ACK sip:b SIP/2.0\r\nf: " + b'\\"' * 100_000 + b"\r\n\r\n",
    "open brackets": b"ACK sip:b SIP/2.0\r\nm: " + b"<" * 200_000 + b"\r\n\r\n",
    "commas": b"ACK sip:b SIP/2.0\r\nm: " + b"a," * 100_000 + b"\r\n\r\n",
    "semicolons": b"ACK sip:b SIP/2.0\r\nf: <sip:a>" + b";a=" * 80_000 + b"\r\n\r\n",
    "digits": b"ACK sip:b SIP/2.0\r\nCSeq: " + b"1" * 200_000 + b" ACK\r\n\r\n",
    "vias": b"ACK sip:b SIP/2.0\r\nv: " + b"SIP / 2.0 /" * 20_000 + b"\r\n\r\n",
    "blank runs": b"ACK sip:b SIP/2.0\r\nv: SIP" + (b" " * 1000 + b"/") * 200 + b"\r\n\r\n",
}


@pytest.mark.untraced
@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_hostile_heads_cost_linear_time(raw: bytes) -> None:
    # 200 kB take some milliseconds; in quadratic time they would take minutes.
    began = time.process_time()
    message = parse_message(raw)
    if isinstance(message, SipMessage):
        seen = (message.vias, message.contacts, message.from_, message.cseq)
        assert len(seen) == 4
    assert time.process_time() - began < 2


@given(messages())
def test_canonical_messages_have_no_notes(raw: bytes) -> None:
    message = read(raw)
    assert message.notes == 0
    assert message.problems == ()
    assert message.content_length == len(message.body)


def test_the_headers_of_real_messages_are_read_as_their_truth_lists_them() -> None:
    count = 0
    for path in sorted((require_shared() / "captures").glob("*.json")):
        for truth in json.loads(path.read_text(encoding="utf-8"))["messages"]:
            start = f"{truth['method']} {truth.get('ruri')} SIP/2.0"
            if truth["kind"] == "response":
                start = f"SIP/2.0 {truth['status']} {truth['reason']}"
            pairs = [(name, value) for name, value in truth["headers"]]
            message = read(build_message(start, pairs, (truth.get("body") or "").encode()))
            listed = [[header.name, header.value] for header in message.headers]
            # The stated length may count another form of the body than the one rebuilt here.
            assert [pair for pair in listed if pair[0] != "Content-Length"] == [
                pair for pair in truth["headers"] if pair[0] != "Content-Length"
            ]
            sender, recipient, cseq = message.from_, message.to, message.cseq
            assert sender is not None
            assert recipient is not None
            assert cseq is not None
            assert (sender.uri, sender.tag) == (truth["from_uri"], truth["from_tag"])
            assert (recipient.uri, recipient.tag) == (truth["to_uri"], truth["to_tag"])
            assert f"{cseq.number} {cseq.method}" == truth["cseq"]
            assert message.call_id == truth["call_id"]
            assert message.event == truth.get("event")
            assert message.notes & ~notes.MISSING_HEADER == 0
            count += 1
    assert count > 1000
