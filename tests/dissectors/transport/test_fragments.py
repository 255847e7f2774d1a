"""IP fragments in any order, with overlaps, and without end."""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.model import Datagram, Frame, Malformed, Piece, Segment
from dissectors.transport import fragments
from dissectors.transport.decoder import FrameDecoder
from tests.dissectors.transport.packets import (
    KEY,
    KEY_6,
    PAYLOAD,
    ethernet,
    fragment_header,
    frame,
    ipv4,
    ipv6,
    tcp,
    udp,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dissectors.transport.layers import Item

pytestmark = pytest.mark.usefixtures("each_path")


LONG = bytes(range(256)) * 4
TOO_SHORT = "TCP data offset below 5"
MISSING = "a datagram some of whose IP fragments are missing"


def four(data: bytes, start: int, more: bool, ident: int = 1, protocol: int = 17) -> bytes:
    flags = 0x2000 * more | start // 8
    return ethernet(ipv4(data, protocol, _flags_offset=flags, id=ident))


def six(data: bytes, start: int, more: bool, ident: int = 1, protocol: int = 17) -> bytes:
    header = fragment_header(protocol, start, more=more, ident=ident)
    return ethernet(ipv6(header + data, 44), 0x86DD)


def split(
    data: bytes, cuts: Sequence[int], wrap: Callable[..., bytes] = four, protocol: int = 17
) -> list[bytes]:
    ends = [*cuts, len(data)]
    starts = [0, *cuts]
    return [
        wrap(data[start:end], start, end < len(data), protocol=protocol)
        for start, end in zip(starts, ends, strict=True)
    ]


def feed(decoder: FrameDecoder, *frames: bytes, first: int = 1) -> list[Item]:
    return decoder.feed([frame(data, number=n) for n, data in enumerate(frames, first)])


def bytes_at(frames: Sequence[Frame], pieces: Sequence[Piece]) -> bytes:
    """Read the bytes back from where the pieces say they lie."""
    by_number = {made.number: made for made in frames}
    return b"".join(
        by_number[number].data[offset - by_number[number].offset :][:length]
        for number, offset, length in pieces
    )


@pytest.mark.parametrize("wrap", [four, six])
def test_a_datagram_in_fragments_comes_with_the_frame_that_completes_it(
    wrap: Callable[..., bytes],
) -> None:
    parts = split(udp(LONG), [400, 800], wrap)
    frames = [frame(part, number=n) for n, part in enumerate(parts, 1)]
    decoder = FrameDecoder()
    assert decoder.feed(frames[:2]) == []
    (found,) = decoder.feed(frames[2:])
    assert isinstance(found, Datagram)
    assert found.frame == 3
    assert found.time_ns == frames[2].time_ns
    assert found.key == (KEY if wrap is four else KEY_6)
    assert found.payload == LONG
    assert found.missing == 0
    assert [piece.frame for piece in found.fragments] == [1, 2, 3]
    assert [piece.length for piece in found.fragments] == [392, 400, 1032 - 800]
    assert bytes_at(frames, found.fragments) == LONG
    assert decoder.close() == []


@pytest.mark.parametrize("wrap", [four, six])
def test_the_order_of_fragments_does_not_matter(wrap: Callable[..., bytes]) -> None:
    parts = split(tcp(LONG), [8, 16, 400, 800], wrap, 6)
    for order in itertools.permutations(parts):
        frames = [frame(part, number=n) for n, part in enumerate(order, 1)]
        (found,) = FrameDecoder().feed(frames)
        assert isinstance(found, Segment)
        assert (found.frame, found.payload, found.seq) == (5, LONG, 7)
        assert bytes_at(frames, found.fragments) == LONG


def test_a_header_may_itself_be_cut_into_fragments() -> None:
    parts = split(tcp(PAYLOAD), [8, 16], protocol=6)
    (found,) = feed(FrameDecoder(), *parts)
    assert isinstance(found, Segment)
    assert [piece.frame for piece in found.fragments] == [3]
    assert found.payload == PAYLOAD


def test_what_came_first_wins_where_fragments_overlap() -> None:
    data = udp(b"a" * 40)
    early = four(data[:32], 0, more=True)
    late = four(b"b" * 32, 16, more=False)
    (found,) = feed(FrameDecoder(), early, late)
    assert isinstance(found, Datagram)
    assert found.payload == b"a" * 24 + b"b" * 16
    (found,) = feed(FrameDecoder(), late, early)
    assert isinstance(found, Datagram)
    assert found.payload == b"a" * 8 + b"b" * 32


def test_a_fragment_that_spans_others_fills_the_holes_only() -> None:
    whole = udp(b"c" * 56)
    decoder = FrameDecoder()
    parts = [four(b"A" * 8, 16, more=True), four(b"B" * 8, 40, more=True)]
    parts += [four(whole[:56], 0, more=True), four(whole[48:], 48, more=False)]
    (found,) = feed(decoder, *parts)
    assert isinstance(found, Datagram)
    assert found.payload == b"c" * 8 + b"A" * 8 + b"c" * 16 + b"B" * 8 + b"c" * 16
    assert [piece.frame for piece in found.fragments] == [3, 1, 3, 2, 3, 4]


def test_duplicates_change_nothing() -> None:
    parts = split(udp(LONG), [400, 800])
    doubled = [part for part in parts for _ in range(2)]
    decoder = FrameDecoder()
    (found,) = feed(decoder, *doubled)
    assert isinstance(found, Datagram)
    assert (found.frame, found.payload) == (5, LONG)
    assert decoder.close() == []


def test_the_same_identification_later_is_another_datagram() -> None:
    decoder = FrameDecoder()
    (one,) = feed(decoder, *split(udp(b"a" * 40), [16]))
    (two,) = feed(decoder, *split(udp(b"b" * 40), [16]), first=3)
    assert isinstance(one, Datagram)
    assert isinstance(two, Datagram)
    assert (one.payload, two.payload) == (b"a" * 40, b"b" * 40)


def test_the_first_end_of_a_datagram_is_believed() -> None:
    data = udp(b"a" * 40)
    parts = [
        four(data[24:], 24, more=False),
        four(b"x" * 64, 40, more=True),  # beyond the end
        four(b"y" * 8, 200, more=False),  # another end
        four(data[:24], 0, more=True),
    ]
    (found,) = feed(FrameDecoder(), *parts)
    assert isinstance(found, Datagram)
    assert found.payload == b"a" * 40


def test_bytes_beyond_the_end_are_dropped_when_the_end_is_known() -> None:
    data = udp(b"a" * 40)
    parts = [
        four(b"x" * 64, 64, more=True),
        four(data[16:] + b"z" * 16, 16, more=True),
        four(data[40:], 40, more=False),
        four(data[:16], 0, more=True),
    ]
    (found,) = feed(FrameDecoder(), *parts)
    assert isinstance(found, Datagram)
    assert found.payload == b"a" * 40


def test_missing_fragments_are_reported_at_the_end() -> None:
    decoder = FrameDecoder()
    parts = split(udp(LONG), [400, 800])
    assert feed(decoder, parts[0], parts[2]) == []
    (found,) = decoder.close()
    assert isinstance(found, Malformed)
    assert (found.layer, found.reason, found.frame) == ("ip", MISSING, 1)
    assert found.raw == udp(LONG)[: len(found.raw)] != b""
    assert decoder.close() == []


def test_a_fragment_beyond_the_largest_datagram_is_damage() -> None:
    (found,) = feed(FrameDecoder(), four(b"x" * 100, 65_528, more=False))
    assert isinstance(found, Malformed)
    assert found.reason == "an IP fragment beyond 65,535 bytes"


def test_a_fragment_cut_by_the_snap_length_leaves_the_rest_missing() -> None:
    parts = split(udp(LONG), [400, 800])
    decoder = FrameDecoder()
    frames = [
        frame(parts[0]),
        frame(parts[1][:134], number=2, wire=len(parts[1])),
        frame(parts[2], number=3),
    ]
    (found,) = decoder.feed(frames)
    assert isinstance(found, Datagram)
    assert found.payload == LONG[: 392 + 100]
    assert found.missing == len(LONG) - len(found.payload)
    assert bytes_at(frames, found.fragments) == found.payload
    assert decoder.cut_frames == 1


def test_a_header_that_was_cut_off_is_no_damage() -> None:
    parts = split(tcp(PAYLOAD), [8, 16], protocol=6)
    decoder = FrameDecoder()
    frames = [
        frame(parts[0]),
        frame(parts[1][:36], number=2, wire=len(parts[1])),
        frame(parts[2], number=3),
    ]
    assert decoder.feed(frames) == []
    assert decoder.malformed == {}


def test_an_old_datagram_is_given_up_when_its_identification_comes_again() -> None:
    old, new = split(udp(b"a" * 40), [16]), split(udp(b"b" * 40), [16])
    later = fragments.MAX_AGE_NS + 2 * 10**6
    decoder = FrameDecoder()
    assert decoder.feed([frame(old[0])]) == []
    found = decoder.feed(
        [frame(part, number=n)._replace(time_ns=later) for n, part in enumerate(new, 2)]
    )
    assert [type(item) for item in found] == [Malformed, Datagram]
    assert isinstance(found[1], Datagram)
    assert found[1].payload == b"b" * 40


def test_an_old_datagram_is_given_up_although_frames_have_no_time() -> None:
    old, new = split(udp(b"a" * 40), [16]), split(udp(b"b" * 40), [16])
    decoder = FrameDecoder()
    decoder.feed([frame(old[0])._replace(time_ns=0)])
    number = fragments.MAX_AGE_FRAMES + 2
    found = decoder.feed([frame(part)._replace(time_ns=0, number=number) for part in new])
    assert [type(item) for item in found] == [Malformed, Datagram]


def test_an_old_datagram_is_given_up_although_it_is_not_the_oldest() -> None:
    decoder = FrameDecoder()
    feed(decoder, *(four(LONG[:8], 0, more=True, ident=n) for n in (1, 2)))
    later = frame(four(LONG[8:], 8, more=False, ident=2), number=9)._replace(time_ns=10**12)
    found = decoder.feed([later])
    assert [(type(item), item.frame) for item in found] == [(Malformed, 1), (Malformed, 2)]
    assert [item.frame for item in decoder.close()] == [9]


def test_other_old_datagrams_are_given_up_as_time_goes_on() -> None:
    decoder = FrameDecoder()
    feed(decoder, *(four(LONG[:8], 0, more=True, ident=n) for n in range(5)))
    later = frame(four(LONG[:8], 0, more=True, ident=9), number=9)._replace(time_ns=10**12)
    found = [decoder.feed([later])[0].frame for _ in range(5)]
    assert found == [1, 2, 3, 4, 5]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "MAX_BYTES", 20 * fragments.FRAGMENT_COST)
    decoder = FrameDecoder()
    empty = [four(b"", 8, more=True, ident=n) for n in range(100)]
    assert len(feed(decoder, *empty)) == 80
    feed(decoder, *(four(LONG, 8, more=True, ident=n) for n in range(100, 200)))
    held = 20 * fragments.FRAGMENT_COST // (len(LONG) + 2 * fragments.FRAGMENT_COST)
    assert decoder.malformed["ip", MISSING] == 200 - held
    decoder.close()
    assert decoder.malformed["ip", MISSING] == 200


def test_the_memory_of_complete_datagrams_is_given_back() -> None:
    store = FrameDecoder()._layers._fragments
    decoder = FrameDecoder()
    decoder._layers._fragments = store
    for ident in range(2 * fragments.MAX_COMPLETED):
        data = udp(LONG)
        feed(decoder, four(data[:400], 0, True, ident), four(data[400:], 400, False, ident))
    assert store._cost == 0
    assert store._open == {}
    assert len(store._completed) == fragments.MAX_COMPLETED


def test_many_tiny_fragments_cost_no_more_than_their_number() -> None:
    data = udp(bytes(60_000))
    parts = [
        four(data[start : start + 8], start, start + 8 < len(data))
        for start in range(0, len(data), 8)
    ]
    (found,) = feed(FrameDecoder(), *parts[::-1])
    assert isinstance(found, Datagram)
    assert len(found.payload) == 60_000
    assert len(found.fragments) == 7_500


def test_fragments_of_a_tunnel_are_put_together_before_it_is_opened() -> None:
    inner = ipv4(udp(LONG))
    frames = [
        frame(part, number=n) for n, part in enumerate(split(inner, [24, 400], protocol=4), 1)
    ]
    (found,) = FrameDecoder().feed(frames)
    assert isinstance(found, Datagram)
    assert found.payload == LONG
    assert bytes_at(frames, found.fragments) == LONG


def test_fragments_inside_fragments_are_found_where_they_lie() -> None:
    data = udp(LONG)
    inner = [
        ipv4(data[:512], _flags_offset=0x2000, id=5),
        ipv4(data[512:], _flags_offset=64, id=5),
    ]
    parts = [
        four(packet[start : start + 200], start, start + 200 < len(packet), ident, 4)
        for ident, packet in enumerate(inner)
        for start in range(0, len(packet), 200)
    ]
    frames = [frame(part, number=n) for n, part in enumerate(parts, 1)]
    (found,) = FrameDecoder().feed(frames)
    assert isinstance(found, Datagram)
    assert found.payload == LONG
    assert bytes_at(frames, found.fragments) == LONG


def test_extension_headers_behind_the_fragment_header_are_read() -> None:
    data = struct.pack("!BB6x", 17, 0) + udp(LONG)
    (found,) = feed(FrameDecoder(), *split(data, [400], six, 60))
    assert isinstance(found, Datagram)
    assert found.payload == LONG


@pytest.mark.parametrize(("levels", "reason"), [(8, TOO_SHORT), (12, "tunnels nested too deep")])
def test_fragments_of_fragments_are_bounded(levels: int, reason: str) -> None:
    # Each level is completed by 8 bytes that came before, and begins with the next one's header
    decoder = FrameDecoder()
    ends = [six(bytes(8), 8 * levels, more=False, ident=n, protocol=6) for n in range(levels)]
    assert feed(decoder, *ends) == []
    headers = [fragment_header(44, 0, more=True, ident=n) for n in range(levels - 1)]
    headers.append(fragment_header(6, 0, more=True, ident=levels - 1))
    data = b"".join(headers) + bytes(8)
    (found,) = feed(decoder, ethernet(ipv6(data, 44), 0x86DD), first=20)
    assert isinstance(found, Malformed)
    assert found.reason == reason


@given(st.data())
def test_any_cutting_order_and_repetition_gives_the_same_payload(data: st.DataObject) -> None:
    payload = data.draw(st.binary(max_size=300))
    packet = tcp(payload, options=b"\x01" * 4)
    wrap = data.draw(st.sampled_from([four, six]))
    cuts = data.draw(st.lists(st.integers(1, (len(packet) - 1) // 8), unique=True, min_size=1))
    parts = split(packet, [cut * 8 for cut in sorted(cuts)], wrap, 6)
    order = data.draw(st.permutations(parts))
    repeated = data.draw(st.lists(st.sampled_from(parts), max_size=5))
    frames = [frame(part, number=n) for n, part in enumerate([*order, *repeated], 1)]
    decoder = FrameDecoder()
    (found,) = decoder.feed(frames)
    assert isinstance(found, Segment)
    assert found.payload == payload
    assert bytes_at(frames, found.fragments) == payload
    assert decoder.close() == []


@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.integers(0, 40), st.booleans(), st.integers(0, 1)),
        max_size=30,
    )
)
def test_fragments_that_make_no_sense_never_raise(
    made: list[tuple[int, int, bool, int]],
) -> None:
    decoder = FrameDecoder()
    frames = [
        frame(four(bytes((n,)) * size, start * 8, more, ident, 6), number=n)
        for n, (start, size, more, ident) in enumerate(made)
    ]
    found = decoder.feed(frames) + decoder.close()
    for item in found:
        if isinstance(item, Segment):
            assert bytes_at(frames, item.fragments) == item.payload
    store = decoder._layers._fragments
    assert store._cost == 0
    assert store._open == {}
