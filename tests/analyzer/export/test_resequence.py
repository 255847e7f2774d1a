"""Connections written anew: exactly the chosen messages, no gap that was not there before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analyzer.export.resequence import Kept
from analyzer.trace import open_capture
from dissectors.capture.writer import write_pcapng
from dissectors.model import ACK, FIN, SYN, Frame, Segment
from dissectors.transport.decoder import FrameDecoder
from tests.analyzer.captures import message
from tests.analyzer.export.slicing import cut, frames_of, rows_alone, same_when_read
from tests.paths import SAMPLES, SHARED, require_shared
from tests.support.conversation import Conversation
from tests.support.packets import Tcp, frames, pcap

if TYPE_CHECKING:
    from pathlib import Path


def checksum(data: bytes) -> int:
    """Return the ones' complement sum of RFC 1071; 0 over data with a right checksum in it."""
    data += bytes(len(data) % 2)
    total = sum(int.from_bytes(data[k : k + 2], "big") for k in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def check_ipv4(frame: Frame) -> None:
    """Check lengths and checksums of a whole frame of Ethernet, IPv4 and TCP."""
    packet = frame.data[14:]
    assert len(packet) == int.from_bytes(packet[2:4], "big")
    assert checksum(packet[:20]) == 0
    pseudo = packet[12:20] + b"\0\6" + (len(packet) - 20).to_bytes(2, "big")
    assert checksum(pseudo + packet[20:]) == 0


def segments(path: Path) -> list[Segment]:
    return [one for one in FrameDecoder().feed(frames_of(path)) if isinstance(one, Segment)]


def said(*names: str) -> list[bytes]:
    return [message(body=f"this is for {name}", Call_ID=name) for name in names]


def written(path: Path, packets: list[Tcp]) -> Path:
    path.write_bytes(pcap(packets))
    return path


def test_a_place_moves_by_what_is_left_out_before_it() -> None:
    kept = Kept(100, [(100, 101, 1), (150, 160, 10), (200, 220, 20)])
    places = (100, 101, 120, 150, 155, 160, 199, 200, 219, 220, 500)
    assert [kept.new(place) for place in places] == [
        *(100, 101, 101, 101, 106, 111, 111, 111, 130, 131, 131)
    ]


def test_a_hole_may_be_made_longer_and_overlaps_count_once() -> None:
    kept = Kept(0, [(0, 10, 10), (10, 15, 40), (12, 20, 8)])
    assert [kept.new(place) for place in (0, 10, 14, 15, 20)] == [0, 10, 14, 50, 55]


@pytest.mark.parametrize("name", ["callid-collision.pcap", "fe-two-hops.pcapng"])
@settings(max_examples=6)
@given(numbers=st.sets(st.integers(0, 105), min_size=1))
@example(numbers={0})
def test_any_messages_come_back_byte_for_byte(
    name: str, numbers: set[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    out = tmp_path_factory.mktemp("slice") / "out.pcapng"
    with open_capture(SAMPLES / name) as trace:
        rows = [row for row in range(len(trace)) if row % 106 in numbers]
        cut(trace, out, rows_alone(rows))
        assert same_when_read(trace, rows, out) == []


@pytest.mark.parametrize(
    "name", ["reordered", "coalesced", "tiny", "wrap", "ipv6", "sll2", "vlan", "midstream", "lost"]
)
def test_awkward_tcp_is_no_obstacle(name: str, tmp_path: Path) -> None:
    source = require_shared() / f"corpus/captures/sip_tcp_dev/{name}.pcap"
    out = tmp_path / "out.pcapng"
    with open_capture(source) as trace:
        rows = [row for row in range(len(trace)) if row % 3]
        made = cut(trace, out, rows_alone(rows))
        assert made.anew
        holes = same_when_read(trace, rows, out, "notes")
        assert bool(holes) == bool(trace.quality.holes)


def test_what_is_not_chosen_is_nowhere_in_the_file(tmp_path: Path) -> None:
    source = tmp_path / "in.pcap"
    talk = Conversation()
    talk.handshake()
    for data in said("ann", "bob", "ann", "bob"):
        talk.client.sends(data)
        talk.server.sends(data)
    talk.close()
    with open_capture(written(source, talk.packets)) as trace:
        rows = [row for row in range(len(trace)) if b"for ann" in trace.raw(row)]
        cut(trace, tmp_path / "out.pcapng", rows_alone(rows), told=True)
    data = (tmp_path / "out.pcapng").read_bytes()
    assert data.count(b"this is for ann") == 4
    assert b"bob" not in data.replace(b"bob@example.com", b"")


def test_sequence_numbers_have_no_gaps_and_frames_are_valid(tmp_path: Path) -> None:
    source, out = tmp_path / "in.pcap", tmp_path / "out.pcapng"
    talk = Conversation(isns=(0xFFFFFFF0, 7))
    talk.handshake()
    for data in said("a", "b", "c", "d"):
        talk.client.sends(data[:100])
        talk.client.sends(data[100:])
    talk.close()
    with open_capture(written(source, talk.packets)) as trace:
        cut(trace, out, rows_alone([1, 3]))
    place = 0xFFFFFFF0
    for segment in (one for one in segments(out) if one.key[-2:] == (5060).to_bytes(2, "big")):
        assert segment.seq == place & 0xFFFFFFFF
        place += len(segment.payload) + bool(segment.flags & SYN) + bool(segment.flags & FIN)
    for frame in frames_of(out):
        check_ipv4(frame)


def test_a_retransmission_is_left_out_and_the_bytes_seen_first_stay(tmp_path: Path) -> None:
    source, out = tmp_path / "in.pcap", tmp_path / "out.pcapng"
    talk = Conversation()
    talk.handshake()
    first, second = said("a", "b")
    talk.client.sends(first)
    talk.client.sends(b"X" * len(first), at=0)
    talk.client.sends(second)
    with open_capture(written(source, talk.packets)) as trace:
        cut(trace, out, rows_alone([0]))
    assert [one.payload for one in segments(out) if one.payload] == [first]


def test_a_hole_stays_a_hole_and_the_next_message_is_found_behind_it(tmp_path: Path) -> None:
    source, out = tmp_path / "in.pcap", tmp_path / "out.pcapng"
    talk = Conversation()
    talk.handshake()
    first, second, third, fourth = said("a", "b", "c", "d")
    talk.client.sends(first)
    talk.client.sends(second[:150])
    talk.client.loses(20)
    talk.client.sends(second[170:])  # the rest of it is no message
    talk.client.sends(third)
    talk.client.sends(fourth)
    with open_capture(written(source, talk.packets)) as trace:
        rows = [row for row in range(len(trace)) if row != 2]
        assert [trace.raw(row) for row in rows] == [first, second[:150], fourth]
        cut(trace, out, rows_alone(rows))
        holes = same_when_read(trace, rows, out, "notes")
    assert len(holes) == 1
    assert holes[0][2] >= 20


def test_a_hole_between_messages_that_are_left_out_still_says_that_something_is_missing(
    tmp_path: Path,
) -> None:
    source, out = tmp_path / "in.pcap", tmp_path / "out.pcapng"
    talk = Conversation()
    talk.handshake()
    first, second, third = said("a", "b", "c")
    talk.client.sends(first)
    talk.client.sends(second)
    talk.client.loses(500)
    talk.client.sends(third)
    talk.close()
    with open_capture(written(source, talk.packets)) as trace:
        cut(trace, out, rows_alone([0]))
        assert [hole[2] for hole in same_when_read(trace, [0], out)] == [500]


def test_a_frame_cut_by_the_snap_length_stays_cut(tmp_path: Path) -> None:
    source, out = tmp_path / "in.pcap", tmp_path / "out.pcapng"
    talk = Conversation()
    talk.handshake()
    first, second, third = said("a", "b", "c")
    talk.client.sends(first)
    talk.client.sends(second[:120], missing=len(second) - 120)
    talk.client.sends(third)
    with open_capture(written(source, talk.packets)) as trace:
        rows = [row for row in range(len(trace)) if trace.raw(row) != first]
        cut(trace, out, rows_alone(rows))
        same_when_read(trace, rows, out)
        assert trace.raw(rows[0]) == second[:120]
    assert [one.missing for one in segments(out) if one.missing] == [len(second) - 120]
    assert [one.wire_length - len(one.data) for one in frames_of(out)].count(0) == 3


def test_no_handshake_is_made_up_where_none_was_captured(tmp_path: Path) -> None:
    source, out = tmp_path / "in.pcap", tmp_path / "out.pcapng"
    talk = Conversation()
    for data in said("a", "b", "c"):
        talk.client.sends(data)
    with open_capture(written(source, talk.packets)) as trace:
        cut(trace, out, rows_alone([1]))
        same_when_read(trace, [1], out)
    assert not any(one.flags & SYN for one in segments(out))
    with open_capture(out) as again:
        assert not again.connections[0].syn_seen


def test_acknowledgements_of_what_is_left_out_are_left_out(tmp_path: Path) -> None:
    out = tmp_path / "out.pcapng"
    with open_capture(SAMPLES / "callid-collision.pcap") as trace:
        rows = [row for row in range(len(trace)) if row % 4 == 0]
        cut(trace, out, rows_alone(rows))
    last: dict[bytes, tuple[int, int]] = {}
    for one in segments(out):
        bare = not one.payload and one.flags == ACK
        assert not bare or last.get(one.key) != (one.seq, one.ack)
        last[one.key] = one.seq + len(one.payload), one.ack


def test_ports_used_again_are_another_connection(tmp_path: Path) -> None:
    source, out = tmp_path / "in.pcap", tmp_path / "out.pcapng"
    packets: list[Tcp] = []
    for isn, names in ((1000, "ab"), (50_000_000, "cd")):
        talk = Conversation(isns=(isn, isn + 5), packets=packets)
        talk.handshake()
        for data in said(*names):
            talk.client.sends(data)
        talk.close()
    with open_capture(written(source, packets)) as trace:
        assert len(trace.connections) == 2
        made = cut(trace, out, rows_alone([2]))
        same_when_read(trace, [2], out)
        assert (made.whole, made.anew) == (0, 1)
        made = cut(trace, out, rows_alone([2, 3]))
        same_when_read(trace, [2, 3], out)
        assert (made.whole, made.anew) == (1, 0)
    assert frames_of(out)[0].time_ns == frames(packets)[6].time_ns


def test_a_long_message_is_cut_into_packets_that_ip_can_hold(tmp_path: Path) -> None:
    source, out = tmp_path / "in.pcap", tmp_path / "out.pcapng"
    talk = Conversation()
    talk.handshake()
    large = message(body="x" * 70_000)
    for start in range(0, len(large), 60_000):
        talk.client.sends(large[start : start + 60_000])
    talk.client.sends(said("b")[0])
    with open_capture(written(source, talk.packets)) as trace:
        cut(trace, out, rows_alone([0]))
        same_when_read(trace, [0], out)


def test_a_message_in_ip_fragments_is_written_in_one_packet(tmp_path: Path) -> None:
    source, out = tmp_path / "in.pcapng", tmp_path / "out.pcapng"
    talk = Conversation()
    talk.handshake()
    first, second = said("a", "b")
    talk.client.sends(first)
    talk.client.sends(second)
    whole = frames(talk.packets)
    parts: list[Frame] = [*whole[:2], *fragmented(whole[2]), whole[3]]
    source.write_bytes(write_pcapng(parts))
    with open_capture(source) as trace:
        assert trace.frames(0) == (3, 4)
        cut(trace, out, rows_alone([0]))
        same_when_read(trace, [0], out)
        made = cut(trace, out, rows_alone([0, 1]))
        assert made.whole == 1
        same_when_read(trace, [0, 1], out)
    assert len(frames_of(out)) == 5


def fragmented(frame: Frame) -> list[Frame]:
    """Return a frame of IPv4 as two fragments, the first one of 80 bytes behind the IP header."""
    head, body = frame.data[:34], frame.data[34:]
    found = []
    for at, part in ((0, body[:80]), (80, body[80:])):
        more = 0x2000 if not at else 0
        fields = (at // 8 | more).to_bytes(2, "big")
        length = (20 + len(part)).to_bytes(2, "big")
        data = head[:16] + length + b"\0\x07" + fields + head[22:] + part
        found.append(frame._replace(data=data, wire_length=len(data)))
    return found


def test_modelled_holes_are_still_told(tmp_path: Path) -> None:
    require_shared()
    out = tmp_path / "out.pcapng"
    with open_capture(SHARED / "flows/hole-in-the-middle.pcapng") as trace:
        rows = [row for row in range(len(trace)) if row % 2]
        cut(trace, out, rows_alone(rows))
        assert len(same_when_read(trace, rows, out, "notes")) == len(trace.quality.holes)
