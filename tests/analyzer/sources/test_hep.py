"""HEP over real sockets of this machine, and what becomes of it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.sources.files import SourceError
from analyzer.sources.hep import MAX_CONNECTIONS, Listener, Received, is_loopback, packet
from analyzer.sources.hep_capture import MAX_KINDS, HepCapture
from dissectors.transport.hep import MAX_INFLATED
from tests.support.exported import flow_key
from tests.support.reading import messages_in
from tests.support.sip_texts import message, response

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = flow_key("10.0.0.1:50000", "10.0.0.2:5061")
BACK = flow_key("10.0.0.2:5061", "10.0.0.1:50000")
SEEN_NS, NOW_NS = 1_600_000_000_123_456_000, 1_700_000_000_000_000_000
ONE, TWO = message(1, b"<xccos/>"), response(1, b"body")
PATIENCE = 10.0


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener("127.0.0.1", 0, tcp=True) as listening:
        yield listening


def received(listener: Listener, count: int) -> list[Received]:
    """Wait until so many packets came."""
    found: list[Received] = []
    while len(found) < count:
        more = listener.receive(PATIENCE)
        found += more
    return found


def connected(listener: Listener) -> socket.socket:
    return socket.create_connection(("127.0.0.1", listener.port), PATIENCE)


def test_datagrams_come_with_their_senders(listener: Listener) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
        agent.connect(("127.0.0.1", listener.port))
        sent = [packet(ONE, KEY, "udp", SEEN_NS), b"junk", b""]
        for data in sent:
            agent.send(data)
        peer = f"127.0.0.1:{agent.getsockname()[1]}"
        assert received(listener, 3) == [Received(data, peer) for data in sent]


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_over_tcp_packets_are_told_by_their_length(listener: Listener, size: int) -> None:
    sent = [packet(ONE, KEY, "tcp", SEEN_NS), packet(TWO, BACK, "tcp", SEEN_NS)]
    stream = b"".join(sent)
    found: list[Received] = []
    with connected(listener) as agent:
        listener.receive(PATIENCE)
        for at in range(0, len(stream), size):
            agent.sendall(stream[at : at + size])
            if size > 1:
                found += listener.receive(PATIENCE)
        found += received(listener, 2 - len(found))
    assert [one.data for one in found] == sent


def test_what_is_no_hep_ends_a_connection(listener: Listener) -> None:
    with connected(listener) as agent:
        agent.sendall(b"GET / HTTP/1.1\r\n\r\n")
        (found,) = received(listener, 1)
        assert found.data == b"GET / HTTP/1.1\r\n\r\n"
        assert agent.recv(1) == b""


def test_the_beginning_of_a_packet_is_given_when_the_agent_goes(listener: Listener) -> None:
    with connected(listener) as agent:
        agent.sendall(packet(ONE, KEY, "tcp", SEEN_NS)[:-1])
    (found,) = received(listener, 1)
    assert found.data == packet(ONE, KEY, "tcp", SEEN_NS)[:-1]


def test_agents_beyond_the_bound_are_refused(listener: Listener) -> None:
    agents = []
    try:
        for _ in range(MAX_CONNECTIONS):
            agents.append(connected(listener))
            listener.receive(PATIENCE)
        with connected(listener) as one_more:
            listener.receive(PATIENCE)
            assert one_more.recv(1) == b""
        assert listener.refused == 1
        agents[0].sendall(packet(ONE, KEY, "tcp", SEEN_NS))
        assert len(received(listener, 1)) == 1
    finally:
        for agent in agents:
            agent.close()


def test_nothing_comes_before_its_time(listener: Listener) -> None:
    assert listener.receive(0) == []


def test_a_port_that_is_taken_is_one_line(listener: Listener) -> None:
    with pytest.raises(SourceError, match=rf"^cannot listen on 127.0.0.1:{listener.port}: "):
        Listener("127.0.0.1", listener.port)


@pytest.mark.parametrize("host", ["no.such.host.invalid", "300.0.0.1", "203.0.113.9"])
def test_an_address_that_is_not_ours_is_one_line(host: str) -> None:
    with pytest.raises(SourceError, match=f"^cannot listen on {host}:0: "):
        Listener(host, 0)


@pytest.mark.parametrize(
    ("host", "ours"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("fe01", False)],
)  # fmt: skip
def test_which_addresses_only_this_machine_reaches(host: str, ours: bool) -> None:
    assert is_loopback(host) == ours


# what becomes of it


def captured(*packets: bytes) -> tuple[HepCapture, bytes]:
    capture = HepCapture("test")
    data = capture.header()
    for one in packets:
        data += capture.take([Received(one, "10.9.9.1:1")], NOW_NS)
    return capture, data + capture.close()


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_messages_become_a_capture(transport: str, compress: bool) -> None:
    capture, data = captured(
        packet(ONE, KEY, transport, SEEN_NS, compress=compress),
        packet(TWO, BACK, transport, SEEN_NS + 1_000, compress=compress),
    )
    assert [(one.raw, one.time_ns, one.src, one.connection) for one in messages_in(data)] == [
        (ONE, SEEN_NS, "10.0.0.1:50000", 0),
        (TWO, SEEN_NS + 1_000, "10.0.0.2:5061", 0),
    ]
    assert (capture.packets, capture.frames, capture.complaint()) == (2, 2, None)


def test_segments_are_joined_before_they_are_written() -> None:
    parts = [packet(ONE[:60], KEY, "tcp", SEEN_NS), packet(ONE[60:] + TWO[:-1], KEY, "tcp", 0)]
    capture, data = captured(*parts)
    assert [(one.raw, one.time_ns, one.cut) for one in messages_in(data)] == [
        (ONE, NOW_NS, False),
        (TWO[:-1], NOW_NS, True),
    ]
    assert capture.frames == 2


def test_what_is_of_no_use_is_told_in_one_line() -> None:
    whole = packet(ONE, KEY, "tcp", SEEN_NS)
    damaged = packet(ONE, KEY, "udp", SEEN_NS, compress=True)
    capture, data = captured(
        b"junk", b"", b"junk", whole[:-1], whole[:5], damaged[:-6] + b"\xff" * 6, whole
    )
    assert len(messages_in(data)) == 1
    assert capture.complaint() == (
        "6 of 7 packets were passed over: 3 × no HEP (first from 10.9.9.1:1), 2 × HEP packet that "
        "is cut short (first from 10.9.9.1:1), 1 × HEP packet whose compressed payload is damaged "
        "or too large (first from 10.9.9.1:1)"
    )


def test_a_bomb_is_passed_over() -> None:
    capture, data = captured(packet(bytes(MAX_INFLATED + 1), KEY, "udp", SEEN_NS, compress=True))
    assert messages_in(data) == []
    assert capture.unused == {"HEP packet whose compressed payload is damaged or too large": 1}


def test_kinds_are_bounded() -> None:
    capture = HepCapture("test")
    for kind in range(MAX_KINDS * 3):
        other = packet(ONE, KEY, "udp", SEEN_NS).replace(
            b"\0\x0b\0\x07\x01", b"\0\x0b\0\x07" + bytes([kind + 101])
        )
        capture.take([Received(other, "10.9.9.1:1")], NOW_NS)
    assert len(capture.unused) == MAX_KINDS + 1
    assert capture.unused.total() == MAX_KINDS * 3


@given(st.data())
def test_any_bytes_are_taken(draw: st.DataObject) -> None:
    data = bytearray(packet(ONE, KEY, draw.draw(st.sampled_from(["udp", "tcp"])), SEEN_NS))
    for _ in range(draw.draw(st.integers(0, 5))):
        data[draw.draw(st.integers(0, 140))] = draw.draw(st.integers(0, 255))
    capture, written = captured(bytes(data[: draw.draw(st.integers(0, len(data)))]), bytes(data))
    messages_in(written)
    assert capture.packets == 2
