"""A TCP connection that is made up, read back by those who read real ones."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

import dpkt
import pytest
from dpkt.tcp import TCP, TH_ACK, TH_FIN, TH_PUSH, TH_RST, TH_SYN
from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay.actions import Address
from analyzer.replay.capture.conversation import DELAY_NS, Conversation, Datagrams
from analyzer.replay.capture.frames import Framer, TcpHead
from analyzer.replay.capture.medium import SETTLE_NS, Medium
from analyzer.replay.capture.options import CaptureError
from dissectors.model import Frame, Segment
from dissectors.transport.decoder import FrameDecoder
from tests.support.conversation import reassemble_segments

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIENT, SERVER = Address("10.0.0.1", 50000), Address("10.0.0.2", 5060)
CLIENT6, SERVER6 = Address("2001:db8::1", 50000), Address("2001:db8::2", 5060)
MS = 1_000_000
MASK = 0xFFFF_FFFF


class Seen(NamedTuple):
    """A frame that was sent."""

    at: int
    data: bytes

    @property
    def packet(self) -> dpkt.ip.IP | dpkt.ip6.IP6:
        return dpkt.ethernet.Ethernet(self.data).data

    @property
    def tcp(self) -> TCP:
        return self.packet.data


class Bench:
    """A medium whose frames are kept."""

    def __init__(self, *, vlan: int | None = None, macs: Mapping[str, str] | None = None) -> None:
        self.seen: list[Seen] = []
        framer = Framer(macs or {}, vlan)
        self.medium = Medium(framer, lambda at, data, _: self.seen.append(Seen(at, data)))

    def conversation(
        self, opener: Address = CLIENT, responder: Address = SERVER, mss: int = 1460
    ) -> Conversation:
        return Conversation(self.medium, opener, responder, mss, seed="x")

    def segments(self) -> list[Segment]:
        self.medium.settle()
        frames = [
            Frame(number, at, 9, 1, data, number * 100_000, len(data))
            for number, (at, data) in enumerate(self.seen, 1)
        ]
        decoder = FrameDecoder()
        items = [*decoder.feed(frames), *decoder.close()]
        assert [item for item in items if not isinstance(item, Segment)] == []
        return [item for item in items if isinstance(item, Segment)]


def _flags(bench: Bench) -> list[int]:
    return [one.tcp.flags for one in bench.seen]


def test_a_connection_opens_with_three_segments_that_fit_one_another() -> None:
    bench = Bench()
    bench.conversation().handshake(MS, 10)
    syn, answer, last = (one.tcp for one in bench.seen)
    assert _flags(bench) == [TH_SYN, TH_SYN | TH_ACK, TH_ACK]
    assert [one.at for one in bench.seen] == [MS, MS + 10, MS + 20]
    assert (syn.ack, answer.ack, last.ack) == (0, syn.seq + 1 & MASK, answer.seq + 1 & MASK)
    assert last.seq == syn.seq + 1 & MASK
    options = dict(dpkt.tcp.parse_opts(syn.opts))
    assert int.from_bytes(options[dpkt.tcp.TCP_OPT_MSS], "big") == 1460
    assert options[dpkt.tcp.TCP_OPT_WSCALE] == b"\x08"
    assert dpkt.tcp.TCP_OPT_SACKOK in options


def test_data_is_cut_at_the_mss_and_pushed_at_its_end() -> None:
    bench = Bench()
    talk = bench.conversation(mss=100)
    talk.send(0, bytes(250), MS)
    data = [one.tcp for one in bench.seen if one.tcp.data]
    assert [len(one.data) for one in data] == [100, 100, 50]
    assert [one.flags for one in data] == [TH_ACK, TH_ACK, TH_ACK | TH_PUSH]
    assert [one.seq - data[0].seq & MASK for one in data] == [0, 100, 200]


def test_the_last_segment_of_a_message_is_at_its_time_and_the_others_before_it() -> None:
    bench = Bench()
    talk = bench.conversation(mss=100)
    talk.send(0, b"a", MS)
    talk.send(0, bytes(1000), 2 * MS)
    times = [one.at for one in bench.seen if len(one.tcp.data) == 100]
    assert times[-1] == 2 * MS
    assert times == sorted(times)
    assert times[0] > MS


def test_time_never_goes_back() -> None:
    bench = Bench()
    talk = bench.conversation()
    talk.send(0, b"a", 5 * MS)
    talk.send(1, b"b", 2 * MS)
    assert [one.at for one in bench.seen] == [5 * MS, 5 * MS]


def test_an_answer_takes_the_acknowledgement_along() -> None:
    bench = Bench()
    talk = bench.conversation()
    talk.send(0, b"request", MS)
    talk.send(1, b"answer", 2 * MS)
    bench.medium.advance(20 * MS)
    request, answer = bench.seen[0].tcp, bench.seen[1].tcp
    assert answer.ack == request.seq + 7 & MASK
    assert len(bench.seen) == 2


def test_what_is_not_answered_soon_is_acknowledged_alone() -> None:
    bench = Bench()
    talk = bench.conversation()
    talk.send(0, b"request", MS)
    bench.medium.advance(MS + DELAY_NS)
    assert [one.at for one in bench.seen] == [MS, MS + DELAY_NS]
    assert (bench.seen[1].tcp.flags, bench.seen[1].tcp.data) == (TH_ACK, b"")
    assert bench.seen[1].tcp.ack == bench.seen[0].tcp.seq + 7 & MASK


def test_every_second_segment_is_acknowledged_without_delay() -> None:
    bench = Bench()
    talk = bench.conversation(mss=100)
    talk.send(0, bytes(400), MS)
    bench.medium.advance(2 * MS)
    alone = [one.tcp.ack for one in bench.seen if not one.tcp.data]
    left = bench.seen[0].tcp.seq + 400 - alone[-1] & MASK
    assert left <= 100, "one segment may wait for data to go with its acknowledgement"
    assert len(alone) <= 2


def test_a_window_is_never_overrun() -> None:
    bench = Bench()
    talk = bench.conversation()
    talk.handshake(0, 0)
    talk.send(0, bytes(1 << 20), 0)
    sent, acked = 0, bench.seen[2].tcp.seq
    for one in bench.seen[3:]:
        if one.tcp.data:
            sent = one.tcp.seq + len(one.tcp.data) & MASK
        else:
            acked = one.tcp.ack
        assert (sent - acked & MASK) <= one.tcp.win << 8


def test_both_sides_say_that_they_send_no_more() -> None:
    bench = Bench()
    talk = bench.conversation()
    talk.send(0, b"a", 0)
    talk.finish(0, MS)
    talk.send(1, b"late", 2 * MS)
    talk.finish(1, 3 * MS)
    bench.medium.settle()
    ends = [one.tcp for one in bench.seen if one.tcp.flags & TH_FIN]
    assert [one.sport for one in ends] == [50000, 5060]
    last = bench.seen[-1].tcp
    assert (last.flags, last.ack) == (TH_ACK, ends[1].seq + 1 & MASK)
    assert bench.seen[-1].at <= 3 * MS + SETTLE_NS
    outcome = reassemble_segments(bench.segments())
    assert set(outcome.ends.values()) == {"fin"}
    assert b"late" in outcome.data.values()


def test_a_broken_connection_says_nothing_more() -> None:
    bench = Bench()
    talk = bench.conversation()
    talk.send(0, b"a", 0)
    talk.reset(1, MS)
    bench.medium.settle()
    assert len(bench.seen) == 2
    assert bench.seen[-1].tcp.flags & TH_RST


def test_the_same_ports_used_again_are_another_connection() -> None:
    bench = Bench()
    for number in range(2):
        talk = bench.conversation()
        talk.handshake(number * MS, 0)
        talk.send(0, b"same words", number * MS)
        talk.finish(0, number * MS)
        talk.finish(1, number * MS)
    outcome = reassemble_segments(bench.segments())
    assert len(outcome.opened) == 2
    assert outcome.retransmissions == 0
    assert list(outcome.data.values()) == [b"same words"] * 2


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.binary(min_size=1, max_size=400)), min_size=1, max_size=20
    ),
    st.integers(48, 300),
    st.booleans(),
    st.booleans(),
)
def test_what_is_read_is_what_was_sent(
    said: list[tuple[int, bytes]], mss: int, opens: bool, six: bool
) -> None:
    bench = Bench()
    talk = bench.conversation(*((CLIENT6, SERVER6) if six else (CLIENT, SERVER)), mss)
    if opens:
        talk.handshake(0, 10)
    for number, (side, data) in enumerate(said, 1):
        talk.send(side, data, number * MS)
    talk.finish(0, 100 * MS)
    talk.finish(1, 100 * MS)
    outcome = reassemble_segments(bench.segments())
    assert (outcome.gaps, outcome.conflicts, outcome.retransmissions) == ([], [], 0)
    assert len(outcome.opened) == 1
    wanted = sorted(filter(None, (b"".join(d for s, d in said if s == n) for n in (0, 1))))
    assert sorted(outcome.data.values()) == wanted
    times = [one.at for one in bench.seen]
    assert times == sorted(times)


def _checksum(data: bytes) -> int:
    words = dpkt.dpkt.in_cksum_add(0, data)
    return int(dpkt.dpkt.in_cksum_done(words))


@pytest.mark.parametrize("ends", [(CLIENT, SERVER), (CLIENT6, SERVER6)])
@pytest.mark.parametrize("vlan", [None, 42])
def test_checksums_are_right(ends: tuple[Address, Address], vlan: int | None) -> None:
    bench = Bench(vlan=vlan)
    talk = bench.conversation(*ends)
    talk.handshake(0, 0)
    talk.send(0, b"odd", 0)
    Datagrams(bench.medium, *ends).send(1, b"datagram", 0)
    for one in bench.seen:
        packet = one.packet
        inner = bytes(packet.data)
        head = packet.src + packet.dst + bytes([0, packet.p]) + len(inner).to_bytes(2, "big")
        assert _checksum(head + inner + bytes(len(inner) % 2)) == 0
        if packet.v == 4:
            assert _checksum(packet.pack_hdr()) == 0


def test_a_frame_tells_its_vlan_and_its_hosts() -> None:
    bench = Bench(vlan=42, macs={"10.0.0.1": "00:15:5d:02:00:14"})
    bench.conversation().handshake(0, 0)
    frame = dpkt.ethernet.Ethernet(bench.seen[0].data)
    assert [tag.id for tag in frame.vlan_tags] == [42]
    assert frame.src.hex() == "00155d020014"
    assert frame.dst.hex() == "02000a000002", "locally administered, with the IP address in it"
    assert bench.seen[0].data[12:14] == b"\x81\x00"


def test_ipv6_leaves_less_room_in_a_segment() -> None:
    bench = Bench()
    talk = bench.conversation(CLIENT6, SERVER6)
    talk.handshake(0, 0)
    talk.send(0, bytes(2000), 0)
    assert max(len(one.packet.pack_hdr()) + len(one.packet.data) for one in bench.seen) == 1500


def test_each_host_counts_its_packets() -> None:
    bench = Bench()
    bench.conversation().handshake(0, 0)
    first, second, third = (one.packet for one in bench.seen)
    assert third.id == first.id + 1 & 0xFFFF
    assert second.ttl == 128


def test_a_checksum_of_zero_says_that_there_is_none_and_is_never_sent() -> None:
    """RFC 768 and RFC 8200 8.1: it is sent as its complement."""
    bench = Bench()
    link = Datagrams(bench.medium, CLIENT6, SERVER6)
    for number in range(1 << 16):
        data = number.to_bytes(2, "big")
        if _pseudo(data) == 0:
            link.send(0, data, 0)
            break
    assert bench.seen[0].packet.data.sum == 0xFFFF


def _pseudo(data: bytes) -> int:
    """Return the checksum of a datagram from the client to the server over IPv6."""
    addresses = b"".join(ipaddress.ip_address(one.host).packed for one in (CLIENT6, SERVER6))
    length = (8 + len(data)).to_bytes(2, "big")
    ports = CLIENT6.port.to_bytes(2, "big") + SERVER6.port.to_bytes(2, "big")
    return _checksum(addresses + bytes([0, 17]) + length + ports + length + bytes(2) + data)


def test_what_no_packet_can_hold_is_refused_in_one_line() -> None:
    bench = Bench()
    with pytest.raises(CaptureError, match="do not fit into one UDP datagram"):
        Datagrams(bench.medium, CLIENT, SERVER).send(0, bytes(65_508), 0)
    with pytest.raises(CaptureError, match="different IP versions"):
        bench.medium.framer.tcp(CLIENT, SERVER6, TcpHead(0, 0, 0, 0))
    with pytest.raises(CaptureError, match="is not an IP address"):
        bench.medium.framer.tcp(Address("gc01", 1), SERVER, TcpHead(0, 0, 0, 0))
    for bad in ("1:2:3:4:5:6", "zz:00:00:00:00:00", ""):
        with pytest.raises(CaptureError, match="is not an Ethernet address"):
            Framer({"10.0.0.1": bad}, None)


def test_the_largest_segment_still_fits_into_a_packet() -> None:
    for ends in ((CLIENT, SERVER), (CLIENT6, SERVER6)):
        bench = Bench()
        bench.conversation(*ends, mss=65_495).send(0, bytes(70_000), 0)
        assert sum(len(one.tcp.data) for one in bench.seen) == 70_000
