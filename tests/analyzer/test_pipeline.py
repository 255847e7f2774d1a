"""The stages in a row: bytes of a capture file in, rows and what went wrong out."""

from __future__ import annotations

import struct

import pytest

from analyzer import pipeline
from analyzer.pipeline import Pipeline
from dissectors.capture.writer import write_pcap, write_pcapng
from dissectors.model import ACK, Frame
from dissectors.sip.held import MAX_SEARCH
from tests.support.conversation import CLIENT, SERVER, Conversation
from tests.support.packets import Packet, Tcp, Udp, frames, pcap
from tests.support.reading import messages, messages_in, messages_of, read, read_chunks
from tests.support.sip_texts import message, response

ITEM = b'<xccos ver="1" envid="7"><cmd id="cmd:join" seqid="1"/></xccos>'
ONE, TWO, THREE = message(1), message(2, ITEM), response(3, b"abc")
HELLO = bytes.fromhex("16030100200100001c0303") + bytes(26)


def opened(client: str = CLIENT, server: str = SERVER) -> Conversation:
    talk = Conversation(client, server)
    talk.handshake()
    return talk


def test_messages_of_both_directions_in_order_of_their_completing_frames() -> None:
    talk = opened()
    talk.client.sends(ONE + TWO[:100])
    talk.server.sends(THREE)
    talk.client.sends(TWO[100:])
    found = messages_of(talk.packets)
    assert [(one.raw, one.frame, one.src, one.dst) for one in found] == [
        (ONE, 3, CLIENT, SERVER),
        (THREE, 4, SERVER, CLIENT),
        (TWO, 5, CLIENT, SERVER),
    ]
    assert [one.time_ns for one in found] == [frame.time_ns for frame in frames(talk.packets)[2:]]
    assert [one.items for one in found][:2] == [(), ()]
    assert [(item.element, item.id, item.envid) for item in found[2].items] == [
        ("cmd", "cmd:join", "7")
    ]


def test_a_datagram_flow_is_a_connection() -> None:
    packets: list[Packet] = [
        Udp(CLIENT, SERVER, ONE),
        Udp(SERVER, CLIENT, response(1)),
        Udp(CLIENT, SERVER, TWO),
        Udp("10.0.0.3:5060", SERVER, message(9)),
    ]
    reading = read(pcap(packets))
    assert [(flow.transport, flow.messages) for flow in reading.flows] == [
        ("udp", [2, 1]),
        ("udp", [1, 0]),
    ]
    found = messages_of(packets)
    assert [(one.src, one.opener) for one in found] == [
        (CLIENT, True),
        (SERVER, False),
        (CLIENT, True),
        ("10.0.0.3:5060", True),
    ]


def test_a_datagram_to_oneself_is_one_direction() -> None:
    (one,) = messages_of([Udp(SERVER, SERVER, ONE)])
    assert (one.src, one.dst) == (SERVER, SERVER)


def test_what_a_connection_keeps() -> None:
    talk = opened()
    talk.client.sends(ONE)
    talk.server.sends(THREE)
    talk.client.fin()
    talk.server.rst()
    (flow,) = read(pcap(talk.packets)).flows
    row = flow.row()
    times = [frame.time_ns for frame in frames(talk.packets)]
    assert row._asdict() == {
        "number": 0,
        "opener": CLIENT,
        "responder": SERVER,
        "transport": "tcp",
        "syn_seen": True,
        "first_frame": 1,
        "last_frame": 5,
        "first_time": times[0],
        "last_time": times[3],
        "ends": ("fin", "rst"),
        "holes": 0,
        "messages": (1, 1),
    }


@pytest.mark.untraced
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_how_the_file_was_cut_does_not_matter(nanoseconds: bool) -> None:
    talk = opened()
    talk.client.sends(ONE + TWO)
    talk.server.sends(THREE)
    data = write_pcap(frames(talk.packets), link=1, nanoseconds=nanoseconds)
    expected = messages_in(data)
    assert len(expected) == 3
    for size in (1, 7, 100, 1000):
        assert messages(read(data, size=size), data) == expected
    for place in range(len(data)):
        assert messages(read_chunks([data[:place], data[place:]]), data) == expected


def test_the_end_of_a_message_may_come_late() -> None:
    talk = opened()
    talk.client.sends(ONE)
    talk.client.sends(TWO)
    talk.client.sends(ONE)
    talk.packets[2:] = talk.packets[:1:-1]
    found = messages_of(talk.packets)
    assert [(one.raw, one.frame) for one in found] == [(ONE, 3), (TWO, 4), (ONE, 5)]


# what is missing


def test_a_hole_is_noted_with_its_place() -> None:
    talk = opened()
    talk.client.sends(ONE)
    talk.client.loses(50)
    talk.client.sends(TWO[50:] + message(3))
    reading = read(pcap(talk.packets))
    assert reading.holes == [(0, 4, 50)]
    assert reading.flows[0].holes == 1
    found = messages_of(talk.packets)
    assert [one.raw for one in found] == [ONE, message(3)]
    assert found[1].notes == ("resynchronised",)


def test_a_hole_before_the_first_message_is_noted_once_there_is_one() -> None:
    talk = opened()
    talk.client.loses(50)
    talk.client.sends(ONE[50:])
    talk.server.loses(20)
    talk.server.sends(THREE)
    talk.close()
    reading = read(pcap(talk.packets))
    assert sorted(reading.holes) == [(0, 3, 50), (1, 4, 20)]
    assert reading.flows[0].holes == 2
    assert reading.flows[0].row().syn_seen


def test_a_hole_on_one_side_leaves_the_other_side_whole() -> None:
    talk = opened()
    strange = message(1, method="lower~case")  # found at the beginning of a stream only
    talk.server.loses(20)
    talk.server.sends(b"rest\r\n" + THREE)
    talk.client.sends(strange)
    assert [one.raw for one in messages_of(talk.packets)] == [THREE, strange]


def test_bytes_that_were_lost_before_the_end_are_a_hole() -> None:
    talk = opened()
    talk.client.sends(TWO[:-20])
    talk.client.loses(20)
    talk.close()
    reading = read(pcap(talk.packets))
    assert reading.holes == [(0, 4, 20)]
    (found,) = messages_of(talk.packets)
    assert found.notes == ("hole", "truncated")


def test_frames_cut_by_the_snap_length_are_holes() -> None:
    talk = opened()
    talk.client.sends(TWO[:150], missing=len(TWO) - 150)
    talk.client.sends(ONE)
    reading = read(pcap(talk.packets))
    assert reading.counters["cut frames"] == 1
    assert reading.holes == [(0, 3, len(TWO) - 150)]
    assert [one.raw for one in messages_of(talk.packets)] == [TWO[:150], ONE]


def test_retransmissions_that_differ_are_noted_with_their_place() -> None:
    talk = opened()
    talk.client.sends(ONE[:60])
    talk.client.sends(b"X" * 20, at=20)
    talk.client.sends(ONE[60:])
    talk.client.sends(ONE[60:70] + b"!", at=60)
    reading = read(pcap(talk.packets))
    assert reading.conflicts == [(0, 4, 20), (0, 6, 11)]
    assert reading.stream_counters["retransmitted segments"] == 2
    assert [one.raw for one in messages_of(talk.packets)] == [ONE]


def test_what_is_kept_of_a_connection_without_sip_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline, "MAX_EARLY", 3)
    talk = opened()
    for _ in range(10):
        talk.client.sends(b"no SIP here\r\n", missing=5)
    talk.client.sends(ONE)
    reading = read(pcap(talk.packets))
    assert len(reading.holes) == 3
    assert reading.flows[0].holes == 10


def test_bytes_between_messages_are_counted() -> None:
    talk = opened()
    talk.client.sends(ONE + b"\r\n\r\ngarbage\r\n" + TWO)
    assert read(pcap(talk.packets)).stream_counters["bytes between messages"] == 9


# what is no SIP


def test_another_protocol_is_named_and_left_alone() -> None:
    packets: list[Tcp] = []
    for port, data in ((1, HELLO), (2, b"GET / HTTP/1.1\r\n\r\n"), (3, HELLO)):
        talk = Conversation(f"10.0.0.1:{port}", "10.0.0.2:443", packets=packets)
        talk.handshake()
        talk.client.sends(data)
        talk.server.sends(ONE)
        talk.client.sends(ONE)
    reading = read(pcap(packets))
    assert len(reading.rows) == 0
    assert reading.services == {"TLS": 2, "HTTP": 1}
    assert reading.flows == []


def test_a_side_that_looks_like_something_else_does_not_silence_sip() -> None:
    talk = opened()
    talk.client.sends(ONE)
    talk.server.sends(b"220 is how this body went on\r\n" + THREE)
    talk.client.sends(TWO)
    talk.packets[:2] = []
    reading = read(pcap(talk.packets))
    assert [one.raw for one in messages_of(talk.packets)] == [ONE, THREE, TWO]
    assert reading.services == {}


def test_a_stream_without_sip_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    dropped: list[int] = []
    machine = Pipeline()
    drop = machine._reassembler.drop

    def noting(stream: int) -> None:
        dropped.append(stream)
        drop(stream)

    monkeypatch.setattr(machine._reassembler, "drop", noting)
    talk = opened()
    for _ in range(MAX_SEARCH // 1000 + 20):
        talk.client.sends(b"\x80" * 1000)
    data = pcap(talk.packets)
    for at in range(0, len(data), 10_000):
        machine.feed(data[at : at + 10_000])
    reading = machine.close()
    assert set(dropped) == {0}
    assert reading.flows == []
    assert machine._tcp == {}


def test_state_of_ended_connections_is_given_back() -> None:
    packets: list[Tcp] = []
    for number in range(50):
        talk = Conversation(f"10.0.{number}.1:50000", packets=packets)
        talk.handshake()
        talk.client.sends(ONE)
        talk.close()
    machine = Pipeline()
    machine.feed(pcap(packets))
    assert machine._tcp == {}
    assert len(machine.close().rows) == 50


# damaged files


def test_a_file_that_is_no_capture_says_so() -> None:
    for data in (b"", b"abc", b"not a capture file at all, whatever it is"):
        reading = read(data)
        assert reading.damaged
        assert len(reading.problems) == 1
        assert reading.frames == 0
    machine = Pipeline()
    machine.feed(b"not a capture file at all, whatever it is" * 100)
    assert machine.stopped
    machine.feed(b"and more of it")
    assert len(machine.close().problems) == 1


def test_a_file_that_is_cut_gives_what_is_there() -> None:
    talk = opened()
    talk.client.sends(ONE)
    talk.client.sends(TWO)
    data = pcap(talk.packets)[:-5]
    reading = read(data)
    assert reading.damaged
    assert [one.raw for one in messages_in(data)] == [ONE]


def test_problems_are_counted_and_the_first_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "MAX_PROBLEMS", 5)
    damaged = struct.pack("!BBHHHBBH", 0x41, 0, 20, 0, 0, 64, 6, 0) + bytes(8)
    bad = [
        Frame(number, number, 6, 1, bytes(12) + b"\x08\x00" + damaged, 0, 34)
        for number in range(1, 30)
    ]
    reading = read(write_pcap(bad, link=1))
    assert len(reading.problems) == 5
    assert reading.counters["malformed ip"] == 29


def test_times_and_links_of_the_capture() -> None:
    given = frames([Udp(CLIENT, SERVER, ONE), Udp(CLIENT, SERVER, TWO)])
    raw = [frame._replace(link=101, data=frame.data[14:]) for frame in given]
    late = [frame._replace(time_ns=frame.time_ns + 10**9) for frame in raw]
    data = write_pcapng([*given, *late, given[0]._replace(time_ns=0)])
    reading = read(data)
    assert (reading.first_time, reading.last_time) == (given[0].time_ns, late[1].time_ns)
    assert reading.links == {1, 101}
    assert (reading.frames, len(reading.rows)) == (5, 5)


def test_numbers_beyond_every_column_are_survived() -> None:
    huge = message(1, b"x", length="9" * 900).replace(b"CSeq: 1", b"CSeq: " + b"9" * 300)
    status = response(2, status="9" * 40 + " No")
    found = messages_of([Udp(CLIENT, SERVER, huge), Udp(CLIENT, SERVER, status)])
    assert [one.raw for one in found] == [huge, status]
    assert found[0].cseq == (int("9" * 300), "INFO")
    assert found[1].status == (1 << 63) - 1


def test_times_beyond_every_column_are_survived() -> None:
    plain = write_pcapng(frames([Udp(CLIENT, SERVER, ONE)]))
    # if_tsresol 0: the unit is a second, and a time stamp has 64 bits of them.
    body = struct.pack("<HHIHHBxxxHH", 1, 0, 0, 9, 1, 0, 0, 0)
    interface = struct.pack("<II", 1, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))
    payload = frames([Udp(CLIENT, SERVER, ONE)])[0].data
    padded = payload + bytes(-len(payload) % 4)
    block = struct.pack("<IIIII", 0, 0xFFFFFFFF, 0xFFFFFFFF, len(payload), len(payload)) + padded
    packet = struct.pack("<II", 6, 12 + len(block)) + block + struct.pack("<I", 12 + len(block))
    (found,) = messages_in(plain[:28] + interface + packet)
    assert found.raw == ONE
    assert found.time_ns == (1 << 63) - 1


def test_without_items_the_rows_have_none() -> None:
    data = pcap([Udp(CLIENT, SERVER, TWO)])
    machine = Pipeline(items=False)
    machine.feed(data)
    reading = machine.close()
    reading.settle()
    assert reading.rows.xccos(0) == []
    assert len(read(data).rows.xccos(0)) == 1


def test_a_segment_of_a_stream_that_ended_is_survived() -> None:
    talk = opened()
    talk.client.sends(ONE)
    talk.close()
    for at in (0, len(ONE) - 5, len(ONE), len(ONE) + 1):
        talk.packets.append(Tcp(CLIENT, SERVER, talk.client.sequence(at), ACK, TWO))
        talk.packets.append(Tcp(SERVER, CLIENT, talk.server.sequence(at), ACK, THREE))
    found = messages_of(talk.packets)
    assert found[0].raw == ONE
    assert {one.raw for one in found} <= {ONE, TWO, THREE}
