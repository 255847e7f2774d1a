"""What must hold of any capture: how it was cut, repeated or disordered changes no message."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analyzer.pipeline import Pipeline
from dissectors.capture.pcap import PcapReader
from dissectors.model import FIN, SYN, Frame, Malformed, Segment, address_text
from dissectors.notes import TRUNCATED
from dissectors.transport.decoder import FrameDecoder
from tests.paths import SAMPLES
from tests.support.packets import START_NS, Tcp, pcap

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random  # noqa: TID251  (the type of what hypothesis draws)

    from analyzer.reading import Reading

pytestmark = pytest.mark.untraced


SAMPLE = (SAMPLES / "callid-collision.pcap").read_bytes()


class Message(NamedTuple):
    """What is compared of a message."""

    digest: str
    notes: int


def read(data: bytes, *, at: Sequence[int] = ()) -> Reading:
    """Read a capture that comes in pieces cut at some places."""
    pipeline = Pipeline()
    places = [0, *sorted(place % (len(data) + 1) for place in at), len(data)]
    for begin, end in pairwise(places):
        pipeline.feed(data[begin:end])
    reading = pipeline.close()
    reading.settle()
    return reading


def by_row(data: bytes, reading: Reading) -> dict[int, Message]:
    """Return the messages by the number of their row."""
    rows, found = reading.rows, {}
    for row in range(len(rows)):
        pieces = rows.piece_list(row)
        raw = b"".join(data[piece.offset : piece.offset + piece.length] for piece in pieces)
        found[row] = Message(hashlib.sha1(raw).hexdigest(), rows.notes[row])
    return found


def messages(data: bytes, reading: Reading) -> dict[tuple[str, str], list[Message]]:
    """Return the messages by direction; their order in it is not compared."""
    rows = reading.rows
    found: dict[tuple[str, str], list[Message]] = defaultdict(list)
    for row, message in by_row(data, reading).items():
        ends = address_text(reading.flows[rows.stream[row] >> 1].key)
        found[ends if not rows.stream[row] & 1 else ends[::-1]].append(message)
    return {way: sorted(those) for way, those in found.items()}


@cache
def script() -> tuple[Tcp, ...]:
    """Return the TCP segments of the sample, keep-alives and pure acknowledgements left out."""
    frames = [one for one in PcapReader().feed(SAMPLE) if isinstance(one, Frame)]
    found = []
    for segment in FrameDecoder().feed(frames):
        assert isinstance(segment, Segment)
        if segment.payload or segment.flags & (SYN | FIN):
            src, dst = address_text(segment.key)
            found.append(Tcp(src, dst, segment.seq, segment.flags, segment.payload))
    return tuple(found)


@cache
def expected() -> dict[tuple[str, str], list[Message]]:
    data = pcap(script())
    return messages(data, read(data))


def cut(packet: Tcp, sizes: Sequence[int]) -> list[Tcp]:
    """Cut a segment into smaller ones."""
    parts, at, flags = [], 0, packet.flags
    for size in sizes:
        if at + size < len(packet.payload):
            end = at + size
            part = packet._replace(
                seq=packet.seq + at & 0xFFFFFFFF, payload=packet.payload[at:end], flags=flags & ~FIN
            )
            parts.append(part)
            at = end
    rest = packet._replace(seq=packet.seq + at & 0xFFFFFFFF, payload=packet.payload[at:])
    return [*parts, rest]


def test_the_sample_as_a_script_is_the_sample() -> None:
    assert sum(map(len, expected().values())) == 114
    assert messages(SAMPLE, read(SAMPLE)) == expected()


@given(st.lists(st.integers(0, len(SAMPLE)), max_size=40))
@example([1, 2, 3, 23, 24, 25, 39, 40, 41])
def test_cutting_the_file_anywhere_changes_nothing(places: list[int]) -> None:
    assert messages(SAMPLE, read(SAMPLE, at=places)) == expected()


@given(st.randoms(use_true_random=False))
def test_any_segmentation_gives_the_same_messages(random: Random) -> None:
    packets = [
        part
        for packet in script()
        for part in cut(packet, [random.choice((1, 2, 7, 100, 536)) for _ in range(6)])
        if not packet.flags & SYN
    ]
    opening = [packet for packet in script() if packet.flags & SYN]
    data = pcap([*opening, *packets])
    assert messages(data, read(data)) == expected()


@given(st.randoms(use_true_random=False))
def test_any_repetition_gives_the_same_messages(random: Random) -> None:
    packets: list[Tcp] = []
    for packet in script():
        packets.append(packet)
        if random.random() < 0.3:  # again, or a part of it, or together with what came before
            packets += cut(random.choice(packets[-8:]), [random.randint(1, 400)])
    data = pcap(packets)
    assert messages(data, read(data)) == expected()


@given(st.randoms(use_true_random=False))
def test_any_order_gives_the_same_messages(random: Random) -> None:
    packets = list(script())
    random.shuffle(packets)
    # A connection begins with its SYN; everything else may come in any order.
    packets.sort(key=lambda packet: not packet.flags & SYN)
    data = pcap(packets)
    assert messages(data, read(data)) == expected()


@given(st.randoms(use_true_random=False))
def test_any_order_of_a_connection_gives_the_same_messages_syn_and_fin_included(
    random: Random,
) -> None:
    packets = list(script())
    random.shuffle(packets)
    data = pcap(packets)
    assert messages(data, read(data)) == expected()


@given(st.randoms(use_true_random=False), st.integers(2, 12))
def test_disorder_gives_the_same_messages_without_any_syn(random: Random, window: int) -> None:
    packets = [packet for packet in script() if not packet.flags & SYN]
    keyed = [(at + random.random() * window, packet) for at, packet in enumerate(packets)]
    data = pcap([packet for _, packet in sorted(keyed, key=lambda one: one[0])])
    assert messages(data, read(data)) == expected()


@given(st.data())
def test_a_lost_frame_loses_only_the_messages_that_had_bytes_in_it(data: st.DataObject) -> None:
    packets = list(script())
    carrying = [at for at, packet in enumerate(packets) if packet.payload]
    lost = set(data.draw(st.lists(st.sampled_from(carrying), min_size=1, max_size=6)))
    whole_file = pcap(packets)
    whole = read(whole_file)
    survivors = {
        hashlib.sha1(
            b"".join(
                whole_file[piece.offset : piece.offset + piece.length]
                for piece in whole.rows.piece_list(row)
            )
        ).hexdigest()
        for row in range(len(whole.rows))
        if not lost & {frame - 1 for frame in whole.rows.frames(row)}
    }
    file = pcap([packet for at, packet in enumerate(packets) if at not in lost])
    found = {message.digest for those in messages(file, read(file)).values() for message in those}
    assert survivors <= found


def test_of_each_frame_that_may_be_lost_only_its_own_messages_are() -> None:
    packets = tuple(dict.fromkeys(script()))  # without what was sent twice
    file = pcap(packets)
    reading = read(file)
    digest_of = {row: one.digest for row, one in by_row(file, reading).items()}
    for lost, packet in enumerate(packets, 1):
        if packet.payload:
            left = pcap([one for at, one in enumerate(packets, 1) if at != lost])
            found = [
                one.digest
                for one in by_row(left, read(left)).values()
                if not one.notes & TRUNCATED  # what is left of those that had bytes in it
            ]
            survivors = [
                digest for row, digest in digest_of.items() if lost not in reading.rows.frames(row)
            ]
            assert sorted(found) == sorted(survivors), lost


@given(st.binary(max_size=4000))
def test_random_bytes_are_no_capture_and_no_error(data: bytes) -> None:
    reading = read(data)
    assert reading.damaged
    assert reading.problems[0].layer == "capture"
    assert len(reading.rows) == 0


@given(st.lists(st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255)), max_size=60))
def test_damaged_bytes_raise_nothing_and_rows_still_find_their_bytes(
    damage: list[tuple[int, int]],
) -> None:
    data = bytearray(SAMPLE)
    for place, byte in damage:
        data[place] = byte
    file = bytes(data)
    reading = read(file)
    for row in range(len(reading.rows)):
        length = sum(piece.length for piece in reading.rows.piece_list(row))
        assert length == reading.rows.length[row]
    messages(file, reading)


@given(st.integers(0, 300), st.binary(max_size=300))
def test_any_link_type_takes_any_bytes(link: int, data: bytes) -> None:
    decoder = FrameDecoder()
    found = decoder.feed([Frame(1, START_NS, 6, link, data, 0, len(data))])
    for one in [*found, *decoder.close()]:
        if not isinstance(one, Malformed):
            assert len(one.payload) <= len(data)
