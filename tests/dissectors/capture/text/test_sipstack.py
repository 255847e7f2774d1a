"""Records of a SIP stack to messages and remarks, as tools and copies have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.capture.text import sipstack
from dissectors.capture.text.lines import TextDecoder
from dissectors.capture.text.sipstack import SipstackReader
from dissectors.capture.text.values import Annotation, TextMessage
from dissectors.model import Malformed
from tests.paths import require_shared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dissectors.capture.text.values import Record

BODY = '<xccos ver="1"><cmd id="cmd:getinv"><data/></cmd></xccos>'
HEADERS = (
    "From: <sip:ann@contoso.com>;tag=1;epid=2a",
    "To: <sip:chat@contoso.com>;tag=3",
    "Call-ID: 5c1",
    "CSeq: 4 INFO",
    "Via: SIP/2.0/TLS 10.1.0.7:50123;branch=z9hG4bK1",
    "Content-Type: text/plain",
)


def prefix(
    *, ms: int = 101, thread: str = "06E4.0EB4", cls: bool = False, sequence: int = 0x5386,
    level: str = "TL_INFO(TF_PROTOCOL)", second: int = 43,
) -> str:  # fmt: skip
    """Return what a line begins with, as the two families of tools write it."""
    bracket, number = ("pool01\\FE01", " [2003888399] ") if cls else ("0", "")
    place = "(SIPStack,SIPAdminLog::ProtocolRecord::Flush:ProtocolRecord.cpp(261))"
    when = f"01/18/2012-05:00:{second:02}.{ms:03}.{sequence:08X}"
    return f"{level} [{bracket}]{thread}::{when} {place}{number}"


def record(
    *, body: str | None = BODY, start: str = "INFO sip:chat@contoso.com SIP/2.0",
    length: int | None = None, headers: Sequence[str] = HEADERS, direction: str = "incoming",
    peer: str = "10.1.0.7:50123", first: str = "", end: str = "$$end_record\n",
) -> str:  # fmt: skip
    """Return the text of a record."""
    length = len((body or "").encode()) if length is None else length
    return "\n".join(
        (
            f"{first or prefix()}$$begin_record",
            "Trace-Correlation-Id: 2003888399",
            "Instance-Id: 0000C23F",
            f"Direction: {direction}",
            f"Peer: {peer}",
            "Message-Type: request",
            f"Start-Line: {start}",
            *headers,
            f"Content-Length: {length}",
            f"Message-Body: {'-' if body is None else body}",
            end,
        )
    )


def wire(body: bytes = BODY.encode(), length: int | None = None) -> bytes:
    """Return the message of ``record`` as it was on the wire."""
    length = len(body) if length is None else length
    head = ("INFO sip:chat@contoso.com SIP/2.0", *HEADERS, f"Content-Length: {length}", "", "")
    return "\r\n".join(head).encode() + body


def read(trace: str | bytes, *cuts: int) -> list[Record | Malformed]:
    """Return what a trace holds, its bytes coming in pieces that end at ``cuts``."""
    data = trace.encode() if isinstance(trace, str) else trace
    decoder, reader = TextDecoder(), SipstackReader()
    found: list[Record | Malformed] = []
    start = 0
    for end in [*sorted(cuts), len(data)]:
        found += reader.feed(decoder.feed(data[start:end]))
        start = max(start, end)
    return found + reader.feed(decoder.close()) + reader.close()


def messages(trace: str | bytes) -> list[TextMessage]:
    return [one for one in read(trace) if isinstance(one, TextMessage)]


def remarks(trace: str | bytes) -> list[Annotation]:
    return [one for one in read(trace) if isinstance(one, Annotation)]


def told(trace: str | bytes) -> list[tuple[int | None, str]]:
    return [(one.frame, one.reason) for one in read(trace) if isinstance(one, Malformed)]


# What a record says


def test_a_record_of_ocslogger_is_the_message_of_the_wire() -> None:
    (message,) = read("banner\n" + record())
    assert message == TextMessage(
        time_ns=1_326_862_843_101_000_000,
        digits=3,
        utc=False,
        line=2,
        outgoing=False,
        local="",
        peer="10.1.0.7:50123",
        transport="tls",
        data=wire(),
    )


def test_a_record_of_cls_names_its_server_and_is_in_utc() -> None:
    (message,) = messages(record(first=prefix(cls=True), direction='outgoing;source="local"'))
    assert (message.local, message.utc, message.outgoing) == ("FE01:0", True, True)
    assert message.data == wire()


def test_the_excerpt_of_microsofts_documentation() -> None:
    path = require_shared() / "corpus/ms_samples"
    path /= "msdocs_test_csfederatedpartner_ocs2007r2_sipstack.log"
    message, failed, why = read(path.read_bytes())
    assert isinstance(message, TextMessage)
    assert message.data.startswith(b"OPTIONS sip:Options_User@fabrikam.com SIP/2.0\r\nTo: ")
    assert message.data.endswith(b"\r\nUSER-AGENT: RTCC/4.0.0.0\r\n\r\n")
    assert (message.peer, message.transport) == ("lyncservr.contoso.com:61182", "tls")
    assert isinstance(failed, Annotation)
    assert (failed.severity, failed.code) == ("error", "0xC3E93C5E SIPPROXY_E_ROUTING")
    assert failed.text.startswith("Exit - route headers from untrusted source.")
    assert isinstance(why, Annotation)
    assert (why.severity, why.code, why.line) == ("warning", "0xC3E93C5E SIPPROXY_E_ROUTING", 20)
    assert (why.call_id, why.cseq) == ("c00bc6180f284b948be61febf274d05e", "1 OPTIONS")
    assert why.start_line == "OPTIONS sip:Options_User@fabrikam.com SIP/2.0"


def test_the_mark_may_stand_on_the_next_line() -> None:
    trace = record().replace("$$begin_record", "\n$$begin_record", 1)
    assert [message.data for message in messages(trace)] == [wire()]
    assert told(trace) == []


@pytest.mark.parametrize("end", ["\r\n", "\r\r\n"])
def test_line_ends_of_windows_change_nothing(end: str) -> None:
    assert [one.data for one in messages(record().replace("\n", end))] == [wire()]


@pytest.mark.parametrize("codec", ["utf-16", "utf-8-sig", "cp1252"])
def test_the_wire_had_utf_8_whatever_the_trace_has(codec: str) -> None:
    body = BODY.replace("<data/>", "<data>Zo\u00eb</data>")
    (message,) = messages(record(body=body).encode(codec))
    assert message.data == wire(body.encode())


@pytest.mark.parametrize(
    "via", ["Via: SIP/2.0/TCP a", "v: SIP / 2.0 / TCP a;x", "VIA: SIP/2.0/tcp a"]
)
def test_the_transport_is_that_of_the_topmost_via(via: str) -> None:
    trace = record(headers=[via, "Via: SIP/2.0/UDP b"])
    assert [message.transport for message in messages(trace)] == ["tcp"]
    assert [message.transport for message in messages(record(headers=[]))] == [""]


def test_without_a_peer_the_via_of_the_sender_is_the_peer() -> None:
    def peers(direction: str, start: str) -> list[str]:
        trace = record(direction=direction, start=start, peer="").replace("Peer: \n", "")
        return [message.peer for message in messages(trace)]

    assert peers("incoming", "INFO sip:a@contoso.com SIP/2.0") == ["10.1.0.7:50123"]
    assert peers("outgoing", "SIP/2.0 200 OK") == ["10.1.0.7:50123"]
    assert peers("outgoing", "INFO sip:a@contoso.com SIP/2.0") == [""]
    assert peers("incoming", "SIP/2.0 200 OK") == [""]


# Heads


def test_a_folded_header_stays_folded() -> None:
    headers = ["Contact: <sip:ann@contoso.com>", "  ;proxy=replace", "Call-ID: 1"]
    (message,) = messages(record(headers=headers))
    assert b"Contact: <sip:ann@contoso.com>\r\n  ;proxy=replace\r\nCall-ID: 1\r\n" in message.data


def test_a_header_that_a_copy_broke_is_put_together() -> None:
    headers = [
        'Proxy-Authorization: NTLM cnum="85",',
        "",
        ' response="0100"',
        "Subject: one",
        "two",
    ]
    (message,) = messages(record(headers=headers))
    assert b'Proxy-Authorization: NTLM cnum="85", response="0100"\r\n' in message.data
    assert b"\r\nSubject: one two\r\n" in message.data
    assert message.data.endswith(b"\r\n\r\n" + BODY.encode())


def test_blank_lines_do_not_end_a_head() -> None:
    spaced = record().replace("\n", "\n\n").replace("\n\n$$end", "\n$$end")
    assert [message.data for message in messages(spaced)] == [wire()]


def test_a_body_without_its_label_is_told_by_its_length() -> None:
    trace = record().replace("Message-Body: ", "\n", 1)
    assert [message.data for message in messages(trace)] == [wire()]


# Bodies


def test_a_body_may_begin_on_the_line_after_its_label() -> None:
    trace = record().replace("Message-Body: ", "Message-Body:\n", 1)
    assert [message.data for message in messages(trace)] == [wire()]
    (blank,) = messages(record(body="\nx", length=3))
    assert blank.data == wire(b"\r\nx")


def test_a_body_of_several_lines_has_crlf_where_its_length_says_so() -> None:
    body = "v=0\no=- 0 0 IN IP4 10.1.0.7\ns=session\n"
    (crlf,) = messages(record(body=body, length=len(body) + 3))
    assert crlf.data.endswith(b"\r\n\r\n" + body.replace("\n", "\r\n").encode())
    (lf,) = messages(record(body=body))
    assert lf.data.endswith(b"\r\n\r\n" + body.encode())


@pytest.mark.parametrize("sign", ["-", "\u2013", "\u2014", "", " "])
def test_a_dash_is_no_body(sign: str) -> None:
    (message,) = messages(record(body=sign, length=0))
    assert (message.data, message.missing, message.masked) == (wire(b""), 0, False)


def test_an_en_dash_of_a_code_page_is_no_body() -> None:
    (message,) = messages(record(body="\u2013", length=0).encode("cp1252"))
    assert message.data == wire(b"")


def test_a_body_that_is_one_dash_is_told_by_its_length() -> None:
    assert [message.data for message in messages(record(body="-"))] == [wire(b"-")]


def test_a_body_that_the_trace_leaves_out_is_missing() -> None:
    (message,) = messages(record(body=None, length=512))
    assert (message.data, message.missing, message.masked) == (wire(b"", 512), 512, False)


@pytest.mark.parametrize(
    "note", ["****MESSAGE BODY DELETED****", "*** body removed ***", "[Masked]"]
)
def test_a_masked_body_is_said_to_be(note: str) -> None:
    (message,) = messages(record(body=note, length=512))
    assert (message.data, message.missing, message.masked) == (wire(b"", 512), 512, True)


def test_stars_that_somebody_typed_are_a_body() -> None:
    (message,) = messages(record(body="*****"))
    assert (message.data, message.masked) == (wire(b"*****"), False)


def test_a_body_that_is_cut_says_how_much_is_missing() -> None:
    (message,) = messages(record(body=BODY[:30], length=len(BODY)))
    assert message.data == wire(BODY[:30].encode(), len(BODY))
    assert message.missing == len(BODY) - 30


def test_a_document_that_is_all_there_is_not_cut_by_a_length_that_does_not_agree() -> None:
    """A code page has a question mark for what it lacks, so that there are fewer bytes."""
    trace = record(body=BODY.replace("<data/>", "<data>??</data>"), length=300)
    (message,) = messages(trace)
    body = BODY.replace("<data/>", "<data>??</data>").encode()
    assert (message.data, message.missing) == (wire(body), 0)
    assert told(trace * 2) == [
        (1, f"the body has {len(body)} bytes and not 300: it was altered when it was written or "
            "copied; others like it are not told"),
    ]  # fmt: skip


def test_addresses_that_a_page_masks_leave_a_message_that_can_be_read() -> None:
    body = '<xccos><chatmsg author="sip:[email\xa0protected]"/></xccos>'
    headers = ["From: <sip:[email protected]>;tag=1", "Call-ID: 7"]
    start = "INFO sip:[email protected] SIP/2.0"
    (message,) = messages(record(body=body, length=99, headers=headers, start=start))
    assert message.data.startswith(
        b"INFO sip:email-protected@masked.invalid SIP/2.0\r\nFrom: <sip:e"
    )
    head, _empty, shown = message.data.partition(b"\r\n\r\n")
    assert shown == b'<xccos><chatmsg author="sip:email-protected@masked.invalid"/></xccos>'
    assert head.endswith(b"Content-Length: %d" % len(shown))


def test_the_end_may_stand_behind_the_body() -> None:
    trace = record().replace("\n$$end_record", "$$end_record")
    assert [message.data for message in messages(trace)] == [wire()]
    quoted = BODY.replace("<data/>", "$$end_record is here")
    assert [message.data for message in messages(record(body=quoted))] == [wire(quoted.encode())]


# Copies


def margined(trace: str, before: str) -> str:
    """Return a trace as it was pasted: each line behind ``before``, ``{}`` being its number."""
    return "".join(
        f"{before.format(number)}{line}\n" for number, line in enumerate(trace.splitlines(), 12)
    )


@pytest.mark.parametrize(
    "before", ["{}. ", "{}: ", " {}\t", "> ", ">> ", "> > ", "- ", "   ", "* ", "\t", "[FE01] "]
)
def test_copies_are_read_through_their_margins(before: str) -> None:
    trace = margined(record(headers=[*HEADERS, "Subject: a", "  b"]) * 2, before)
    plain = messages(record(headers=[*HEADERS, "Subject: a", "  b"]))[0].data
    assert [message.data for message in messages(trace)] == [plain, plain]
    assert told(trace) == []


def test_a_name_before_the_line_is_the_server_where_the_bracket_has_none() -> None:
    assert [one.local for one in messages("[FE02] " + record())] == ["FE02:0"]


# Half records


def test_a_record_without_end_is_ended_by_the_next_of_its_thread() -> None:
    trace = record(body=BODY[:20], length=len(BODY), end="") + record()
    cut, whole = messages(trace)
    assert (cut.data, cut.missing) == (wire(BODY[:20].encode(), len(BODY)), len(BODY) - 20)
    assert whole.data == wire()
    reason = "the record has no end; the next one begins; what there is of its message is read"
    assert told(trace) == [(1, reason)]


def test_the_end_of_the_trace_ends_a_record() -> None:
    trace = record()[: record().index("Message-Body")]
    (message,) = messages(trace)
    assert (message.data, message.missing) == (wire(b"", len(BODY)), len(BODY))
    reason = "the trace ends inside the record; what there is of its message is read"
    assert told(trace) == [(1, reason)]


def test_a_trace_may_begin_inside_a_record() -> None:
    trace = record().partition("Message-Type")[2] + record()
    assert [message.data for message in messages(trace)] == [wire()]
    line = trace.split("\n").index("$$end_record") + 1
    assert told(trace) == [(line, "the trace begins inside a record, which is left out")]


def test_a_record_without_start_line_is_named() -> None:
    trace = record().replace("Start-Line: ", "Start: ", 1) + record()
    assert [message.data for message in messages(trace)] == [wire()]
    assert told(trace) == [(1, "the record has no Start-Line")]


def test_a_record_without_a_time_is_left_out() -> None:
    trace = record().partition("$$")[2]
    assert read("$$" + trace) == [
        Malformed(
            "capture", "a record without a line that says when it was; it is left out", frame=1
        )
    ]


@pytest.mark.parametrize("when", ["00/00/2012", "02/30/2012", "13/13/2012", "01/01/1950"])
def test_an_impossible_date_is_no_time(when: str) -> None:
    trace = record().replace("01/18/2012", when) + record()
    assert [message.data for message in messages(trace)] == [wire()]


def test_a_day_that_stands_before_its_month_is_told_where_it_can_be() -> None:
    (message,) = messages(record().replace("01/18/2012", "18/01/2012"))
    assert message.time_ns == 1_326_862_843_101_000_000


def test_records_that_are_too_long_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sipstack, "MAX_RECORD", 2000)
    trace = record(body="x" * 60 + "\nyy" * 1000, length=100_000) + record()
    cut, whole = messages(trace)
    assert len(cut.data) < 4000
    assert cut.missing > 90_000
    assert whole.data == wire()
    assert [frame for frame, _reason in told(trace)] == [1]


# Several threads

OTHER = "0ABC.0001"


def test_a_component_line_of_another_thread_inside_a_record_takes_nothing_from_it() -> None:
    noise = prefix(thread=OTHER, level="TL_INFO(TF_COMPONENT)") + "Enter\n"
    for place in range(2, record().count("\n")):
        rows = record().splitlines(keepends=True)
        rows.insert(place, noise)
        trace = "".join(rows)
        assert [message.data for message in messages(trace)] == [wire()]
        assert told(trace)[0][0] == 1


def test_a_record_of_another_thread_inside_a_record_is_read_and_so_is_the_first() -> None:
    inner = record(first=prefix(thread=OTHER, ms=102), start="SIP/2.0 200 OK")
    rows = record().splitlines(keepends=True)
    rows.insert(9, inner)
    trace = "".join(rows)
    outer_message, inner_message = messages(trace)
    assert outer_message.data == wire()
    assert inner_message.data.startswith(b"SIP/2.0 200 OK\r\n")
    reason = (
        f"thread {OTHER} wrote into the record of thread 06E4.0EB4; its parts were put together"
    )
    assert told(trace) == [(1, reason)]


def test_what_follows_a_component_line_does_not_become_part_of_a_cut_head() -> None:
    noise = prefix(thread=OTHER, level="TL_INFO(TF_COMPONENT)") + "Parsed\n<a>\n<b/>\n</a>\n"
    cut = record().partition("Call-ID")[0]
    (message,) = messages(cut + noise * 2)
    assert message.data.endswith(b"To: <sip:chat@contoso.com>;tag=3\r\n\r\n")


def test_an_interrupted_record_is_not_waited_for_forever() -> None:
    noise = prefix(thread=OTHER, level="TL_INFO(TF_COMPONENT)") + "Enter\n"
    reader, decoder = SipstackReader(), TextDecoder()
    cut = record().partition("Message-Body")[0] + noise * 200
    found = reader.feed(decoder.feed(cut.encode()))
    assert [one.frame for one in found if isinstance(one, Malformed)] == [1]


def test_only_some_records_are_open_at_once() -> None:
    cut = [
        record(first=prefix(thread=f"1.{number}")).partition("Content-Length")[0]
        for number in range(sipstack.MAX_OPEN + 3)
    ]
    reader = SipstackReader()
    found = reader.feed(TextDecoder().feed("".join(cut).encode()))
    assert [one.frame for one in found if isinstance(one, Malformed)] == [1, 14, 27]
    assert len([one for one in reader.close() if isinstance(one, TextMessage)]) == len(cut)


def test_a_whole_record_whose_end_mark_is_lost_takes_nothing_that_follows() -> None:
    noise = prefix(thread=OTHER, level="TL_INFO(TF_COMPONENT)") + "Enter\nmore of it\n"
    trace = record(end="").rstrip("\n") + "\n" + noise + record()
    assert [message.data for message in messages(trace)] == [wire(), wire()]


# Order


def test_messages_come_in_the_order_of_their_times() -> None:
    firsts = [
        prefix(cls=True, ms=5, sequence=3),
        prefix(cls=True, ms=2, sequence=1),
        prefix(cls=True, ms=5, sequence=2),
    ]
    trace = "".join(record(first=first) for first in firsts)
    assert [message.line for message in messages(trace)] == [17, 33, 1]


# Remarks

DIAGNOSTIC = (
    "TL_WARN(TF_DIAG) [edge\\edge]0584.0A44::03/02/2017-07:10:46.230.0000773E "
    "(SIPStack,SIPAdminLog::WriteDiagnosticEvent:SIPAdminLog.cpp(830)) [156659184] $$begin_record\n"
    "Severity: warning\n"
    "Text: None of the names is in the same domain Result-Code: 0xc3e93d6f SIPPROXY_E_NO_MATCH\n"
    "SIP-Start-Line: INVITE sip:bob@fabrikam.com SIP/2.0\n"
    "SIP-Call-ID: f1b3ad5d\n"
    "SIP-CSeq: 2066245576 INVITE\n"
    "Peer: edge.contoso.com:25002\n"
    'Data: domain =" contoso.com "; fqdn1="edge.contoso.com:5061"\n'
    "$$end_record\n"
)
"""As pages have it: two fields on one line, blanks inside the quotation marks."""


def test_a_diagnostic_record_says_of_which_message_it_speaks() -> None:
    assert read(DIAGNOSTIC) == [
        Annotation(
            time_ns=1_488_438_646_230_000_000,
            line=1,
            severity="warning",
            text="None of the names is in the same domain",
            code="0xC3E93D6F SIPPROXY_E_NO_MATCH",
            call_id="f1b3ad5d",
            cseq="2066245576 INVITE",
            start_line="INVITE sip:bob@fabrikam.com SIP/2.0",
            peer="edge.contoso.com:25002",
            data=(("domain", "contoso.com"), ("fqdn1", "edge.contoso.com:5061")),
        )
    ]


def test_information_is_kept_where_it_names_a_message_or_a_result() -> None:
    information = DIAGNOSTIC.replace("TL_WARN", "TL_INFO").replace("y: warning", "y: information")
    assert [one.severity for one in remarks(information)] == ["information"]
    nothing = information.replace("SIP-Call-ID", "Id").replace("0xc3e93d6f", "none")
    assert read(nothing) == []


def test_a_connection_record_keeps_its_fields_where_it_is_an_error() -> None:
    trace = (
        prefix(level="TL_ERROR(TF_CONNECTION)") + "$$begin_record\nSeverity: error\n"
        "Text: The connection was closed\nLocal-IP: 10.1.0.1:5061\nPeer-IP: 10.1.0.7:50123\n"
        "$$end_record\n"
    )
    (closed,) = remarks(trace)
    assert closed.text == "The connection was closed"
    assert closed.data == (("Local-IP", "10.1.0.1:5061"), ("Peer-IP", "10.1.0.7:50123"))


@pytest.mark.parametrize(
    ("level", "severity"),
    [("TL_FATAL", "error"), ("TL_ERROR", "error"), ("TL_WARN", "warning")],
)
def test_errors_and_warnings_of_components_are_kept(level: str, severity: str) -> None:
    line = prefix(level=f"{level}(TF_SECURITY)") + "( 0000000008A39D40 ) failed, 0x80090322\n"
    (said,) = remarks(line)
    assert (said.severity, said.text, said.code) == (severity, "failed, 0x80090322", "0x80090322")


@pytest.mark.parametrize("level", ["TL_INFO", "TL_VERBOSE", "TL_NOISE"])
def test_what_components_say_otherwise_is_not(level: str) -> None:
    line = prefix(level=f"{level}(TF_COMPONENT)") + "( 0000000008A39D40 ) flags 0x00000001\n"
    assert read(line * 3) == []


def test_information_with_a_named_result_is_kept() -> None:
    line = prefix(level="TL_INFO(TF_COMPONENT)") + "Exit 0xC3E93C2F(SIPPROXY_E_UNKNOWN_USER)\n"
    assert [said.code for said in remarks(line)] == ["0xC3E93C2F SIPPROXY_E_UNKNOWN_USER"]


def test_remarks_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sipstack, "MAX_ANNOTATIONS", 2)
    line = prefix(level="TL_ERROR(TF_COMPONENT)") + "x" * 10_000 + "\n"
    assert [len(said.text) for said in remarks(line * 5)] == [4096, 4096]
    assert told(line * 5) == [(3, "more than 2 remarks; the others are left out")]


def test_what_cannot_be_read_is_told_a_bounded_number_of_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sipstack, "MAX_REMARKS", 3)
    trace = record().replace("Start-Line: ", "Start: ", 1) * 9
    assert [reason for _line, reason in told(trace)][1:] == [
        "the record has no Start-Line",
        "more such records follow, and are not told one by one",
    ]


# Anything

TRACE = (
    record()
    + prefix(level="TL_INFO(TF_COMPONENT)", ms=150) + "( 0000000008A39D40 ) Enter\n"
    + DIAGNOSTIC
    + record(body="v=0\ns=-\n", first=prefix(cls=True, ms=200), direction="outgoing")
    + record(body=None, first=prefix(ms=300))
)  # fmt: skip


@given(
    st.lists(st.integers(0, len(TRACE) * 2), max_size=8),
    st.sampled_from(["utf-8", "utf-16"]),
)
def test_records_do_not_depend_on_how_the_bytes_came(cuts: list[int], codec: str) -> None:
    data = TRACE.encode(codec)
    assert read(data, *(min(cut, len(data)) for cut in cuts)) == read(data)


DAMAGE = st.one_of(
    st.binary(min_size=1, max_size=3),  # written over what was there
    st.integers(1, 200),  # bytes lost
    st.sampled_from(["\n", "$$end_record\n", "$$begin_record\n", "TL_", "\0\0", "LogType: \n"]),
)


@given(st.lists(st.tuples(st.integers(0, len(TRACE)), DAMAGE), min_size=1, max_size=20))
def test_damage_never_raises_and_takes_nothing_from_records_elsewhere(
    damages: list[tuple[int, bytes | int | str]],
) -> None:
    damaged = TRACE.encode()
    for place, damage in damages:
        before, after = damaged[:place], damaged[place:]
        if isinstance(damage, bytes):
            damaged = before + damage + after[len(damage) :]
        elif isinstance(damage, int):
            damaged = before + after[damage:]
        else:
            damaged = before + damage.encode() + after
    # A line of the same thread ends whatever the damage left open.
    fence = prefix(level="TL_INFO(TF_COMPONENT)").encode() + b"fence\n"
    whole = record(first=prefix(second=44)).encode()
    data = whole + fence + damaged + b"\n" + fence + whole
    assert [one.data for one in messages(data)].count(wire()) >= 2


@given(st.lists(st.sampled_from(TRACE.splitlines(keepends=True)), max_size=80))
def test_lines_in_any_order_never_raise(rows: list[str]) -> None:
    found = read("".join(rows))
    assert all(one.data.count(b"\r\n\r\n") for one in found if isinstance(one, TextMessage))
