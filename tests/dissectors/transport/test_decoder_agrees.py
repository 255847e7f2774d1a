"""The compiled fast path against the reference: it takes no more, and gives exactly the same."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dissectors.transport import decoder
from dissectors.transport.decoder import FrameDecoder, plain
from dissectors.transport.link import LINKS
from dissectors.transport.tunnels import UDP_TUNNELS
from tests.dissectors.transport.encapsulations import EVERY
from tests.dissectors.transport.packets import ethernet, frame, ipv4, ipv6, tcp, udp

if TYPE_CHECKING:
    from dissectors.model import Frame

pytestmark = pytest.mark.usefixtures("each_path")

SLL = b"\0\0\0\1\0\6" + bytes(8)
SLL2 = bytes(18)
# In each of these the reference's own fast path and the compiled one have to see the same packet.
COMMON: dict[str, tuple[int, bytes]] = {
    f"{layer} {name}": (link, head + packet)
    for layer, four, six in (
        ("udp", ipv4(), ipv6()),
        ("tcp", ipv4(tcp(), 6), ipv6(tcp(), 6)),
        ("options", ipv4(tcp(options=b"\1" * 12), 6), ipv6(tcp(options=b"\1" * 12), 6)),
    )
    for name, link, head, packet in (
        ("Ethernet", 1, ethernet(b""), four),
        ("Ethernet ipv6", 1, ethernet(b"", 0x86DD), six),
        ("VLAN", 1, ethernet(b"", 0x0800, 0x8100), four),
        ("VLAN ipv6", 1, ethernet(b"", 0x86DD, 0x8100), six),
        ("NULL", 0, b"\2\0\0\0", four),
        ("NULL big", 0, b"\0\0\0\2", four),
        ("NULL Linux", 0, b"\x0a\0\0\0", six),
        ("NULL BSD", 0, b"\0\0\0\x18", six),
        ("NULL FreeBSD", 0, b"\x1c\0\0\0", six),
        ("LOOP macOS", 108, b"\0\0\0\x1e", six),
        ("RAW 12", 12, b"", four),
        ("RAW 14", 14, b"", six),
        ("RAW", 101, b"", four),
        ("RAW ipv6", 101, b"", six),
        ("SLL", 113, SLL + b"\x08\0", four),
        ("SLL VLAN ipv6", 113, SLL + b"\x81\0\0\x64\x86\xdd", six),
        ("SLL2", 276, b"\x08\0" + SLL2, four),
        ("SLL2 VLAN", 276, b"\x81\0" + SLL2 + b"\0\x64\x08\0", four),
        ("IPV4", 228, b"", four),
        ("IPV6", 229, b"", six),
    )
}
UNCOMMON = {
    "bare Ethernet": (1, ethernet(ipv4(tcp(b""), 6))),
    "bare padded": (1, ethernet(ipv4(tcp(b""), 6)) + bytes(6)),
    "bare VLAN": (1, ethernet(ipv4(tcp(b""), 6), 0x0800, 0x8100)),
    "bare ipv6": (1, ethernet(ipv6(tcp(b""), 6), 0x86DD)),
    "bare RAW": (101, ipv4(tcp(b""), 6)),
    "empty udp": (1, ethernet(ipv4(udp(b"")))),
    "empty udp ipv6": (1, ethernet(ipv6(udp(b"")), 0x86DD)),
    # Read as if there were no options, these 8 bytes are a UDP header
    "options of IPv4": (1, ethernet(ipv4(b"\1\1\1\1\0\x08\0\0" + udp(), _v_hl=0x47))),
    "first fragment": (1, ethernet(ipv4(_flags_offset=0x2000))),
    "last fragment": (1, ethernet(ipv4(_flags_offset=1))),
}
FRAMES = {**EVERY, **COMMON, **UNCOMMON}


class Some:
    """Connections of which an octet of an address or port is even."""

    def __init__(self, place: int) -> None:
        self.known: dict[bytes, bool] = {}
        self._place = place

    def has(self, key: bytes) -> bool:
        return self.known.setdefault(key, not key[self._place] & 1)


def see_that_they_agree(
    frames: list[Frame], *, bare: bool = True, place: int | None = None
) -> None:
    """Decode with both decoders, and see that their values and their counts are equal."""
    first, second = (
        kind(None if place is None else Some(place), bare=bare)
        for kind in (FrameDecoder, decoder.FrameDecoder)
    )
    found, expected = first.feed(frames), second.feed(frames)
    assert found == expected
    assert list(map(type, found)) == list(map(type, expected))
    assert first.close() == second.close()
    assert (first.frames, first.cut_frames) == (second.frames, second.cut_frames)
    assert (first.ignored, first.malformed) == (second.ignored, second.malformed)


def see_that_no_more_is_taken(made: Frame) -> None:
    taken = plain(made)
    if taken is not None:
        assert len(made.data) >= made.wire_length or plain is decoder.plain
        assert taken == decoder.plain(made)
        assert type(taken) is type(decoder.plain(made))


@pytest.mark.parametrize("name", COMMON)
def test_the_common_frames_are_taken(name: str) -> None:
    link, data = COMMON[name]
    assert plain(frame(data, link)) == decoder.plain(frame(data, link)) is not None


@pytest.mark.untraced
@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_of_any_length_gives_the_same(name: str) -> None:
    link, data = FRAMES[name]
    for size in range(len(data) + 1):
        for made in (frame(data[:size], link), frame(data[:size], link, wire=len(data))):
            see_that_no_more_is_taken(made)
            see_that_they_agree([made])
            see_that_they_agree([made], bare=False)


@pytest.mark.parametrize("port", UDP_TUNNELS)
def test_what_may_be_a_tunnel_is_left_to_the_reference(port: int) -> None:
    for ports in (struct.pack("!HH", port, 5060), struct.pack("!HH", 5060, port)):
        assert plain(frame(ethernet(ipv4(udp(ports=ports))))) is None
        assert plain(frame(ethernet(ipv6(udp(ports=ports)), 0x86DD))) is None


@given(
    name=st.sampled_from(sorted(FRAMES)),
    changes=st.lists(
        st.tuples(
            st.integers(0, 79),
            st.one_of(st.integers(0, 255), st.sampled_from([0, 1, 0x45, 0x50, 0x60, 255])),
        ),
        max_size=5,
    ),
    size=st.integers(0, 200),
    cut=st.integers(-2, 3),
)
@example(name="tcp Ethernet", changes=[(16, 0), (17, 0)], size=200, cut=0)  # total length 0
@example(name="tcp Ethernet", changes=[(46, 0xFF)], size=200, cut=0)  # data offset 15
@example(name="tcp Ethernet", changes=[(46, 0x4F)], size=200, cut=0)  # data offset 4
@example(name="udp Ethernet", changes=[(16, 0), (17, 27)], size=200, cut=0)
@example(name="udp Ethernet", changes=[(38, 0), (39, 7)], size=200, cut=0)  # UDP length 7
@example(name="tcp Ethernet ipv6", changes=[(18, 0), (19, 0)], size=200, cut=0)
@example(name="tcp Ethernet", changes=[(20, 0x80)], size=200, cut=0)  # the reserved flag
def test_a_changed_frame_gives_the_same(
    name: str, changes: list[tuple[int, int]], size: int, cut: int
) -> None:
    link, data = FRAMES[name]
    changed = bytearray(data)
    for at, value in changes:
        changed[at % len(changed)] = value
    kept = bytes(changed[:size])
    made = frame(kept, link, wire=max(len(kept) + cut, 0))
    see_that_no_more_is_taken(made)
    see_that_they_agree([made])
    see_that_they_agree([made], bare=False, place=7)


@given(link=st.sampled_from([*LINKS, 160, 2**31 - 1]), data=st.binary(max_size=120))
def test_random_bytes_give_the_same(link: int, data: bytes) -> None:
    see_that_no_more_is_taken(frame(data, link))
    see_that_they_agree([frame(data, link)])


@given(
    names=st.lists(st.sampled_from(sorted(FRAMES)), max_size=12),
    bare=st.booleans(),
    place=st.one_of(st.none(), st.integers(0, 11)),
)
def test_many_frames_give_the_same_in_their_order(
    names: list[str], bare: bool, place: int | None
) -> None:
    frames = [frame(FRAMES[name][1], FRAMES[name][0], number=n) for n, name in enumerate(names, 1)]
    see_that_they_agree(frames, bare=bare, place=place)
