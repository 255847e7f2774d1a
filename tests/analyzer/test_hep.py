"""HEP inside a capture: the messages that an agent saw, whatever way it cut them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.pieces import MAX_DIRECTIONS, Pieces
from analyzer.sources.hep import packet
from dissectors.model import Datagram
from dissectors.sip.scan import HeadScanner
from tests.paths import require_shared
from tests.support.exported import flow_key, read_on_both_paths
from tests.support.packets import Tcp, Udp, frames, pcap
from tests.support.reading import (
    Found,
    by_direction,
    capture_bytes,
    messages,
    messages_in,
    messages_of,
)
from tests.support.sip_texts import message, response

if TYPE_CHECKING:
    from collections.abc import Sequence

AGENT, COLLECTOR = "10.9.9.1:40000", "10.9.9.2:9060"
CLIENT, SERVER = "10.0.0.1:50000", "10.0.0.2:5061"
THERE, BACK = flow_key(CLIENT, SERVER), flow_key(SERVER, CLIENT)
SEEN_NS = 1_600_000_000_000_000_000
ONE, TWO, THREE = message(1, b"<xccos ver='1'/>"), message(2, b"b" * 90), response(1)


def hep(payload: bytes, key: bytes = THERE, *, at: int = 0, transport: str = "tcp") -> Udp:
    """Return the datagram of an agent that saw a payload ``at`` milliseconds after the first."""
    return Udp(AGENT, COLLECTOR, packet(payload, key, transport, SEEN_NS + at * 1_000_000))


def read(packets: Sequence[Udp | Tcp]) -> list[Found]:
    data = pcap(packets)
    return messages(read_on_both_paths(data), data)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_message_has_the_addresses_the_transport_and_the_time_of_what_the_agent_saw(
    transport: str,
) -> None:
    data = pcap([hep(ONE, transport=transport), hep(THREE, BACK, at=2, transport=transport)])
    reading = read_on_both_paths(data)
    (flow,) = reading.flows
    assert (flow.transport, flow.messages) == (transport, [1, 1])
    assert [(one.frame, one.src, one.time_ns, one.raw) for one in messages(reading, data)] == [
        (1, CLIENT, SEEN_NS, ONE),
        (2, SERVER, SEEN_NS + 2_000_000, THREE),
    ]
    # Both clocks: that of the agent, and that of whoever captured its packets
    assert (reading.first_time, reading.last_time) == (SEEN_NS, frames([hep(ONE)] * 2)[1].time_ns)


def test_two_agents_that_see_both_transports_of_one_pair_of_ports() -> None:
    data = pcap([hep(ONE, transport="udp"), hep(ONE), Tcp(CLIENT, SERVER, 1, payload=ONE)])
    reading = read_on_both_paths(data)
    assert [flow.transport for flow in reading.flows] == ["udp", "tcp", "tcp"]


def test_payloads_of_segments_are_joined() -> None:
    found = read([hep(ONE[:50], at=0), hep(THREE, BACK, at=1), hep(ONE[50:] + TWO[:9], at=2),
                  hep(TWO[9:], at=3)])  # fmt: skip
    assert [(one.frame, one.time_ns - SEEN_NS, one.raw, one.notes) for one in found] == [
        (2, 1_000_000, THREE, ()),
        (3, 2_000_000, ONE, ()),
        (4, 3_000_000, TWO, ()),
    ]


def test_several_messages_in_a_payload() -> None:
    assert [one.raw for one in read([hep(ONE + TWO + message(3))])] == [ONE, TWO, message(3)]


def test_a_packet_that_was_seen_twice_is_one() -> None:
    data = pcap([hep(ONE[:90]), hep(ONE[:90]), hep(ONE[90:]), hep(TWO), hep(TWO)])
    reading = read_on_both_paths(data)
    assert [one.raw for one in messages(reading, data)] == [ONE, TWO]
    assert reading.stream_counters["retransmitted segments"] == 2


def test_behind_a_packet_that_was_lost_the_next_message_is_read() -> None:
    found = read([hep(ONE), hep(TWO[:-40]), hep(message(3)), hep(message(4))])
    assert [(one.raw, one.notes) for one in found] == [
        (ONE, ()),
        (TWO[:-40], ("bad-content-length",)),  # as far as anybody can tell
        (message(3), ()),
        (message(4), ()),
    ]


def test_what_was_begun_is_cut_short_at_the_end() -> None:
    (one,) = read([hep(TWO[:-3])])
    assert (one.raw, one.cut) == (TWO[:-3], True)


def test_something_else_than_sip_is_left_alone() -> None:
    http = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
    data = pcap([hep(http), hep(b"SIP/2.0 in it"), hep(ONE, BACK)])
    reading = read_on_both_paths(data)
    assert [one.raw for one in messages(reading, data)] == [ONE]


def test_compressed_payloads_are_named() -> None:
    data = pcap([Udp(AGENT, COLLECTOR, packet(ONE, THERE, "tcp", SEEN_NS, compress=True))])
    reading = read_on_both_paths(data)
    assert reading.ignored == {"HEP packet with a compressed payload": 1}


def test_hep_over_tcp_is_named() -> None:
    first = packet(ONE, THERE, "tcp", SEEN_NS)
    data = pcap([Tcp(AGENT, COLLECTOR, 1, payload=first)])
    assert read_on_both_paths(data).services == {"HEP": 1}


@settings(max_examples=40)
@given(st.lists(st.integers(1, 900), max_size=12), st.booleans())
def test_how_the_segments_were_cut_does_not_matter(cuts: list[int], mixed: bool) -> None:
    stream = ONE + TWO + message(3) + response(4, b"body") + message(5)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    parts = [stream[a:b] for a, b in pairwise(places)]
    packets = [hep(part, at=at) for at, part in enumerate(parts)]
    if mixed:
        packets = [one for pair in packets for one in (pair, hep(message(9), BACK))]
    found = read(packets)
    assert b"".join(one.raw for one in found if one.src == CLIENT) == stream
    assert not any(one.notes for one in found)


@pytest.mark.parametrize("name", ["signin-tcp", "coalesce", "straddle", "batch-mixed"])
def test_an_agent_that_saw_a_capture_tells_its_messages(name: str) -> None:
    data = capture_bytes(require_shared() / "captures" / f"{name}.pcap")
    expected = messages_in(data)
    packets = [
        hep(one.raw[at : at + 600], flow_key(one.src, one.dst), at=number)
        for number, one in enumerate(expected)
        for at in range(0, len(one.raw), 600)
    ]
    assert by_direction(messages_of(packets)) == by_direction(expected)
    assert by_direction(read(packets)) == by_direction(expected)


# bounds


def piece(payload: bytes, number: int) -> Datagram:
    key = number.to_bytes(4, "big") + THERE[4:]
    return Datagram(number + 1, 0, 6, key, payload, 0, 0, transport="tcp", whole=False)


@pytest.mark.untraced
def test_the_oldest_direction_is_ended_where_there_are_too_many() -> None:
    pieces = Pieces(HeadScanner())
    for number in range(MAX_DIRECTIONS):
        assert pieces.read(piece(TWO[:-5], number)) == []
    ((transport, key, (framed,)),) = pieces.read(piece(ONE[:9], MAX_DIRECTIONS))
    assert (transport, key, framed.raw) == ("tcp", piece(b"", 0).key, TWO[:-5])
    assert len(pieces.close()) == MAX_DIRECTIONS - 1


def test_what_the_snap_length_cut_of_a_piece_is_a_hole() -> None:
    pieces = Pieces(HeadScanner())
    assert pieces.read(piece(ONE, 1)._replace(payload=ONE[:-9], missing=9)) != []
    ((_, _, (framed,)),) = pieces.read(piece(TWO, 1))
    assert framed.raw == TWO
