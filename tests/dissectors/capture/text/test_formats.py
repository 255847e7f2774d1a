"""Which reader a text trace needs is told by its first 64 KiB, whatever it begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.capture.text.formats import (
    FORMATS,
    HEAD_LENGTH,
    seems_text_trace,
    text_reader_for,
)
from dissectors.capture.text.lines import TextDecoder
from dissectors.capture.text.s4 import S4Reader
from dissectors.capture.text.sipe import SipeReader
from dissectors.capture.text.sipstack import SipstackReader
from dissectors.capture.text.uccapi import UccapiReader
from dissectors.capture.text.values import TextMessage

if TYPE_CHECKING:
    from dissectors.capture.text.values import TextReader

PREFIX = "TL_INFO({}) [0]06E4.0EB4::01/18/2012-05:00:43.101.00005386 "
COMPONENT = PREFIX.format("TF_COMPONENT") + "(SIPStack,CSIPRequest::Get:SIPRequest.cpp(24))Enter\n"
SIPSTACK = PREFIX.format("TF_PROTOCOL") + "(SIPStack,A::B:C.cpp(125))$$begin_record\nPeer: a:1\n"
S4 = PREFIX.format("TF_PROTOCOL") + (
    "(S4,SipMessage.DataLoggingHelper:sipmessage.cs(686))[27335]\n"
    ">>>>>>>>>>>>Outgoing SipMessage c=[<SipTlsConnection_2C>], 10.0.0.1:5061->10.0.0.2:51000\n"
)
CLIENT = "04/16/2013|03:17:30.168 1F68:C14 INFO  :: "
UCCAPI = CLIENT + (
    "End of Data Received -192.168.1.1:5061 (To Local Address: 192.168.1.3:20323) 1096 bytes\n"
)
SIPE = "(18:54:23) sipe: MESSAGE START >>>>>>>>>> SIP(0x55d0c0) - 2017-03-02T18:54:23.372143Z\n"

EACH: list[tuple[str, type[TextReader]]] = [
    (SIPSTACK, SipstackReader),
    (S4, S4Reader),
    (UCCAPI, UccapiReader),
    (SIPE, SipeReader),
]
each_format = pytest.mark.parametrize(("record", "reader"), EACH)


def name_of(head: bytes) -> str | None:
    """Return what the reader calls itself that the first bytes of a trace ask for."""
    found = text_reader_for(head)
    return None if found is None else found.name


@each_format
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_format_is_told_in_every_encoding(
    record: str, reader: type[TextReader], codec: str
) -> None:
    head = ("Trace of FE01\n\n" + record).encode(codec)
    assert name_of(head) == reader().name
    assert seems_text_trace(head) == reader().name


@each_format
@pytest.mark.parametrize("before", ["12. ", "> ", "    "])
def test_copies_are_told_too(record: str, reader: type[TextReader], before: str) -> None:
    copied = "".join(f"{before}{line}\n" for line in record.splitlines())
    assert name_of(copied.encode()) == reader().name


def test_a_thousand_component_lines_may_come_first() -> None:
    head = COMPONENT * 2000
    assert len(head) > HEAD_LENGTH
    assert name_of((head + SIPSTACK).encode()) == SipstackReader().name
    client = CLIENT + "CUccPresence::Refresh\n"
    assert name_of((client * 3000 + UCCAPI).encode()) == UccapiReader().name
    assert name_of(b"(12:00:01) sipe: sipe_core_init\n") == SipeReader().name


def test_a_trace_may_begin_inside_a_record() -> None:
    head = "Message-Body: -\n$$end_record\n" + COMPONENT
    assert name_of(head.encode()) == SipstackReader().name


def test_records_of_both_kinds_in_a_file_are_read() -> None:
    """A search of CLS over several providers writes both."""
    stack = (
        COMPONENT.splitlines()[0].split("(SIPStack", 1)[0]
        + "(SIPStack,SIPAdminLog::ProtocolRecord:SIPAdminLog.cpp(125))$$begin_record\n"
        "Direction: incoming\nPeer: 10.0.0.2:51000\nStart-Line: OPTIONS sip:a@b.c SIP/2.0\n"
        "Call-ID: 1\nContent-Length: 0\nMessage-Body: -\n$$end_record\n"
    )
    services = S4 + (
        "OPTIONS sip:d@e.f SIP/2.0\nCall-ID: 2\nContent-Length: 0\n\n"
        "------------EndOfOutgoing SipMessage\n"
    )
    for text in (stack + services + stack, services + stack * 2, services * 3 + stack):
        reader = text_reader_for(text.encode())
        assert reader is not None
        decoder = TextDecoder()
        lines = decoder.feed(text.encode()) + decoder.close()
        found = [*reader.feed(lines[:7]), *reader.feed(lines[7:]), *reader.close()]
        messages = [one for one in found if isinstance(one, TextMessage)]
        assert len(messages) == text.count("OPTIONS")
        assert {one.data.split(b"Call-ID: ")[1][:1] for one in messages} == {b"1", b"2"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "INFO sip:ann@contoso.com SIP/2.0\r\nCall-ID: 1\r\n\r\n",
        "<html><body>$$begin_record</body></html>",
        "Dear colleague,\r\nyour Message-Body: is missing.\r\n",
        "\ufeff",
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_other_text_is_no_trace(text: str, codec: str) -> None:
    assert text_reader_for(text.encode(codec)) is None
    assert seems_text_trace(text.encode(codec)) is None


@given(st.binary(max_size=500))
def test_bytes_are_no_trace_and_never_raise(head: bytes) -> None:
    assert text_reader_for(head) is None


def test_each_reader_is_new() -> None:
    assert all(form.make() is not form.make() for form in FORMATS)
