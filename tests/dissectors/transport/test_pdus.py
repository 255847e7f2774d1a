"""Exported PDUs: what their tags say becomes a message, a segment or a packet."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.capture.pdu_writer import pdu
from dissectors.model import ACK, FIN, PSH, Datagram, Malformed, Segment
from dissectors.transport.decoder import FrameDecoder
from dissectors.transport.pdus import MAX_HELD, MAX_TAGS, read_pdu
from tests.support.exported import exported, flow_key, upper
from tests.support.packets import Tcp, Udp, frames
from tests.support.sip_texts import message, response

if TYPE_CHECKING:
    from dissectors.transport.layers import Item

ONE, TWO = message(1, b"<xccos/>"), response(2)
KEY = flow_key("10.0.0.1:50000", "10.0.0.2:5061")
KEY_6 = flow_key("[2001:db8::1]:50000", "[2001:db8::2]:5061")
PORTS = [(25, struct.pack("!I", 50000)), (26, struct.pack("!I", 5061))]
HOSTS = [(20, KEY[:4]), (21, KEY[4:8])]
TCP, UDP = (24, struct.pack("!I", 2)), (24, struct.pack("!I", 3))


def decode(*datas: bytes) -> tuple[list[Item], dict[str, int]]:
    decoder = FrameDecoder()
    found = decoder.feed(upper(datas))
    return found + decoder.close(), dict(decoder.ignored)


def one(data: bytes) -> Item:
    (item,), ignored = decode(data)
    assert ignored == {}
    return item


@pytest.mark.parametrize("key", [KEY, KEY_6])
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_what_is_written_is_read(key: bytes, transport: str) -> None:
    data = pdu(ONE, key, transport, frame=77)
    found = one(data)
    assert isinstance(found, Datagram)
    assert (found.key, found.transport, found.whole) == (key, transport, True)
    assert (found.payload, found.offset, found.missing) == (ONE, len(data) - len(ONE), 0)


@pytest.mark.parametrize(
    ("key", "transport"), [(bytes(11), "tcp"), (bytes(0), "tcp"), (KEY, "sctp")]
)
def test_what_no_pdu_can_say_is_not_written(key: bytes, transport: str) -> None:
    with pytest.raises(ValueError, match=r"key|transport"):
        pdu(ONE, key, transport)


@pytest.mark.parametrize("name", [b"sip", b"sip\0\0\0\0\0", b"sip_udp"])
@pytest.mark.parametrize("tag", [12, 13])
def test_a_message_is_named_by_its_dissector_or_its_heuristic(tag: int, name: bytes) -> None:
    found = one(exported([(tag, name), *HOSTS, UDP, *PORTS], TWO))
    assert isinstance(found, Datagram)
    assert (found.key, found.transport, found.payload) == (KEY, "udp", TWO)


def test_without_addresses_they_are_zero() -> None:
    found = one(exported([(12, b"sip")], ONE))
    assert isinstance(found, Datagram)
    assert (found.key, found.transport) == (bytes(12), "udp")


def test_one_address_alone_leaves_the_other_zero() -> None:
    found = one(exported([(12, b"sip"), (23, KEY_6[16:32])], ONE))
    assert isinstance(found, Datagram)
    assert found.key == bytes(16) + KEY_6[16:32] + bytes(4)


def test_an_address_of_another_length_is_none() -> None:
    found = one(exported([(12, b"sip"), (20, bytes(8)), (21, KEY[4:8])], ONE))
    assert isinstance(found, Datagram)
    assert found.key == bytes(4) + KEY[4:8] + bytes(4)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"http", "http exported PDU"),
        (b"\x1b[2J", "\\x1b[2J exported PDU"),
        (b"", "without a name exported PDU"),
        (b"x" * 100, "x" * 32 + " exported PDU"),
    ],
)
def test_other_protocols_are_counted_by_name(name: bytes, shown: str) -> None:
    assert decode(exported([(12, name), *HOSTS], b"GET / HTTP/1.1")) == ([], {shown: 1})


@pytest.mark.parametrize("name", [b"eth", b"eth_withoutfcs", b"eth_maybefcs"])
def test_a_packet_is_decoded(name: bytes) -> None:
    (frame,) = frames([Tcp("10.0.0.1:50000", "10.0.0.2:5061", 7, ACK, ONE)])
    found = one(exported([(12, name)], frame.data))
    assert isinstance(found, Segment)
    assert (found.key, found.seq, found.payload) == (KEY, 7, ONE)


@pytest.mark.parametrize("name", [b"ip", b"ipv4"])
def test_a_packet_of_ip_is_decoded(name: bytes) -> None:
    (frame,) = frames([Udp("10.0.0.1:50000", "10.0.0.2:5061", ONE)])
    found = one(exported([(12, name)], frame.data[14:]))
    assert isinstance(found, Datagram)
    assert (found.key, found.transport, found.payload) == (KEY, "udp", ONE)


def info(seq: int, flags: int, *, version: int = 1) -> tuple[int, bytes]:
    """Return EXP_PDU_TAG_TCP_INFO_DATA, as tshark 4.0 writes it of layer 4."""
    return 34, struct.pack("!HIIIBHH", version, seq, seq + 1, 9, 0, flags, 0)


def test_the_payload_of_a_segment_has_its_place_in_the_stream() -> None:
    tags = [(14, b"tcp.port"), *HOSTS, TCP, *PORTS, (32, bytes(4)), info(1000, FIN | ACK | 2)]
    found = one(exported(tags, ONE[:50]))
    assert isinstance(found, Segment)
    assert (found.key, found.seq, found.ack, found.flags) == (KEY, 1000, 9, FIN | ACK)
    assert (found.payload, found.missing) == (ONE[:50], 0)


@pytest.mark.parametrize("more", [[], [info(5, PSH, version=2)], [(34, b"\0\1")]])
def test_without_a_place_it_is_a_piece(more: list[tuple[int, bytes]]) -> None:
    found = one(exported([(14, b"tcp.port"), *HOSTS, *PORTS, *more], ONE[:50]))
    assert isinstance(found, Datagram)
    assert (found.transport, found.whole) == ("tcp", False)


def test_the_payload_of_a_datagram() -> None:
    found = one(exported([(14, b"udp.port"), *HOSTS, UDP, *PORTS], ONE))
    assert isinstance(found, Datagram)
    assert (found.transport, found.whole, found.key) == ("udp", True, KEY)


# SIP over TLS, which is exported twice


def record(payload: bytes, key: bytes = KEY) -> bytes:
    return pdu(payload, key, "tcp", protocol="sip.tcp")


def test_a_record_is_left_out_where_its_messages_follow_and_they_are_tls() -> None:
    found, ignored = decode(
        record(ONE + TWO), pdu(ONE, KEY, "tcp"), pdu(TWO, KEY, "tcp"), record(ONE), record(ONE[:9])
    )
    assert [item[:1] + item[4:5] + item[9:10] for item in found if isinstance(item, Datagram)] == [
        (2, ONE, "tls"),
        (3, TWO, "tls"),
    ]
    assert len(found) == 2
    assert ignored == {"sip.tcp exported PDU, repeated as sip": 3}


def test_another_connection_is_not_called_tls() -> None:
    other = flow_key("10.0.0.9:50000", "10.0.0.2:5060")
    found, _ = decode(record(ONE), pdu(ONE, KEY, "tcp"), pdu(ONE, other, "tcp"))
    assert [item.transport for item in found if isinstance(item, Datagram)] == ["tls", "tcp"]


@pytest.mark.parametrize("count", [1, MAX_HELD, MAX_HELD + 1, 3 * MAX_HELD])
def test_records_that_nothing_repeats_are_the_stream(count: int) -> None:
    found, ignored = decode(*[record(ONE)] * count)
    assert [item.frame for item in found if not isinstance(item, Malformed)] == [
        *range(1, count + 1)
    ]
    assert {item.whole for item in found if isinstance(item, Datagram)} == {False}
    assert ignored == {}


# damage


def test_a_frame_that_ends_inside_its_tags_is_malformed_at_every_length() -> None:
    data = pdu(b"", KEY, "tcp")
    for length in range(len(data)):
        (found,), _ = decode(data[:length])
        assert found == Malformed("link", "ends inside a header", 1, raw=data[:length])


def test_more_tags_than_there_are() -> None:
    assert read_pdu(exported([(12, b"sip")] * MAX_TAGS, ONE)) == (
        "more tags than an exported PDU has"
    )


def test_what_the_snap_length_cut_is_missing() -> None:
    data = pdu(ONE, KEY, "tcp")
    (frame,) = upper([data[:-10]])
    decoder = FrameDecoder()
    (found,) = decoder.feed([frame._replace(wire_length=len(data))])
    assert isinstance(found, Datagram)
    assert (found.payload, found.missing) == (ONE[:-10], 10)


@given(st.lists(st.tuples(st.integers(0, 40), st.binary(max_size=20)), max_size=20), st.binary())
def test_any_tags_give_values(tags: list[tuple[int, bytes]], payload: bytes) -> None:
    for item in decode(exported(tags, payload), pdu(ONE, KEY, "tcp"))[0]:
        assert isinstance(item, Datagram | Malformed | Segment)
        if not isinstance(item, Malformed):
            assert len(item.key) in (12, 36)


@given(st.data())
def test_any_bytes_give_values(draw: st.DataObject) -> None:
    data = bytearray(pdu(ONE, KEY, "tls", frame=3))
    for _ in range(draw.draw(st.integers(1, 5))):
        data[draw.draw(st.integers(0, 90))] = draw.draw(st.integers(0, 255))
    for item in decode(bytes(data))[0]:
        assert isinstance(item, Datagram | Malformed | Segment)
