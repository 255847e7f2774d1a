"""HEP: what an agent saw, with the addresses, the transport and the time of what it saw."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.sources.hep import packet
from dissectors.model import Datagram, Frame, Malformed, Segment
from dissectors.transport.decoder import FrameDecoder
from dissectors.transport.hep import MAX_CHUNKS, Hep, read_hep
from tests.support.exported import flow_key
from tests.support.packets import Udp, frames
from tests.support.sip_texts import message

if TYPE_CHECKING:
    from dissectors.transport.layers import Item

ONE = message(1, b"<xccos/>")
AGENT, COLLECTOR = "10.9.9.1:40000", "10.9.9.2:9060"
KEY = flow_key("10.0.0.1:50000", "10.0.0.2:5061")
KEY_6 = flow_key("[2001:db8::1]:50000", "[2001:db8::2]:5061")
SEEN_NS = 1_600_000_000_123_456_000

# In the shape of the example in the HEP3 specification: 113 bytes; IPv4, UDP, port 12010 to 5060,
# agent 228. The addresses, the time and the payload are ours.
EXAMPLE = bytes.fromhex(
    "48455033 0071"
    "0000 0001 0007 02"
    "0000 0002 0007 11"
    "0000 0003 000a c0000201"
    "0000 0004 000a c6336407"
    "0000 0007 0008 2eea"
    "0000 0008 0008 13c4"
    "0000 0009 000a 5f5e1000"
    "0000 000a 000a 0001e240"
    "0000 000b 0007 01"
    "0000 000c 000a 000000e4"
    "0000 000f 0014 494e56495445207369703a626f62"
)


def chunk(kind: int, value: bytes, vendor: int = 0) -> bytes:
    return struct.pack("!HHH", vendor, kind, 6 + len(value)) + value


def hep3(*chunks: bytes, total: int | None = None) -> bytes:
    body = b"".join(chunks)
    return b"HEP3" + struct.pack("!H", 6 + len(body) if total is None else total) + body


def old(version: int, payload: bytes, *, length: int | None = None) -> bytes:
    time = struct.pack("<IIHxx", 1_600_000_000, 123_456, 7) if version == 2 else b""
    head = struct.pack("!BBBB", version, 16 if length is None else length, 2, 17)
    return head + KEY[8:] + KEY[:8] + time + payload


def decode(payload: bytes) -> tuple[list[Item], dict[str, int]]:
    decoder = FrameDecoder()
    found = decoder.feed(frames([Udp(AGENT, COLLECTOR, payload)]))
    return found + decoder.close(), dict(decoder.ignored)


def one(payload: bytes) -> Datagram:
    (item,), ignored = decode(payload)
    assert isinstance(item, Datagram)
    assert ignored == {}
    return item


def test_a_packet_as_the_specification_shows_it() -> None:
    assert len(EXAMPLE) == 113
    found = read_hep(EXAMPLE)
    assert isinstance(found, Hep)
    assert found.key == flow_key("192.0.2.1:12010", "198.51.100.7:5060")
    assert (found.transport, found.other, found.compressed) == ("udp", "", False)
    assert found.time_ns == 1_600_000_000_123_456_000
    assert EXAMPLE[found.start : found.end] == b"INVITE sip:bob"


@pytest.mark.parametrize("key", [KEY, KEY_6])
@pytest.mark.parametrize(
    ("transport", "read_as", "whole"),
    [("udp", "udp", True), ("tcp", "tcp", False), ("tls", "tcp", False)],
)
def test_what_is_sent_is_read(key: bytes, transport: str, read_as: str, whole: bool) -> None:
    data = packet(ONE, key, transport, SEEN_NS)
    found = one(data)
    assert (found.key, found.transport, found.whole) == (key, read_as, whole)
    assert (found.payload, found.missing) == (ONE, 0)
    assert (found.time_ns, found.digits) == (SEEN_NS, 6)
    # Behind Ethernet, IPv4 and UDP
    assert found.offset == 42 + data.index(ONE)


def test_a_packet_too_large_is_not_sent() -> None:
    with pytest.raises(ValueError, match="room for 65535"):
        packet(bytes(65_500), KEY, "udp", 0)


def test_without_a_time_it_is_that_of_the_frame() -> None:
    found = one(hep3(chunk(3, KEY[:4]), chunk(15, ONE)))
    assert found.time_ns == frames([Udp(AGENT, COLLECTOR, b"")])[0].time_ns
    assert found.key == KEY[:4] + bytes(8)


def test_a_second_has_a_million_microseconds() -> None:
    found = one(hep3(chunk(9, struct.pack("!I", 5)), chunk(10, b"\xff" * 4), chunk(15, ONE)))
    assert found.time_ns == 5 * 10**9


def test_chunks_of_others_and_of_unknown_types_are_passed_over() -> None:
    found = one(
        hep3(
            chunk(3, bytes(4), vendor=9), chunk(200, b"?"), chunk(3, b"short"), chunk(3, KEY[:4]),
            chunk(15, ONE), chunk(14, b"secret"),
        )
    )  # fmt: skip
    assert (found.key[:4], found.payload) == (KEY[:4], ONE)


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (hep3(chunk(11, b"\x05"), chunk(15, b"{}")), "HEP RTCP"),
        (hep3(chunk(11, b"\x64"), chunk(15, b"text")), "HEP log"),
        (hep3(chunk(11, b"\x90"), chunk(15, b"text")), "HEP protocol 144"),
        (hep3(chunk(11, b"\x01")), "HEP packet without a payload"),
        (hep3(), "HEP packet without a payload"),
    ],
)
def test_what_is_not_sip_is_counted_by_name(payload: bytes, shown: str) -> None:
    assert decode(payload) == ([], {shown: 1})


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (hep3(total=5), "HEP total length below that of its head"),
        (hep3(chunk(15, ONE), total=20), "HEP chunk length beyond its packet"),
        (hep3(struct.pack("!HHH", 0, 15, 5)), "HEP chunk length beyond its packet"),
        (hep3(chunk(15, ONE))[:-1], "HEP total length beyond its datagram"),
        (hep3(chunk(3, KEY[:4]), total=30), "ends inside a header"),
        (b"HEP3", "ends inside a header"),
        (hep3(*[chunk(99, b"")] * (MAX_CHUNKS + 1)), "more chunks than a HEP packet has"),
    ],
)
def test_a_damaged_packet_is_malformed(payload: bytes, reason: str) -> None:
    (found,), ignored = decode(payload)
    assert isinstance(found, Malformed)
    assert (found.layer, found.reason, found.frame) == ("udp", reason, 1)
    assert ignored == {}


def test_bytes_behind_a_packet_are_passed_over() -> None:
    assert one(hep3(chunk(15, ONE)) + b"more").payload == ONE


def test_what_the_snap_length_cut_is_missing() -> None:
    (frame,) = frames([Udp(AGENT, COLLECTOR, packet(ONE, KEY, "tcp", SEEN_NS))])
    (found,) = FrameDecoder().feed([frame._replace(data=frame.data[:-10])])
    assert isinstance(found, Datagram)
    assert (found.payload, found.missing) == (ONE[:-10], 10)


@pytest.mark.parametrize(("version", "time_ns"), [(1, None), (2, SEEN_NS)])
def test_the_versions_before(version: int, time_ns: int | None) -> None:
    found = one(old(version, ONE))
    assert (found.key, found.transport, found.payload) == (KEY, "udp", ONE)
    assert (found.digits, found.time_ns) == (6, time_ns or found.time_ns)


@pytest.mark.parametrize(
    "payload",
    [
        b"\x02", b"\x01" + bytes(40), old(1, b"INVITE nothing"), old(2, ONE, length=17),
        b"HEP2" + ONE, b"", b"H", ONE,
    ],
)  # fmt: skip
def test_what_only_looks_like_it_is_a_datagram(payload: bytes) -> None:
    found = one(payload)
    assert (found.payload, found.key) == (payload, flow_key(AGENT, COLLECTOR))


def test_the_times_inside_are_known() -> None:
    decoder = FrameDecoder()
    assert decoder.times is None
    seen = [SEEN_NS + 5_000, SEEN_NS, SEEN_NS + 9_000]
    decoder.feed(frames([Udp(AGENT, COLLECTOR, packet(ONE, KEY, "udp", time)) for time in seen]))
    assert decoder.times == (SEEN_NS, SEEN_NS + 9_000)


def mutated(draw: st.DataObject, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 6))):
        changed[draw.draw(st.integers(0, len(changed) - 1))] = draw.draw(st.integers(0, 255))
    return bytes(changed[: draw.draw(st.integers(0, len(changed)))])


@given(st.data(), st.sampled_from([EXAMPLE, old(1, ONE), old(2, ONE)]))
def test_any_bytes_give_values(draw: st.DataObject, data: bytes) -> None:
    for item in decode(mutated(draw, data))[0]:
        assert isinstance(item, Datagram | Malformed | Segment)


@given(st.lists(st.tuples(st.integers(0, 20), st.binary(max_size=20)), max_size=12))
def test_any_chunks_give_values(chunks: list[tuple[int, bytes]]) -> None:
    data = hep3(*[chunk(kind, value) for kind, value in chunks], chunk(15, ONE))
    (frame,) = frames([Udp(AGENT, COLLECTOR, data)])
    assert isinstance(frame, Frame)
    for item in decode(data)[0]:
        assert isinstance(item, Datagram)
        assert len(item.key) in (12, 36)
        assert item.payload == next((v for k, v in chunks if k == 15), ONE)
