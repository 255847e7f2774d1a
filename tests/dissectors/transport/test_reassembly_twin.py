"""The compiled reassembler gives the events of the reference, whatever happened to the segments.

Conversations are made by chance: written down as they would have gone, then cut, repeated, damaged,
put into another order and mixed. Both machines are asked the same things at the same events.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.model import ACK, FIN, RST, SYN, Opened, Piece, Segment, StreamEnd
from dissectors.transport import direction, reassembly
from dissectors.transport.direction import (
    HISTORY_BYTES,
    HISTORY_SEGMENTS,
    MAX_PENDING,
    SEGMENT_COST,
)
from dissectors.transport.reassembly import Reassembler
from tests.support.conversation import CLIENT, MASK, SERVER, Conversation, Side
from tests.support.packets import FILE_STEP, Tcp, segments
from tests.support.twin import is_built

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random  # noqa: TID251  (only its type: hypothesis makes them)

    from dissectors.transport.direction import StreamEvent

MACHINES = [pytest.param(Reassembler, id="reference")]
if is_built():
    twin = import_module("dissectors._speedups.reassembly_events").EventReassembler
    MACHINES.append(pytest.param(twin, id="twin"))

every_machine = pytest.mark.parametrize("machine", MACHINES)

# Few, so that ports are used again; the last one talks to itself.
PAIRS = (
    (CLIENT, SERVER),
    ("10.0.0.1:50001", SERVER),
    ("10.0.0.9:40000", "10.0.0.8:40000"),
    ("[fd00::1]:50000", "[fd00::2]:5060"),
    ("10.0.0.7:5060", "10.0.0.7:5060"),
)
# Small ones, so that they are reached; those of the reference are the defaults.
LIMITS: tuple[tuple[object, str, tuple[int, ...]], ...] = (
    (direction, "MAX_PENDING_TOTAL", (500, 5000)),
    (direction, "MAX_PENDING_OTHER", (70, 200, 700)),
    (direction, "MAX_PENDING", (300, 2000)),
    (direction, "FAR", (200, 5000)),
    (direction, "HOLD_SEGMENTS", (1, 2, 5)),
    (direction, "MAX_STRAYS", (0, 1, 3)),
    (reassembly, "KEEP_CLOSED", (0, 1, 3)),
    (reassembly, "KEEP_TOMBSTONES", (0, 1, 5)),
    (reassembly, "MAX_CONNECTIONS", (1, 2, 3)),
)


class Answer(NamedTuple):
    """All that can be seen of a machine."""

    events: list[tuple[str, StreamEvent]]
    retransmissions: int
    waiting: list[tuple[int, int | None]]
    """Bytes that wait, and the oldest frame of them, after each segment (of many: some)."""
    streams: dict[bytes, int]
    """Open when the capture ended; by key."""
    ends: list[tuple[bytes, int]]
    """What was remembered then of connections that were forgotten, in order."""


def ask(machine: Reassembler, event: StreamEvent, answer: int) -> None:
    """Do what a consumer does on an event: mostly nothing."""
    stream = 2 * event.connection if isinstance(event, Opened) else event.stream
    match answer:
        case 0:
            machine.drop(stream)
        case 1:
            machine.drop(stream ^ 1)
        case 2:
            machine.expect_more(stream >> 1)
        case 3:
            machine.drop(stream - 2)
        case _:
            pass


def run(machine: Reassembler, given_: Sequence[Segment], answers: Sequence[int]) -> Answer:
    events: list[tuple[str, StreamEvent]] = []
    waiting = []
    step = 1 + len(given_) // 200  # looking for the oldest takes as long as much waits
    for at, segment in enumerate(given_):
        for event in machine.events([segment]):
            ask(machine, event, answers[len(events) % len(answers)])
            events.append((type(event).__name__, event))
        if at % step == 0:
            waiting.append((machine._budget.pending, machine.oldest_waiting()))
    streams = {key: one.stream for key, one in machine._flows.items()}
    ends = list(machine._tombstones.items())
    events += [(type(event).__name__, event) for event in machine.close()]
    assert machine._budget.pending == len(machine._flows) == len(machine._closed) == 0
    return Answer(events, machine.retransmissions, waiting, streams, ends)


# conversations by chance


def text(chance: Random, size: int) -> bytes:
    return bytes([chance.randrange(97, 123)]) * size


def number(chance: Random) -> int:
    return chance.choice((1000, MASK - chance.randrange(60), chance.randrange(1 << 32)))


def send(chance: Random, side: Side, data: bytes) -> None:
    """Let a side send, mostly what is next."""
    match chance.randrange(24):
        case 0:
            side.loses(len(data))
        case 1:
            side.sends(data, missing=chance.randrange(1, 9))
        case 2 | 3:  # again, or what overlaps; often with other bytes
            side.sends(data, at=max(0, side.position - chance.randrange(1, 3 * len(data) + 2)))
        case 4:
            side.sends(b"\0", at=max(0, side.position - 1))
        case 5:
            side.sends(b"")
        case 6:
            side.sends(data, at=side.position + chance.randrange(1, 300))
        case _:
            side.sends(data)


def conversation(chance: Random, sizes: Sequence[int]) -> list[Tcp]:
    """Return a conversation as it went."""
    pair = PAIRS[0] if chance.random() < 0.5 else chance.choice(PAIRS)
    talk = Conversation(*pair, isns=(number(chance), number(chance)))
    if chance.random() < 0.7:
        talk.handshake()
    for _ in range(chance.randrange(14)):
        send(chance, chance.choice((talk.client, talk.server)), text(chance, chance.choice(sizes)))
    match chance.randrange(6):
        case 0:
            talk.client.rst()
        case 1:
            talk.client.fin(text(chance, 3))
        case 2 | 3:
            talk.close()
        case _:
            pass
    return talk.packets


def foreign(chance: Random, packet: Tcp) -> Tcp:
    """Return a segment that may be none of its connection."""
    flags = chance.choice((ACK, ACK, ACK, 0, FIN | ACK, SYN, SYN | ACK, RST, SYN | FIN, 0xFF))
    shift = chance.choice((1, 2, 60, -60, 4999, 1 << 14, 1 << 24, 1 << 31, -(1 << 24), 1 << 30))
    data = text(chance, chance.choice((0, 1, 4, 40)))
    missing = chance.choice((0, 0, 0, 2, 5000))
    return packet._replace(
        seq=packet.seq + shift & MASK, flags=flags, payload=data, missing=missing
    )


def captured(chance: Random, packets: list[Tcp]) -> list[Tcp]:
    """Return the packets of a conversation as a bad capture has them."""
    found: list[Tcp] = []
    for packet in packets:
        fate = chance.random()
        if fate < 0.06:
            continue
        found.append(packet)
        if fate < 0.14:
            found.append(packet)
        elif fate < 0.20:
            found.append(foreign(chance, packet))
        elif fate < 0.24:
            found[-1] = found[-1]._replace(payload=text(chance, len(packet.payload)))
    for _ in range(chance.choice((0, 0, 1, 3, 12))):
        if found:
            moved = found.pop(chance.randrange(len(found)))
            found.insert(chance.randrange(len(found) + 1), moved)
    return found


def mixed(chance: Random, parts: list[list[Tcp]]) -> list[Tcp]:
    """Return the packets of all parts, most of them one part after the other."""
    found: list[Tcp] = []
    queues = [part for part in parts if part]
    while queues:
        at = 0 if chance.random() < 0.8 else chance.randrange(len(queues))
        found.append(queues[at].pop(0))
        if not queues[at]:
            del queues[at]
    return found


def fragmented(chance: Random, segment: Segment) -> Segment:
    """Return a segment as one that was put together from IP fragments."""
    size = len(segment.payload)
    cut = chance.randrange(size + 1)
    pieces = (
        Piece(segment.frame, segment.offset + 100, cut),
        Piece(segment.frame + 1, segment.offset + 90_000, size - cut),
    )
    return segment._replace(fragments=pieces)


def capture(chance: Random, sizes: Sequence[int]) -> list[Segment]:
    parts = [captured(chance, conversation(chance, sizes)) for _ in range(chance.randrange(1, 7))]
    found = segments(mixed(chance, parts))
    return [fragmented(chance, one) if chance.random() < 0.04 else one for one in found]


def patch_limits(chance: Random, patch: pytest.MonkeyPatch) -> None:
    for module, name, values in LIMITS:
        if chance.random() < 0.3:
            value = chance.choice(values)
            for holder in (direction, reassembly):
                if hasattr(holder, name):
                    patch.setattr(holder, name, value)
            assert getattr(module, name) == value


def assert_same(
    machine: type[Reassembler], given_: Sequence[Segment], answers: Sequence[int]
) -> Answer:
    expected = run(Reassembler(), given_, answers)
    found = run(machine(), given_, answers)
    assert found == expected
    return expected


@every_machine
@given(chance=st.randoms(use_true_random=True))
def test_conversations_of_every_kind_give_the_same_events(
    machine: type[Reassembler], chance: Random
) -> None:
    for _ in range(20):
        assert_same(machine, capture(chance, (1, 2, 5, 30)), (9,))


@every_machine
@given(chance=st.randoms(use_true_random=True))
def test_what_a_consumer_asks_for_meanwhile_has_the_same_effect(
    machine: type[Reassembler], chance: Random
) -> None:
    for _ in range(10):
        answers = [chance.randrange(12) for _ in range(29)]
        assert_same(machine, capture(chance, (1, 2, 5, 30)), answers)


@every_machine
@given(chance=st.randoms(use_true_random=True))
def test_limits_are_reached_at_the_same_segment(machine: type[Reassembler], chance: Random) -> None:
    for _ in range(10):
        with pytest.MonkeyPatch.context() as patch:
            patch_limits(chance, patch)
            answers = [chance.randrange(20) for _ in range(29)]
            assert_same(machine, capture(chance, (1, 2, 5, 30, 300)), answers)


@every_machine
@given(chance=st.randoms(use_true_random=True))
def test_long_segments_are_remembered_alike(machine: type[Reassembler], chance: Random) -> None:
    sizes = (5, 1460, HISTORY_BYTES - 1, HISTORY_BYTES, HISTORY_BYTES + 1, 2 * HISTORY_BYTES)
    for _ in range(3):
        assert_same(machine, capture(chance, sizes), (9, 9, 2))


# single things


@every_machine
@pytest.mark.parametrize("back", range(1, 2 * HISTORY_SEGMENTS))
def test_a_contradiction_is_seen_as_far_back_as_the_reference_sees_it(
    machine: type[Reassembler], back: int
) -> None:
    talk = Conversation()
    talk.handshake()
    for _ in range(2 * HISTORY_SEGMENTS):
        talk.client.sends(b"abc")
    talk.client.sends(b"X", at=talk.client.position - 3 * back)
    answer = assert_same(machine, segments(talk.packets), (9,))
    conflicts = [name for name, _ in answer.events].count("Conflict")
    assert conflicts == (back <= HISTORY_SEGMENTS)


@every_machine
@pytest.mark.parametrize("pieces", [(), (Piece(3, 7, 4), Piece(4, 9, 6))])
def test_bytes_far_behind_in_a_file_and_those_of_fragments_are_compared(
    machine: type[Reassembler], pieces: tuple[Piece, ...]
) -> None:
    talk = Conversation()
    talk.handshake()
    talk.client.sends(b"0123456789")
    talk.client.sends(b"abc")
    talk.client.sends(b"01X345Y789", at=0)
    given_ = [one._replace(offset=one.offset + (1 << 60)) for one in segments(talk.packets)]
    given_[2] = given_[2]._replace(fragments=pieces)
    answer = assert_same(machine, given_, (9,))
    assert [name for name, _ in answer.events].count("Conflict") == 1


@every_machine
def test_many_connections_open_and_end_in_the_same_order(machine: type[Reassembler]) -> None:
    packets: list[Tcp] = []
    talks = []
    for number_ in range(1500):
        client = f"10.1.{number_ % 250}.{number_ // 250}:{40000 + number_ % 7}"
        talk = Conversation(client, isns=(number_, 1 << 30), packets=packets)
        talks.append(talk)
        talk.handshake()
        talk.client.sends(b"abc")
        if number_ % 3:
            talk.close()
    for talk in talks[::-1]:
        talk.client.sends(b"abc", at=0)
        talk.server.sends(b"late")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reassembly, "KEEP_CLOSED", 100)
        patch.setattr(reassembly, "KEEP_TOMBSTONES", 333)
        patch.setattr(reassembly, "MAX_CONNECTIONS", 700)
        answer = assert_same(machine, segments(packets), (9, 9, 0))
    assert len(answer.events) > 6000


@every_machine
def test_what_waits_long_costs_the_same(machine: type[Reassembler]) -> None:
    talk = Conversation()
    talk.handshake()
    key = segments(talk.packets)[0].key
    talk.client.loses(10)
    given_ = segments(talk.packets) + [
        Segment(3, 0, 6, key, 1011 + at * 7919 % 20_000, 0, ACK, b"x", FILE_STEP + at, 0)
        for at in range(20_000)
    ]
    answer = assert_same(machine, given_, (2, 9))
    assert max(size for size, _ in answer.waiting) <= MAX_PENDING + 1 + SEGMENT_COST


@given(chance=st.randoms(use_true_random=True))
def test_the_conversations_are_of_every_kind(chance: Random) -> None:
    """What the tests above compare is worth comparing."""
    seen: set[str] = set()
    for _ in range(40):
        answer = run(Reassembler(), capture(chance, (1, 2, 5, 30)), (9,))
        seen.update(
            f"{name} {event.how}" if isinstance(event, StreamEnd) else name
            for name, event in answer.events
        )
    assert seen >= {"Opened", "Chunk", "Gap", "Conflict", "StreamEnd fin", "StreamEnd reused"}
