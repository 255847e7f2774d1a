"""The fast path against the readable one, and both against hostile bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.model import Datagram, Frame, Piece, Segment
from dissectors.transport.decoder import FrameDecoder, plain
from dissectors.transport.layers import Layers
from dissectors.transport.link import LINKS
from tests.dissectors.transport.encapsulations import ETHERNET, EVERY
from tests.dissectors.transport.packets import (
    KEY,
    PAYLOAD,
    ethernet,
    fragment_header,
    frame,
    ipv4,
    ipv6,
    tcp,
    udp,
)
from tests.dissectors.transport.wireshark import frames_of
from tests.paths import require_shared

pytestmark = pytest.mark.usefixtures("each_path")


DIRECT = {
    "tcp": (1, ethernet(ipv4(tcp(), 6))),
    "tcp options": (1, ethernet(ipv4(tcp(options=b"\x01" * 12), 6))),
    "tcp empty": (1, ethernet(ipv4(tcp(b""), 6)) + bytes(6)),
    "tcp data offset": (1, ethernet(ipv4(tcp(b"x", words=15), 6))),
    "tcp ipv6": (1, ethernet(ipv6(tcp(), 6), 0x86DD)),
    "tcp VLAN": (1, ethernet(ipv4(tcp(), 6), 0x0800, 0x8100)),
    "tcp VLAN ipv6": (1, ethernet(ipv6(tcp(), 6), 0x86DD, 0x8100)),
    "tcp data offset ipv6": (1, ethernet(ipv6(tcp(b"x", words=15), 6), 0x86DD)),
    "unknown link type": (160, ethernet(ipv4(tcp(), 6))),
    "tcp RAW": (101, ipv4(tcp(), 6)),
    "tcp SLL2": (276, b"\x08\0" + bytes(18) + ipv4(tcp(), 6)),
    "udp length": (1, ethernet(ipv4(udp(length=12)))),
    "fragment": (1, ethernet(ipv4(_flags_offset=0x2000))),
    "fragment ipv6": (1, ethernet(ipv6(fragment_header(17, 0, more=True) + udp(), 44), 0x86DD)),
    **EVERY,
}


def _items(decoder: FrameDecoder, frames: list[Frame]) -> list[object]:
    return [*decoder.feed(frames), *decoder.close()]


def _assert_payload_lies_there(frames: list[Frame], items: list[object]) -> None:
    by_number = {made.number: made for made in frames}
    for item in items:
        if not isinstance(item, Segment | Datagram):
            continue
        assert len(item.key) in (12, 36)
        assert item.missing >= 0
        pieces = item.fragments or (Piece(item.frame, item.offset, len(item.payload)),)
        lying = b"".join(
            by_number[number].data[offset - by_number[number].offset :][:length]
            for number, offset, length in pieces
        )
        assert lying == item.payload


def test_a_frame_of_every_link_type_that_is_known_is_tried() -> None:
    assert {link for link, _ in EVERY.values()} == set(LINKS)


@pytest.mark.parametrize("name", DIRECT)
def test_the_fast_path_gives_what_the_readable_path_gives(name: str) -> None:
    link, data = DIRECT[name]
    for size in {len(data), len(data) - 1, len(data) - len(PAYLOAD), *range(10, 70, 3)}:
        made = frame(data[:size], link)
        reference = Layers()
        expected = [*reference.decode(made), *reference.close()]
        decoder = FrameDecoder()
        assert _items(decoder, [made]) == expected
        assert decoder.ignored == reference.ignored
        assert decoder.malformed == reference.malformed


@pytest.mark.parametrize(
    "name", ["tcp ipv6", "tcp VLAN", "tcp VLAN ipv6", "tcp RAW", "tcp SLL2", "SLL", "LOOP"]
)
def test_the_fast_path_takes_the_common_wrappings(name: str) -> None:
    link, data = DIRECT[name]
    found = plain(frame(data, link))
    assert isinstance(found, Segment | Datagram)
    assert found.payload == PAYLOAD


@pytest.mark.parametrize(
    "name",
    ["fragment", "fragment ipv6", "Ethernet, VXLAN", "Ethernet, GRE", "Ethernet, 802.1ad"],
)
def test_the_fast_path_leaves_what_needs_a_decision(name: str) -> None:
    link, data = DIRECT[name]
    assert plain(frame(data, link)) is None


def test_values_come_in_the_order_of_frames() -> None:
    data = [ethernet(ipv4(tcp(), 6)), ethernet(ipv4(tcp(words=4), 6)), ETHERNET["VXLAN"]] * 5
    frames = [frame(each, number=n) for n, each in enumerate(data, 1)]
    decoder = FrameDecoder()
    assert [item.frame for item in decoder.feed(frames)] == list(range(1, 16))
    assert decoder.frames == 15


def test_how_frames_are_batched_does_not_matter() -> None:
    frames = [frame(data, link, number=n) for n, (link, data) in enumerate(DIRECT.values(), 1)]
    at_once, one_by_one = FrameDecoder(), FrameDecoder()
    expected = _items(at_once, frames)
    found = [item for made in frames for item in one_by_one.feed([made])]
    assert [*found, *one_by_one.close()] == expected
    assert one_by_one.ignored == at_once.ignored
    assert one_by_one.frames == at_once.frames == len(frames)


def test_no_frames_give_no_values() -> None:
    decoder = FrameDecoder()
    assert _items(decoder, []) == []
    assert (decoder.frames, decoder.cut_frames, decoder.ignored) == (0, 0, {})


def test_the_fast_path_agrees_over_a_capture_of_its_own_kind() -> None:
    captures = require_shared() / "corpus" / "captures" / "sip_tcp_dev"
    for name in ("clean.pcap", "ipv6.pcap", "vlan.pcap", "sll2.pcap", "tiny.pcap"):
        frames = frames_of(captures / name)
        reference = Layers()
        expected = [item for made in frames for item in reference.decode(made)]
        found = FrameDecoder().feed(frames)
        assert found == expected
        _assert_payload_lies_there(frames, list(found))


@given(st.sampled_from(sorted(LINKS)), st.binary(max_size=200), st.integers(0, 300))
def test_random_bytes_never_raise(link: int, data: bytes, wire: int) -> None:
    frames = [frame(data, link, wire=wire), frame(data, link, number=2)]
    _assert_payload_lies_there(frames, _items(FrameDecoder(), frames))


@given(
    st.sampled_from(sorted(LINKS)),
    st.sampled_from([b"\x45\0\0\x40", b"\x60\0\0\0", b"\x08\0\x45\0", b"\x88\x64\x11\0"]),
    st.integers(0, 40),
    st.binary(min_size=60, max_size=200),
)
def test_random_bytes_around_headers_never_raise(
    link: int, head: bytes, at: int, data: bytes
) -> None:
    frames = [frame(data[:at] + head + data[at:], link)]
    _assert_payload_lies_there(frames, _items(FrameDecoder(), frames))


@given(
    st.sampled_from(sorted(DIRECT)),
    st.lists(st.tuples(st.integers(0, 150), st.integers(0, 255)), max_size=6),
    st.integers(0, 200),
    st.integers(0, 20),
)
def test_changed_frames_never_raise_and_both_paths_agree(
    name: str, changes: list[tuple[int, int]], size: int, cut: int
) -> None:
    link, data = DIRECT[name]
    changed = bytearray(data)
    for at, value in changes:
        changed[at % len(changed)] = value
    kept = bytes(changed[: max(size, 20)])
    made = frame(kept, link, wire=len(kept) + cut)
    reference = Layers()
    found = _items(FrameDecoder(), [made])
    assert found == [*reference.decode(made), *reference.close()]
    _assert_payload_lies_there([made], found)


@given(st.lists(st.sampled_from(sorted(EVERY)), max_size=8))
def test_frames_do_not_disturb_one_another(names: list[str]) -> None:
    frames = [frame(EVERY[name][1], EVERY[name][0], number=n) for n, name in enumerate(names)]
    found = FrameDecoder().feed(frames)
    assert [item.frame for item in found] == list(range(len(names)))
    for item in found:
        assert isinstance(item, Datagram)
        assert item.key[-4:] == KEY[-4:]
