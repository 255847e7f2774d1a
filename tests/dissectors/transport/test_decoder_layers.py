"""TCP and UDP headers, what a snap length cuts, and the bounds on what is reported."""

from __future__ import annotations

import pytest

from dissectors.model import Datagram, Malformed, Segment
from dissectors.transport.decoder import FrameDecoder
from dissectors.transport.layers import MAX_MALFORMED, MAX_RAW, MAX_REASONS
from tests.dissectors.transport.packets import (
    FILE_OFFSET,
    KEY,
    PAYLOAD,
    decode,
    ethernet,
    frame,
    ipv4,
    ipv6,
    tcp,
    udp,
)

pytestmark = pytest.mark.usefixtures("each_path")


def _tcp(packet: bytes, **fields: int | bytes) -> bytes:
    return ethernet(ipv4(packet, 6, **fields))


def test_a_segment_has_the_fields_of_its_header() -> None:
    (found,) = decode(_tcp(tcp(options=b"\x01" * 8)))
    at = FILE_OFFSET + 14 + 20 + 28
    assert found == Segment(1, 10**6, 6, KEY, 7, 9, 0x18, PAYLOAD, at, 0)


@pytest.mark.parametrize(
    ("data", "layer", "reason"),
    [
        (_tcp(tcp()[:19]), "tcp", "shorter than a TCP header"),
        (_tcp(tcp(words=4)), "tcp", "TCP data offset below 5"),
        (_tcp(tcp(b"", words=15)), "tcp", "TCP data offset beyond the segment"),
        (ethernet(ipv4(b"1234567")), "udp", "shorter than a UDP header"),
        (ethernet(ipv4(udp(length=7))), "udp", "UDP length below 8"),
    ],
)
def test_damage_is_told_by_layer_and_reason(data: bytes, layer: str, reason: str) -> None:
    assert decode(data) == [Malformed(layer, reason, 1, raw=data[34:])]


@pytest.mark.parametrize("length", [0, 9999])
def test_a_udp_length_that_cannot_be_gives_way_to_that_of_ip(length: int) -> None:
    (found,) = decode(ethernet(ipv4(udp(length=length))) + b"padding")
    assert isinstance(found, Datagram)
    assert (found.payload, found.missing) == (PAYLOAD, 0)


def test_bytes_behind_the_udp_length_are_no_payload() -> None:
    (found,) = decode(ethernet(ipv4(udp(length=12))))
    assert isinstance(found, Datagram)
    assert found.payload == PAYLOAD[:4]


@pytest.mark.parametrize("data", [_tcp(tcp()), ethernet(ipv6(tcp(), 6), 0x86DD)])
def test_what_the_snap_length_cut_is_missing(data: bytes) -> None:
    head = len(data) - len(PAYLOAD)
    decoder = FrameDecoder()
    for size in range(head, len(data)):
        (found,) = decoder.feed([frame(data[:size], wire=len(data))])
        assert isinstance(found, Segment)
        assert found.payload == data[head:size]
        assert found.missing == len(data) - size
    assert decoder.cut_frames == len(PAYLOAD)


def test_a_frame_cut_before_its_payload_is_counted_only() -> None:
    data = _tcp(tcp())
    decoder = FrameDecoder()
    assert decoder.feed([frame(data[:size], wire=len(data)) for size in range(54)]) == []
    assert decoder.cut_frames == 54
    assert decoder.malformed == {}
    data = ethernet(ipv4())
    assert decoder.feed([frame(data[:size], wire=len(data)) for size in range(42)]) == []
    assert decoder.malformed == {}


def test_a_segment_cut_inside_its_options_tells_how_much_is_missing() -> None:
    data = _tcp(tcp(options=b"\x01" * 8))
    (found,) = decode(data[: 34 + 24], wire=len(data))
    assert isinstance(found, Segment)
    assert (found.payload, found.missing) == (b"", len(PAYLOAD))


def test_padding_that_was_cut_is_not_missing() -> None:
    data = ethernet(ipv4(udp(b"x")))
    (found,) = decode(data, wire=64)
    assert isinstance(found, Datagram)
    assert (found.payload, found.missing) == (b"x", 0)


def test_a_wire_length_below_the_captured_one_is_not_believed() -> None:
    (found,) = decode(_tcp(tcp()), wire=0)
    assert isinstance(found, Segment)
    assert (found.payload, found.missing) == (PAYLOAD, 0)


def test_of_one_kind_of_damage_only_so_much_is_reported_and_all_is_counted() -> None:
    decoder = FrameDecoder()
    bad = [frame(_tcp(tcp(bytes(1000), words=4)), number=n) for n in range(3 * MAX_MALFORMED)]
    found = decoder.feed(bad)
    assert len(found) == MAX_MALFORMED
    assert {len(item.raw) for item in found if isinstance(item, Malformed)} == {MAX_RAW}
    assert decoder.malformed == {("tcp", "TCP data offset below 5"): 3 * MAX_MALFORMED}
    assert len(decoder.feed([frame(ethernet(ipv4(udp(length=1))))])) == 1


def test_the_names_of_what_is_ignored_are_bounded() -> None:
    decoder = FrameDecoder()
    decoder.feed([frame(ethernet(bytes(46), 0x4000 + n)) for n in range(1000)])
    assert len(decoder.ignored) == MAX_REASONS + 1
    assert sum(decoder.ignored.values()) == 1000
    assert decoder.ignored["other"] == 1000 - MAX_REASONS
