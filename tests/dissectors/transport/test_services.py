"""Telling from its first bytes what a stream carries when that is not SIP."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.transport.services import is_tls, service_of
from tests.support.sip_texts import message, response

HELLO = bytes.fromhex("1603010200010001fc0303")
SSL2_HELLO = bytes.fromhex("802e0103010015000000")

CASES = {
    "TLS": [
        HELLO,
        bytes.fromhex("1703030020") + bytes(32),
        bytes.fromhex("1503040002"),
        SSL2_HELLO,
    ],
    "HTTP": [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /a/b?c=d HTTP/1.0\r\n",
        b"CONNECT proxy:443 HTTP/1.1\r\n",
        b"HTTP/1.1 200 OK\r\n",
    ],
    "SMB": [b"\0\0\0\x90\xffSMBr", b"\0\0\0\x90\xfeSMB@"],
    "SSH": [b"SSH-2.0-OpenSSH_9.2\r\n"],
    "HTTP/2": [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    "SMTP or FTP": [b"220 mail ESMTP\r\n"],
    "POP3": [b"+OK ready\r\n"],
    "IMAP": [b"* OK ready\r\n"],
    "VNC": [b"RFB 003.008\n"],
}


@pytest.mark.parametrize(
    ("service", "data"), [(name, data) for name, all_ in CASES.items() for data in all_]
)
def test_a_protocol_is_told_by_its_first_bytes(service: str, data: bytes) -> None:
    assert service_of(data) == service


@pytest.mark.parametrize(
    "data",
    [
        message(),
        response(),
        b"\r\n\r\n" + message(),
        b"",
        b"\x16\x03",
        HELLO[:4],
        b"the middle of a body",
        b"GET sip:a@b SIP/2.0\r\n",
        b"BENOTIFY sip:x:5060;transport=tls SIP/2.0\r\n",
        bytes.fromhex("16030100000000"),  # a record of no bytes
        bytes.fromhex("160301ffff0000"),  # one beyond the limit of RFC 8446 5.1
        bytes.fromhex("1609010020"),  # a version that does not exist
    ],
)
def test_what_may_be_sip_is_left_open(data: bytes) -> None:
    assert service_of(data) is None
    assert not is_tls(data)


@given(st.binary(max_size=64))
def test_any_bytes_are_survived(data: bytes) -> None:
    assert service_of(data) in {None, *CASES}
    assert is_tls(data) == (service_of(data) == "TLS")


def test_a_request_line_without_an_end_is_looked_at_once() -> None:
    assert service_of(b"GET " + b"a" * 200_000) is None
