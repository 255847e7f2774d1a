"""HEP over TCP: packets come out, however the segments were cut; damage costs what it touches."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.sources.hep import packet
from dissectors.model import Chunk
from dissectors.transport.hep_stream import HepStream
from tests.support.exported import flow_key
from tests.support.sip_texts import message

KEY = flow_key("10.0.0.1:50000", "10.0.0.2:5061")
PACKETS = [packet(message(number), KEY, "tcp", number * 10**9) for number in range(1, 6)]
STREAM = b"".join(PACKETS)


def chunks(data: bytes, cuts: list[int]) -> list[Chunk]:
    places = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    return [
        Chunk(0, data[a:b], number, 0, 6, 0) for number, (a, b) in enumerate(pairwise(places), 1)
    ]


@given(st.lists(st.integers(0, 10_000), max_size=30))
def test_how_the_segments_were_cut_does_not_matter(cuts: list[int]) -> None:
    stream, end = HepStream(), 0
    ends: dict[int, int] = {}
    for chunk in chunks(STREAM, cuts):
        end += len(chunk.data)
        for found in stream.feed(chunk):
            ends[len(ends)] = end
            assert (found.data, found.chunk) == (PACKETS[len(ends) - 1], chunk)
    assert len(ends) == len(PACKETS)
    for number, seen in ends.items():
        assert seen >= len(b"".join(PACKETS[: number + 1]))
    assert (stream.unused, stream.held) == (0, 0)


def test_bytes_one_by_one_are_no_more_work_than_their_number() -> None:
    stream = HepStream()
    large = packet(bytes(60_000), KEY, "udp", 0)
    found = [one for chunk in chunks(large, list(range(60_300))) for one in stream.feed(chunk)]
    assert [one.data for one in found] == [large]


@pytest.mark.parametrize("junk", [b"x", b"HEP", b"HEP3\0\1", b"HEP3\0\x10" + bytes(10), bytes(99)])
def test_behind_something_else_the_next_packet_is_read(junk: bytes) -> None:
    stream = HepStream()
    found = [
        one for chunk in chunks(PACKETS[0] + junk + PACKETS[1], []) for one in stream.feed(chunk)
    ]
    assert [one.data for one in found] == PACKETS[:2]
    assert stream.unused == len(junk)


def test_behind_a_hole_reading_goes_on_at_a_packet() -> None:
    stream = HepStream()
    first = stream.feed(Chunk(0, PACKETS[0][:-5], 1, 0, 6, 0))
    stream.gap()
    second = stream.feed(Chunk(0, PACKETS[1][40:] + PACKETS[2], 2, 0, 6, 0))
    assert ([], [PACKETS[2]]) == (first, [one.data for one in second])
    assert stream.unused == len(PACKETS[0]) - 5 + len(PACKETS[1]) - 40


@given(st.data())
def test_any_bytes_give_packets_and_counts(draw: st.DataObject) -> None:
    data = bytearray(STREAM)
    for _ in range(draw.draw(st.integers(0, 6))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    stream = HepStream()
    found = [one for chunk in chunks(bytes(data), [700, 900]) for one in stream.feed(chunk)]
    assert sum(len(one.data) for one in found) + stream.unused + stream.held == len(data)
