"""[MS-SIPCOMP] packets: the header is found out, what is proved is given, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dissectors.model import Malformed
from dissectors.sip import compression_track
from dissectors.sip.compression import Decompressor, Packet
from tests.support.sipcomp import AT_FRONT, COMPRESSED, FLUSHED, Compressor, Header


def info(number: int, body: bytes = b"") -> bytes:
    """Return a message."""
    head = (
        "INFO sip:ann@example.com SIP/2.0\r\nVia: SIP/2.0/TLS 10.0.0.1;branch=z9hG4bK1\r\n"
        "From: <sip:bob@example.com>;tag=1\r\nTo: <sip:ann@example.com>;tag=2\r\n"
        f"Call-ID: one\r\nCSeq: {number} INFO\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


TALK = [info(number, b"<xccos>\xc3\xa9 %d</xccos>" % number * (number % 5)) for number in range(12)]
BROKEN = "a packet is damaged, or holds something else than SIP"
HEADERS = {
    "flags, and lengths of payload and text": Header(6, 4, 2),
    "flags, and the length of the payload": Header(4, None, 2),
    "flags, and the length of the text": Header(6, 4, None),
    "flags and twelve bits, as RFC 2118 has a header": Header(2, None, 0),
    "the length of the packet": Header(5, None, 1, width=4, whole=True),
    "four bytes each, the least significant first": Header(10, 6, 2, width=4, order="little"),
    "the flags in the low bits": Header(6, 2, 4, low=True),
}
every_header = pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)


def unpacked(wire: bytes, size: int, scheme: str = "LZ77-8K") -> list[Packet | Malformed]:
    """Return what comes out of bytes that are fed ``size`` at a time."""
    decompressor = Decompressor(scheme)
    found: list[Packet | Malformed] = []
    for at in range(0, len(wire), size):
        found += decompressor.feed(wire[at : at + size])
    return found + decompressor.close()


def plain(found: list[Packet | Malformed]) -> bytes:
    """Return the plain bytes."""
    return b"".join(one.data for one in found if isinstance(one, Packet))


def reasons(found: list[Packet | Malformed]) -> list[str]:
    """Return what is said of the rest."""
    return [one.reason for one in found if isinstance(one, Malformed)]


@every_header
@pytest.mark.parametrize("size", [1, 17, 1460, 1 << 20])
def test_messages_come_out_however_the_header_is_laid_out(header: Header, size: int) -> None:
    sender = Compressor(header=header)
    sent = [sender.send(message) for message in TALK]
    found = unpacked(b"".join(sent), size)
    assert [one.data for one in found if isinstance(one, Packet)] == TALK
    ends = [sum(map(len, sent[: at + 1])) for at in range(len(sent))]
    assert [one.end for one in found if isinstance(one, Packet)] == ends


@pytest.mark.parametrize(("scheme", "size"), [("LZ77-8K", 8192), ("lz77-64k", 65536)])
def test_a_message_larger_than_the_history_is_several_packets(scheme: str, size: int) -> None:
    sender = Compressor(size)
    long = info(1, bytes(range(256)) * 700)
    wire = sender.send(TALK[3]) + sender.send(long) + sender.send(TALK[4])
    found = unpacked(wire, 1000, scheme)
    assert plain(found) == TALK[3] + long + TALK[4]
    assert len(found) > 20 if size == 8192 else 4
    assert reasons(found) == []


@every_header
def test_packets_that_are_sent_as_they_are_stand_between_others(header: Header) -> None:
    sender = Compressor(header=header)
    wire = sender.raw(TALK[0]) + sender.raw(TALK[1], flags=0) + sender.send(TALK[2])
    wire += sender.raw(TALK[3]) + sender.send(TALK[4])
    assert plain(unpacked(wire, 100)) == b"".join(TALK[:5])


def test_an_empty_line_between_messages_is_a_sign_of_life() -> None:
    sender = Compressor()
    wire = sender.send(TALK[0]) + sender.raw(b"\r\n\r\n") + sender.send(TALK[1])
    assert plain(unpacked(wire, 9)) == TALK[0] + b"\r\n\r\n" + TALK[1]


def test_several_messages_may_share_a_packet() -> None:
    sender = Compressor()
    wire = sender.send(TALK[0] + TALK[1]) + sender.send(TALK[2])
    assert plain(unpacked(wire, 50)) == b"".join(TALK[:3])


def test_a_packet_that_is_cut_is_left_out_and_the_rest_is_there() -> None:
    sender = Compressor()
    first = sender.send(TALK[0]) + sender.send(TALK[1])
    last = sender.send(TALK[2])
    decompressor = Decompressor("LZ77-8K")
    found = decompressor.feed(first + last[:-1]) + decompressor.close()
    assert plain(found) == TALK[0] + TALK[1]
    assert reasons(found) == []
    assert (decompressor.read, decompressor.fed) == (len(first), len(first + last) - 1)


# Nothing is given that is not proved


@pytest.mark.parametrize("size", [1, 64, 1 << 20])
def test_a_damaged_packet_ends_the_direction_with_its_reason(size: int) -> None:
    sender = Compressor()
    whole = b"".join(sender.send(message) for message in TALK[:3])
    bad = sender.header.write(COMPRESSED, 900, 300) + b"\xff" * 300
    rest = sender.send(TALK[3])
    found = unpacked(whole + bad + rest, size)
    assert plain(found) == b"".join(TALK[:3])
    assert [type(one) for one in found[3:]] == [Malformed]
    assert reasons(found) == [BROKEN]


def test_flags_that_contradict_each_other_end_the_direction() -> None:
    """[MS-SIPCOMP] 3.2.5.2: the receiver tears the connection down."""
    sender = Compressor()
    wire = sender.send(TALK[0]) + sender.header.write(FLUSHED | COMPRESSED, 9, 9) + b"x" * 9
    found = unpacked(wire, 1 << 20)
    assert plain(found) == TALK[0]
    assert reasons(found) == [BROKEN]


def test_text_that_is_no_sip_is_not_given() -> None:
    sender = Compressor()
    wire = sender.send(TALK[0]) + sender.send(b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n" * 3)
    found = unpacked(wire, 1 << 20)
    assert plain(found) == TALK[0]
    assert reasons(found) == [BROKEN]


def test_a_message_that_does_not_end_with_a_packet_proves_nothing() -> None:
    sender = Compressor()
    wire = sender.send(info(1).replace(b"Content-Length: 0", b"Content-Length: 100"))
    assert plain(unpacked(wire, 1 << 20)) == b""
    assert reasons(unpacked(wire, 1 << 20)) == ["no packet header that was tried fits the messages"]


def test_what_does_not_begin_with_a_message_is_refused() -> None:
    found = unpacked(bytes(range(256)) * 4, 100)
    assert reasons(found) == ["no SIP message begins behind a header of 2 to 12 bytes"]


def test_a_compression_that_nobody_described_is_refused() -> None:
    found = unpacked(Compressor().send(TALK[0]), 100, "LZ77-1M")
    assert reasons(found) == ["it is not known how this compression works"]


def test_nothing_in_gives_nothing_out() -> None:
    assert unpacked(b"", 1) == []


# Limits


def test_a_direction_that_is_never_proved_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression_track, "MAX_HELD", 5000)
    sender = Compressor()
    endless = info(1).replace(b"Content-Length: 0", b"Content-Length: 99999999")
    wire = sender.send(endless) + b"".join(sender.raw(bytes(60_000)) for _ in range(3))
    decompressor = Decompressor("LZ77-8K")
    found = [
        one for at in range(0, len(wire), 1000) for one in decompressor.feed(wire[at : at + 1000])
    ]
    assert plain(found) == b""
    assert reasons(found) == ["no packet header that was tried fits the messages"]
    assert decompressor.stopped


def test_a_small_direction_does_not_become_a_large_one() -> None:
    sender = Compressor(65536)
    bits = sender.literal(0) + sender.offset(1) + sender.length(59_999)
    payload = int(bits.ljust(-len(bits) % 8 + len(bits), "0"), 2).to_bytes((len(bits) + 7) // 8)
    bomb = sender.header.write(COMPRESSED | AT_FRONT, 60_000, len(payload)) + payload
    head = info(2).replace(b"Content-Length: 0", b"Content-Length: 6000000")
    found = unpacked(sender.send(TALK[0]) + sender.send(head) + 100 * bomb, 1460, "LZ77-64K")
    assert plain(found) == TALK[0]
    assert reasons(found) == ["they grow more than 64 times"]


# Whatever comes


@given(
    st.binary(min_size=1, max_size=8),
    st.integers(0, 4000),
    st.integers(1, 700),
    st.sampled_from([*HEADERS.values()]),
)
@example(b"\xff", 1, 1, Header())
def test_damage_gives_messages_that_were_sent_or_a_reason(
    damage: bytes, at: int, size: int, header: Header
) -> None:
    sender = Compressor(header=header)
    wire = bytearray(b"".join(map(sender.send, TALK)))
    at %= len(wire)
    wire[at : at + len(damage)] = damage
    found = unpacked(bytes(wire), size)
    packets = [one for one in found if isinstance(one, Packet)]
    assert [one.end for one in packets] == sorted({one.end for one in packets})
    assert all(one.end <= len(wire) for one in packets)
    # How the bytes were cut does not matter.
    assert (plain(found), reasons(found)) == (
        plain(whole := unpacked(bytes(wire), 1 << 20)),
        reasons(whole),
    )


@given(st.binary(max_size=600), st.sampled_from([b"", b"\x60\x01\x00\x20", b"\x80" + bytes(5)]))
def test_random_bytes_never_become_messages(data: bytes, head: bytes) -> None:
    assert plain(unpacked(head + data, 100)) == b""


@given(st.binary(max_size=300))
def test_what_only_looks_like_a_message_never_becomes_one(data: bytes) -> None:
    assert plain(unpacked(b"\x60\x00\x00\x50\x01\x00REGISTER sip:" + data, 100)) == b""
