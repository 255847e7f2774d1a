"""Which reader a file gets, and what is said of a file that none can read."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.capture import detect
from dissectors.capture.detect import HEAD_LENGTH, OTHER_FORMATS, READERS, reader_for
from dissectors.capture.pcap import PcapReader
from dissectors.capture.pcapng import PcapngReader
from dissectors.model import Malformed
from tests.dissectors.capture.layouts import KUZNETZOV, MICRO, NANO, pcap_header, section

pytestmark = pytest.mark.usefixtures("each_path")


def reason(head: bytes) -> str:
    found = reader_for(head)
    assert isinstance(found, Malformed)
    assert (found.layer, found.offset) == ("capture", 0)
    return found.reason


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("magic", [MICRO, NANO, KUZNETZOV])
def test_each_pcap_magic_number_gets_the_pcap_reader(order: str, magic: int) -> None:
    head = pcap_header(order, magic=magic)
    assert isinstance(reader_for(head), PcapReader)
    assert isinstance(reader_for(head[:4]), PcapReader)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_section_header_gets_the_pcapng_reader(order: str) -> None:
    assert isinstance(reader_for(section(order)), PcapngReader)


def test_each_call_gives_a_new_reader() -> None:
    assert reader_for(section()) is not reader_for(section())


def test_another_format_is_one_more_row_of_the_table() -> None:
    table = {**READERS, b"GMBU": PcapReader}
    assert type(detect.reader_for(b"GMBU\0\0\0\0", table)) is PcapReader


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", "the file is empty"),
        (b"\xd4\xc3", "ends inside the file header"),
        (b"\n\r\r", "ends inside the file header"),
        (b"GMBU\3\2\1\0", "Microsoft Network Monitor 2"),
        (b"RTSS\1\1\1\0", "Microsoft Network Monitor 1"),
        (b"snoop\0\0\0\0\0\0\2\0\0\0\4", "snoop"),
        (b"PK\x03\x04\x14\0\0\0", "ZIP"),
        (b"%PDF-1.7\n", "PDF"),
        (gzip.compress(pcap_header(), mtime=0), "compressed twice"),
        (b"\x28\xb5\x2f\xfd\x04\x58", "compressed twice"),
        (b"\r\n\r\r\r\n\x1c\0\0\0", "text-mode transfer"),
        (b"\n\r\n\x1c\0\0\0", "text-mode transfer"),
        (b"  \r\n<!DOCTYPE html><html>", "HTML"),
        (b"\xef\xbb\xbf<HTML><body>", "HTML"),
        (b'<?xml version="1.0"?>', "XML"),
        (b'[{"_index": "packets"}]', "JSON"),
        (b"[\n  {\n", "JSON"),
        (b"INVITE sip:a@example.com SIP/2.0\r\n", "SIP messages as text without their times"),
        (b"\nSIP/2.0 200 OK\r\nVia: a\r\n", "SIP messages as text without their times"),
        (b"=" * 67 + b"\nFollow: tcp,ascii\nFilter: tcp.stream eq 0\n", "a stream followed"),
        (b"Frame 1: 827 bytes on wire (6616 bits), 827 bytes captured", "packets written out"),
        (b"No.     Time           Source                Destination", "packets written out"),
        (b"    1   0.000000    127.0.0.1 \xe2\x86\x92 127.0.0.1    SIP 827", "packets written out"),
        (b"06:08:26.540358 IP 127.0.0.1.58088 > 127.0.0.1.5060: ", "packets written out"),
        (b"000000 d4 c3 b2 a1 02 00 04 00\n000008", "a hex dump"),
        (b"00000000: d4c3 b2a1 0200 0400 0000\n", "a hex dump"),
        (b"0000000 c3d4 a1b2 0002 0004 0000\n", "a hex dump"),
        (b"d4c3b2a1" * 40, "a hex dump"),
        (b"1MOyoQIABAAAAAAAAAAAAAAABAABAAAA" * 16, "base64"),
        (b"From: a@b\nTo: c@d\nSubject: x\nMIME-Version: 1.0\n\n", "a mail"),
        (b"a.pcap".ljust(257, b"\0") + b"ustar\x0000", "a tar archive"),
        (bytes.fromhex("00000100") + bytes(68) + b"\2\0\2\xc0" + bytes(40), "event trace log"),
        ("Grüße aus der Datei".encode(), "plain text"),
        (b"ab", "plain text"),
        (bytes(100), "begins with zeros"),
        (bytes.fromhex("00000000 f0d7d565 01 00 0040 0000 0030 0000"), "ERF"),
        (b"\x01\x02\x03\x04\x05\x06\x07\x08\x09", "begins with 01 02 03 04 05 06 07 08"),
        (b"\x01\x02", "begins with 01 02"),
        (b"\xe4\xf6\xfc\xdf" * 8, "begins with e4 f6 fc df"),
    ],
)
def test_an_unknown_file_is_called_what_it_seems_to_be(head: bytes, words: str) -> None:
    assert words in reason(head)


@pytest.mark.parametrize(("magic", "name"), [(magic, name) for magic, name, _ in OTHER_FORMATS])
def test_every_known_prefix_is_reached(magic: bytes, name: str) -> None:
    assert name in reason(magic + bytes(range(128, 160)))


@given(st.binary(max_size=HEAD_LENGTH + 50))
def test_any_bytes_get_a_reader_or_one_line(head: bytes) -> None:
    found = reader_for(head)
    if isinstance(found, Malformed):
        assert head[:4] not in READERS
        assert found.reason.isprintable()
    else:
        assert head[:4] in READERS
