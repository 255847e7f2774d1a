"""TCP reassembly, one test for each thing that happens to segments on their way into a capture."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dissectors.model import ACK, FIN, RST, SYN, Chunk, Piece, Segment
from dissectors.transport import reassembly
from dissectors.transport.direction import (
    HOLD_SEGMENTS,
    MAX_PENDING,
    MAX_PENDING_OTHER,
    MAX_PENDING_TOTAL,
    SEGMENT_COST,
)
from dissectors.transport.reassembly import KEEP_CLOSED, Reassembler
from tests.support import conversation
from tests.support.conversation import (
    CLIENT,
    MASK,
    SERVER,
    Conversation,
    Outcome,
    reassemble,
    reassemble_segments,
)
from tests.support.packets import FILE_STEP, Tcp, segments
from tests.support.twin import is_built

if TYPE_CHECKING:
    from collections.abc import Iterator

MACHINES = [pytest.param(Reassembler, id="reference")]
if is_built():
    twin = import_module("dissectors._speedups.reassembly_events").EventReassembler
    MACHINES.append(pytest.param(twin, id="twin"))


@pytest.fixture(autouse=True, scope="module", params=MACHINES)
def make(request: pytest.FixtureRequest) -> Iterator[type[Reassembler]]:
    """What makes a reassembler, also for the tests that leave it to ``reassemble``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversation, "Reassembler", request.param)
        yield request.param


TEXT = bytes(range(65, 91)) * 8


def opened() -> Conversation:
    talk = Conversation()
    talk.handshake()
    return talk


# in order, and cut anyhow


def test_bytes_in_order_are_handed_on_as_they_come() -> None:
    talk = opened()
    talk.client.sends(b"one")
    talk.server.sends(b"two")
    talk.client.sends(b"three")
    talk.close()
    outcome = reassemble(talk.packets)
    assert [(chunk.stream, chunk.data, chunk.frame) for chunk in outcome.chunks] == [
        (0, b"one", 3),
        (1, b"two", 4),
        (0, b"three", 5),
    ]
    assert outcome.ends == {0: "fin", 1: "fin"}
    assert [(one.connection, one.syn_seen, one.frame) for one in outcome.opened] == [(0, True, 1)]
    assert (outcome.gaps, outcome.conflicts, outcome.retransmissions) == ([], [], 0)


def test_a_chunk_carries_time_and_place_of_its_frame() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    (chunk,) = reassemble(talk.packets).chunks
    segment = segments(talk.packets)[2]
    assert chunk == Chunk(0, b"abc", 3, segment.time_ns, 6, segment.offset)


@given(st.lists(st.integers(1, len(TEXT) - 1), max_size=20))
def test_any_cut_gives_the_same_bytes(cuts: list[int]) -> None:
    talk = opened()
    edges = sorted({0, *cuts, len(TEXT)})
    for low, high in pairwise(edges):
        talk.client.sends(TEXT[low:high])
    assert reassemble(talk.packets).data == {0: TEXT}


def test_the_size_of_batches_does_not_matter() -> None:
    talk = opened()
    for _ in range(10):
        talk.client.sends(b"abcde")
    talk.client.sends(b"cd", at=2)
    talk.close()
    talk.packets[5], talk.packets[7] = talk.packets[7], talk.packets[5]
    whole, single = reassemble(talk.packets), reassemble(talk.packets, batch=1)
    assert whole == single


# sent twice


def test_a_duplicate_brings_nothing_and_is_counted() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.client.sends(b"abc", at=0)
    talk.client.sends(b"def")
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abcdef"}
    assert (outcome.retransmissions, outcome.conflicts) == (1, [])


def test_of_a_partial_overlap_only_the_new_bytes_are_handed_on() -> None:
    talk = opened()
    talk.client.sends(b"abcd")
    talk.client.sends(b"cdef", at=2)
    outcome = reassemble(talk.packets)
    assert [(chunk.data, chunk.offset) for chunk in outcome.chunks] == [
        (b"abcd", 3 * FILE_STEP),
        (b"ef", 4 * FILE_STEP + 2),
    ]
    assert outcome.conflicts == []


def test_of_conflicting_bytes_those_seen_first_are_used() -> None:
    talk = opened()
    talk.client.sends(b"abcd")
    talk.client.sends(b"cXef", at=2)
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abcdef"}
    assert [(one.stream, one.frame, one.length) for one in outcome.conflicts] == [(0, 4, 2)]


def test_conflicting_bytes_behind_a_hole_say_so_and_the_first_are_used() -> None:
    talk = opened()
    talk.client.sends(b"cdef", at=2)
    talk.client.sends(b"dX", at=3)
    talk.client.sends(b"ab", at=0)
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abcdef"}
    assert [one.frame for one in outcome.conflicts] == [4]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((4, b"efgh"), (2, b"cdEF")),  # reaches into it from below
        ((4, b"efgh"), (6, b"GHij")),  # and from above
        ((4, b"ef"), (2, b"cdEFghij")),  # and over both ends
        ((4, b"efgh"), (4, b"EFGH")),
        ((4, b"efgh"), (4, b"EFGHij")),
    ],
)
def test_what_was_seen_first_wins_while_it_waits(
    first: tuple[int, bytes], second: tuple[int, bytes]
) -> None:
    talk = opened()
    for at, data in (first, second):
        talk.client.sends(data, at=at)
    end = talk.client.position
    talk.client.sends(b"abcd", at=0)
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abcdefghij"[:end]}
    assert {one.frame for one in outcome.conflicts} == {4}
    assert outcome.gaps == []


def test_what_was_seen_first_wins_over_the_segment_that_fills_the_hole() -> None:
    talk = opened()
    talk.client.sends(b"cd", at=2)
    talk.client.sends(b"abXYef", at=0)
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abcdef"}
    assert [(chunk.data, chunk.frame, chunk.offset) for chunk in outcome.chunks] == [
        (b"ab", 4, 4 * FILE_STEP),
        (b"cd", 3, 3 * FILE_STEP),
        (b"ef", 4, 4 * FILE_STEP + 4),
    ]
    assert [(one.frame, one.length) for one in outcome.conflicts] == [(4, 2)]


def test_a_keep_alive_probe_with_a_garbage_byte_is_no_conflict() -> None:
    talk = opened()
    talk.client.sends(b"abcd")
    talk.client.sends(b"\0", at=3)
    talk.client.sends(b"ef")
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abcdef"}
    assert outcome.conflicts == []


# reordered


def test_segments_out_of_order_are_handed_on_in_order() -> None:
    talk = opened()
    for part in (b"ab", b"cd", b"ef"):
        talk.client.sends(part)
    talk.packets[2:] = talk.packets[:1:-1]
    outcome = reassemble(talk.packets)
    assert [(chunk.data, chunk.frame) for chunk in outcome.chunks] == [
        (b"ab", 5),
        (b"cd", 4),
        (b"ef", 3),
    ]
    assert outcome.gaps == []


def both_ways(size: int, step: int) -> list[Tcp]:
    talk = opened()
    for at in range(0, size, step):
        talk.client.sends(TEXT[at : at + step])
        talk.server.sends(TEXT[at : at + step].lower())
    talk.close()
    return talk.packets


LONG, SHORT = both_ways(len(TEXT), 4), both_ways(100, 10)


@given(st.permutations(LONG[2:]))
def test_any_order_gives_the_same_bytes_when_the_syn_is_there(rest: list[Tcp]) -> None:
    outcome = reassemble(LONG[:2] + rest)
    assert outcome.data == {0: TEXT, 1: TEXT.lower()}
    assert outcome.gaps == []
    assert outcome.ends == {0: "fin", 1: "fin"}


@given(st.one_of(st.permutations(SHORT), st.permutations(SHORT[2:])))
def test_a_short_connection_may_be_shuffled_with_its_syn_and_fin(packets: list[Tcp]) -> None:
    outcome = reassemble(packets)
    assert sorted(outcome.data.values()) == [TEXT[:100], TEXT[:100].lower()]
    assert len(outcome.opened) == 1
    assert outcome.gaps == []
    if not packets[0].flags & FIN:  # one that comes before all else opens no connection
        assert set(outcome.ends.values()) == {"fin"}


def test_a_fin_captured_before_all_data_does_not_end_the_stream() -> None:
    talk = Conversation()
    talk.client.sends(b"abc")
    talk.client.sends(b"def")
    talk.client.fin()
    first, second, fin = talk.packets
    outcome = reassemble([second, fin, first])
    assert outcome.data == {0: b"abcdef"}
    assert outcome.ends[0] == "fin"


def test_a_fin_without_anything_else_opens_no_connection() -> None:
    talk = Conversation()
    talk.client.fin()
    assert reassemble(talk.packets).opened == []


def test_a_window_of_segments_may_be_late() -> None:
    talk = opened()
    size = MAX_PENDING_OTHER // 80
    for at in range(80):
        talk.client.sends(bytes([at]) * (size - SEGMENT_COST))
    late = talk.packets.pop(2)
    talk.packets.append(late)
    outcome = reassemble(talk.packets)
    assert outcome.gaps == []
    assert outcome.data[0] == b"".join(bytes([at]) * (size - SEGMENT_COST) for at in range(80))


# the beginning


def test_without_a_syn_reading_begins_with_the_first_bytes() -> None:
    talk = Conversation()
    talk.client.sends(b"abc")
    talk.client.sends(b"def")
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abcdef"}
    assert [one.syn_seen for one in outcome.opened] == [False]
    assert outcome.ends == {0: "end", 1: "end"}


def test_without_a_syn_a_shuffle_of_the_first_segments_is_undone() -> None:
    talk = Conversation()
    for at in range(HOLD_SEGMENTS):
        talk.client.sends(TEXT[at : at + 1])
    talk.packets.reverse()
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: TEXT[:HOLD_SEGMENTS]}


def test_without_a_syn_the_side_with_the_known_port_is_the_server() -> None:
    talk = Conversation()
    talk.server.sends(b"from the server")
    outcome = reassemble(talk.packets)
    assert outcome.data == {1: b"from the server"}
    assert outcome.opened[0].key == segments([Tcp(CLIENT, SERVER, 0)])[0].key


def test_without_a_syn_and_known_ports_the_higher_port_is_the_client() -> None:
    talk = Conversation("10.0.0.1:40000", "10.0.0.2:8057")
    talk.server.sends(b"from the server")
    assert reassemble(talk.packets).data == {1: b"from the server"}


def test_the_answer_to_a_syn_alone_says_who_opened() -> None:
    talk = Conversation("10.0.0.1:1025", "10.0.0.2:40000")
    talk.server.syn(ack=True)
    talk.client.sends(b"abc")
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abc"}
    assert outcome.opened[0].syn_seen


def test_a_syn_captured_late_opens_no_second_connection() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.client.sends(b"def")
    syn, answer, *data = talk.packets
    outcome = reassemble([*data, syn, answer])
    assert outcome.data == {0: b"abcdef"}
    assert len(outcome.opened) == 1


def test_a_syn_captured_after_many_segments_opens_no_second_connection() -> None:
    talk = opened()
    for _ in range(2 * HOLD_SEGMENTS):
        talk.client.sends(b"ab")
    syn, answer, *data = talk.packets
    outcome = reassemble([*data, syn, answer])
    assert outcome.data == {0: b"ab" * 2 * HOLD_SEGMENTS}
    assert len(outcome.opened) == 1


def test_a_syn_sent_twice_opens_one_connection() -> None:
    talk = Conversation()
    talk.client.syn()
    talk.client.syn()
    talk.server.syn(ack=True)
    talk.server.syn(ack=True)
    talk.client.sends(b"abc")
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abc"}
    assert len(outcome.opened) == 1


def test_data_in_a_syn_comes_first() -> None:
    talk = Conversation()
    talk.client.syn(b"early ")
    talk.server.syn(ack=True)
    talk.client.sends(b"late")
    assert reassemble(talk.packets).data == {0: b"early late"}


def test_data_in_a_syn_that_was_not_taken_is_sent_again() -> None:
    talk = Conversation()
    talk.client.syn(b"early ")
    talk.server.syn(ack=True)
    talk.client.sends(b"early late", at=0)
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"early late"}
    assert outcome.conflicts == []


# the numbers wrap


@pytest.mark.parametrize("before", range(7))
def test_sequence_numbers_wrap_in_the_middle_of_data(before: int) -> None:
    talk = Conversation(isns=((-1 - before) & MASK, 5))
    talk.handshake()
    for part in (b"ab", b"cd", b"ef"):
        talk.client.sends(part)
    talk.packets[3], talk.packets[4] = talk.packets[4], talk.packets[3]
    talk.client.sends(b"bcde", at=1)
    talk.client.fin()
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abcdef"}
    assert outcome.ends[0] == "fin"
    assert (outcome.gaps, outcome.conflicts, outcome.retransmissions) == ([], [], 1)


def test_sequence_numbers_wrap_while_the_beginning_is_unknown() -> None:
    talk = Conversation(isns=(MASK - 3, 5))
    for part in (b"ab", b"cd", b"ef"):
        talk.client.sends(part)
    talk.packets.reverse()
    assert reassemble(talk.packets).data == {0: b"abcdef"}


def test_a_stream_of_more_than_four_gigabytes_goes_on() -> None:
    talk = opened()
    for _ in range(5):  # most of a GiB is cut off by the snap length
        talk.client.sends(b"abcd", missing=(1 << 30) - 4)
        talk.client.sends(b"efgh")
    talk.client.sends(b"fgXij", at=talk.client.position - 3)
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: 5 * b"abcdefgh" + b"ij"}
    assert [gap.length for gap in outcome.gaps] == 5 * [(1 << 30) - 4]
    assert [(one.frame, one.length) for one in outcome.conflicts] == [(13, 3)]


# holes


def test_a_hole_at_the_end_of_the_capture_is_a_gap_and_later_bytes_follow() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.client.loses(5)
    talk.client.sends(b"def")
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abcdef"}
    assert [(gap.stream, gap.length, gap.frame) for gap in outcome.gaps] == [(0, 5, 4)]


def test_several_holes_are_several_gaps() -> None:
    talk = opened()
    for part in (b"ab", b"cd", b"ef"):
        talk.client.loses(3)
        talk.client.sends(part)
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abcdef"}
    assert [(gap.length, gap.frame) for gap in outcome.gaps] == [(3, 3), (3, 4), (3, 5)]


def test_what_is_missing_before_the_end_of_a_connection_is_a_gap() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.client.loses(5)
    talk.close()
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abc"}
    assert [(gap.stream, gap.length) for gap in outcome.gaps] == [(0, 5)]
    assert outcome.ends == {0: "fin", 1: "fin"}


def test_a_hole_is_given_up_at_the_limit_of_a_stream(make: type[Reassembler]) -> None:
    talk = opened()
    talk.client.loses(10)
    for _ in range(MAX_PENDING_OTHER // 1000 + 1):
        talk.client.sends(bytes(1000))
    machine = make()
    given = segments(talk.packets)
    assert not any(isinstance(event, Chunk) for event in machine.feed(given[:-20]))
    events = machine.feed(given[-20:])
    assert sum(len(event.data) for event in events if isinstance(event, Chunk)) == 66_000


def test_a_stream_that_carries_sip_may_wait_longer(make: type[Reassembler]) -> None:
    talk = opened()
    lost = b"0123456789"
    talk.client.loses(len(lost))
    for _ in range(MAX_PENDING // 2000):
        talk.client.sends(bytes(1000))
    talk.client.sends(lost, at=0)
    machine, outcome = make(), Outcome()
    given = segments(talk.packets)
    for event in machine.feed(given[:2]):
        outcome.take(event)
    machine.expect_more(0)
    for event in machine.feed(given[2:]):
        outcome.take(event)
    assert outcome.data[0].startswith(lost)
    assert outcome.gaps == []


def test_bytes_cut_by_the_snap_length_are_a_gap_at_once(make: type[Reassembler]) -> None:
    talk = opened()
    talk.client.sends(b"abc", missing=7)
    talk.client.sends(b"klm")
    machine = make()
    events = machine.feed(segments(talk.packets))
    assert [type(event).__name__ for event in events] == ["Opened", "Chunk", "Gap", "Chunk"]
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abcklm"}
    assert [(gap.length, gap.frame) for gap in outcome.gaps] == [(7, 3)]


def test_a_segment_of_which_nothing_was_captured_is_a_gap() -> None:
    talk = opened()
    talk.client.sends(b"", missing=7)
    talk.client.sends(b"klm")
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"klm"}
    assert [gap.length for gap in outcome.gaps] == [7]


def test_a_cut_segment_out_of_order_and_sent_twice_is_one_gap() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.client.sends(b"def", missing=4)
    talk.client.sends(b"klm")
    talk.client.sends(b"def", at=3, missing=4)
    first, second = talk.packets[2:4]
    talk.packets[2:4] = [second, first]
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abcdefklm"}
    assert [gap.length for gap in outcome.gaps] == [4]


def test_bytes_that_wait_are_kept_when_a_cut_segment_covers_them() -> None:
    talk = opened()
    talk.client.sends(b"ef", at=4)
    talk.client.sends(b"ab", at=0, missing=6)
    talk.client.sends(b"ij", at=8)
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abefij"}
    assert sum(gap.length for gap in outcome.gaps) == 4


# the end


def test_a_retransmission_after_the_fin_changes_nothing() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.close()
    talk.client.sends(b"abc", at=0)
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abc"}
    assert len(outcome.opened) == 1
    assert outcome.retransmissions == 1


def test_a_segment_that_reaches_over_the_fin_adds_nothing() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.close()
    talk.client.sends(b"cXYZ", at=2)
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abc"}
    assert outcome.ends == {0: "fin", 1: "fin"}


def test_data_in_the_place_of_the_fin_belongs_to_no_ended_stream() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.close()
    talk.client.sends(b"more", at=3)
    outcome = reassemble(talk.packets)  # asserts that nothing follows the end of a stream
    assert outcome.data[0] == b"abc"
    assert b"more" in outcome.data.values()


def test_the_fin_may_carry_the_last_bytes() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.client.fin(b"def")
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abcdef"}
    assert outcome.ends[0] == "fin"


def test_segments_captured_after_both_fins_still_count() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.client.sends(b"def")
    talk.close()
    talk.packets.append(talk.packets.pop(2))
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abcdef"}
    assert outcome.gaps == []
    assert outcome.ends == {0: "fin", 1: "fin"}


def test_a_fin_in_the_middle_of_known_bytes_is_no_end() -> None:
    talk = opened()
    talk.client.sends(b"abcdef")
    talk.packets.append(Tcp(CLIENT, SERVER, talk.client.sequence(2), FIN | ACK))
    talk.packets.append(Tcp(CLIENT, SERVER, talk.client.sequence(1 << 31), FIN | ACK))
    talk.client.sends(b"ghi")
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abcdefghi"}
    assert outcome.ends[0] == "end"


def test_an_rst_ends_both_directions() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.server.rst()
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abc"}
    assert outcome.ends == {0: "rst", 1: "rst"}


def test_segments_captured_after_an_rst_still_count() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.client.sends(b"def")
    talk.server.rst()
    talk.packets.append(talk.packets.pop(3))
    assert reassemble(talk.packets).data == {0: b"abcdef"}


def test_the_text_of_an_rst_is_not_part_of_the_stream() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.packets.append(Tcp(CLIENT, SERVER, talk.client.sequence(3), RST, b"go away"))
    assert reassemble(talk.packets).data == {0: b"abc"}


def test_a_refused_attempt_does_not_spoil_the_next_one() -> None:
    talk = Conversation()
    talk.client.syn()
    talk.packets.append(Tcp(SERVER, CLIENT, 0, RST | ACK))
    talk.client.syn()
    talk.server.syn(ack=True)
    talk.client.sends(b"abc")
    talk.server.sends(b"def")
    talk.close()
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abc", 1: b"def"}
    assert outcome.ends == {0: "fin", 1: "fin"}


# the same ports again


def test_a_syn_with_another_number_opens_a_new_connection() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    again = Conversation(isns=(70_000, 80_000), packets=talk.packets)
    again.handshake()
    again.client.sends(b"def")
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abc", 2: b"def"}
    assert outcome.ends == {0: "reused", 1: "reused", 2: "end", 3: "end"}
    assert [one.syn_seen for one in outcome.opened] == [True, True]


def test_a_syn_of_the_other_side_opens_a_new_connection_the_other_way() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.close()
    again = Conversation(SERVER, CLIENT, isns=(70_000_000, 80_000_000), packets=talk.packets)
    again.handshake()
    again.client.sends(b"def")
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abc", 2: b"def"}
    assert outcome.opened[1].key == segments([Tcp(SERVER, CLIENT, 0)])[0].key


def test_a_syn_after_the_middle_of_an_older_connection_opens_a_new_one() -> None:
    talk = Conversation()
    talk.client.sends(b"abc")
    talk.server.sends(b"def")
    again = Conversation(isns=(3_000_000_000, 2_000_000_000), packets=talk.packets)
    again.handshake()
    again.client.sends(b"ghi")
    again.server.sends(b"jkl")
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abc", 1: b"def", 2: b"ghi", 3: b"jkl"}
    assert outcome.gaps == []


def test_far_away_numbers_without_a_syn_are_a_new_connection() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.server.sends(b"ABC")
    again = Conversation(isns=(2_000_000_000, 3_000_000_000), packets=talk.packets)
    again.client.sends(b"def")
    again.server.sends(b"DEF")
    again.client.sends(b"ghi")
    again.server.sends(b"GHI")
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abc", 1: b"ABC", 2: b"defghi", 3: b"DEFGHI"}
    assert outcome.ends[0] == "reused"


def test_a_request_and_its_answer_far_away_are_a_new_connection() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.server.sends(b"ABC")
    again = Conversation(isns=(2_000_000_000, 3_000_000_000), packets=talk.packets)
    again.client.sends(b"def")
    again.server.sends(b"DEF")
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abc", 1: b"ABC", 2: b"def", 3: b"DEF"}
    assert len(outcome.opened) == 2


def test_after_the_end_the_ports_may_be_used_again_without_a_syn() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.close()
    again = Conversation(isns=(2_000_000_000, 3_000_000_000), packets=talk.packets)
    again.client.sends(b"def")
    again.server.sends(b"DEF")
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abc", 2: b"def", 3: b"DEF"}


@pytest.mark.parametrize("copies", [1, 2])
def test_a_forged_far_segment_does_not_derail_the_stream(copies: int) -> None:
    talk = opened()
    talk.client.sends(b"abc")
    for _ in range(copies):
        talk.packets.append(Tcp(CLIENT, SERVER, 3_000_000_000, ACK, b"forged"))
    talk.client.sends(b"def")
    talk.client.sends(b"ghi")
    talk.close()
    outcome = reassemble(talk.packets)
    assert outcome.data[0] == b"abcdefghi"
    assert outcome.ends[0] == "fin"
    assert outcome.data.get(2, b"forged") == b"forged"


def test_a_late_retransmission_after_a_connection_was_forgotten_is_no_new_one() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.server.sends(b"ABC")
    talk.close()
    for number in range(KEEP_CLOSED + 1):
        other = Conversation(f"10.1.{number >> 8}.{number & 255}:40000", packets=talk.packets)
        other.handshake()
        other.close()
    talk.client.sends(b"abc", at=0)
    talk.server.sends(b"C", at=2)
    outcome = reassemble(talk.packets)
    assert outcome.data == {0: b"abc", 1: b"ABC"}
    assert len(outcome.opened) == KEEP_CLOSED + 2
    assert outcome.retransmissions == 2


def test_a_connection_that_was_forgotten_and_goes_on_loses_no_byte(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reassembly, "MAX_CONNECTIONS", 2)
    talk = opened()
    talk.client.sends(b"abc")
    for number in range(3):
        Conversation(f"10.1.0.{number}:40000", packets=talk.packets).handshake()
    talk.client.sends(b"def")
    outcome = reassemble(talk.packets)
    assert outcome.data[0] == b"abc"
    assert b"def" in outcome.data.values()


def test_what_is_remembered_of_forgotten_connections_is_bounded(
    make: type[Reassembler], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reassembly, "KEEP_CLOSED", 2)
    monkeypatch.setattr(reassembly, "KEEP_TOMBSTONES", 6)
    machine = make()
    packets: list[Tcp] = []
    for number in range(20):
        talk = Conversation(f"10.1.0.{number}:40000", packets=packets)
        talk.handshake()
        talk.client.sends(b"abc")
        talk.close()
    machine.feed(segments(packets))
    assert len(machine._connections) == len(machine._closed) == 2
    assert len(machine._tombstones) == 6
    assert len(machine._flows) == 4


def test_one_direction_alone_is_enough() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.server.sends(b"def")
    talk.close()
    outcome = reassemble([packet for packet in talk.packets if packet.src == SERVER])
    assert outcome.data == {1: b"def"}
    assert outcome.ends == {0: "end", 1: "fin"}


def test_segments_without_bytes_of_an_unknown_connection_open_none() -> None:
    talk = Conversation()
    talk.client.sends(b"")
    talk.server.sends(b"")
    talk.client.rst()
    assert reassemble(talk.packets).opened == []


def test_ipv6_is_the_same() -> None:
    talk = Conversation("[fd00::1]:50000", "[fd00::2]:5060")
    talk.handshake()
    talk.client.sends(b"abc")
    talk.server.sends(b"def")
    assert reassemble(talk.packets).data == {0: b"abc", 1: b"def"}


def test_the_pieces_of_a_fragmented_segment_stay_with_their_bytes() -> None:
    talk = opened()
    talk.client.sends(b"abcd")
    first, second, third = segments(talk.packets)
    pieces = (Piece(3, 500, 3), Piece(4, 900, 5))
    fragmented = third._replace(
        frame=4, seq=third.seq + 2 & MASK, payload=b"cdefghij", fragments=pieces
    )
    outcome = reassemble_segments([first, second, third, fragmented])
    assert outcome.chunks[1].data == b"efghij"
    assert outcome.chunks[1].fragments == (Piece(3, 502, 1), Piece(4, 900, 5))


# streams that nobody wants


def test_nothing_is_handed_on_of_a_direction_that_was_dropped(make: type[Reassembler]) -> None:
    talk = opened()
    talk.client.sends(b"abc")
    talk.client.sends(b"def")
    talk.server.sends(b"DEF")
    talk.close()
    machine, outcome = make(), Outcome()
    given = segments(talk.packets)
    for event in machine.feed(given[:3]):
        outcome.take(event)
    machine.drop(0)
    for event in [*machine.feed(given[3:]), *machine.close()]:
        outcome.take(event)
    assert outcome.data == {0: b"abc", 1: b"DEF"}
    assert outcome.ends == {0: "fin", 1: "fin"}
    machine.drop(0)
    machine.expect_more(0)
    assert machine.close() == []


# hostile


def pending(machine: Reassembler) -> int:
    return machine._budget.pending


@pytest.mark.untraced
def test_tiny_segments_out_of_order_stay_under_the_limit(make: type[Reassembler]) -> None:
    talk = opened()
    machine = make()
    machine.feed(segments(talk.packets))
    handed_on, most = 0, 0
    key = segments(talk.packets)[0].key
    for round_ in range(20):
        batch = [
            Segment(3, 0, 6, key, 2001 + 2 * (round_ * 10_000 + at), 0, ACK, b"x", 0, 0)
            for at in range(10_000)
        ]
        handed_on += sum(isinstance(event, Chunk) for event in machine.feed(batch))
        most = max(most, pending(machine))
    assert most <= MAX_PENDING_OTHER
    handed_on += sum(isinstance(event, Chunk) for event in machine.close())
    assert handed_on == 200_000
    assert pending(machine) == 0


@pytest.mark.untraced
def test_tiny_segments_in_reverse_order_stay_under_the_limit(make: type[Reassembler]) -> None:
    talk = opened()
    machine = make()
    machine.feed(segments(talk.packets))
    machine.expect_more(0)
    key = segments(talk.packets)[0].key
    batch = [Segment(3, 0, 6, key, 1_000_000 - 2 * at, 0, ACK, b"x", 0, 0) for at in range(100_000)]
    events = machine.feed(batch)
    assert pending(machine) <= MAX_PENDING
    events += machine.close()
    assert sum(isinstance(event, Chunk) for event in events) <= 100_000
    assert pending(machine) == 0


def test_all_connections_together_stay_under_the_limit(
    make: type[Reassembler], monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = 1 << 20
    monkeypatch.setattr("dissectors.transport.direction.MAX_PENDING_TOTAL", limit)
    assert limit < MAX_PENDING_TOTAL
    machine = make()
    payload = bytes(1400)
    for number in range(2000):
        talk = Conversation(f"10.2.{number >> 8}.{number & 255}:40000")
        talk.handshake()
        talk.client.loses(10)
        talk.client.sends(payload)
        talk.packets.append(Tcp(talk.packets[0].src, SERVER, 3_000_000_000, ACK, payload))
        machine.feed(segments(talk.packets))
        assert pending(machine) <= limit + 2 * len(payload) + 2 * SEGMENT_COST
    machine.close()
    assert pending(machine) == 0


def test_segments_that_fit_nowhere_are_bounded_and_come_out_at_the_end() -> None:
    talk = opened()
    talk.client.sends(b"abc")
    far = 100 << 20
    for number in range(10):
        talk.packets.append(
            Tcp(CLIENT, SERVER, talk.client.sequence(far * (number + 1)), ACK, b"%d" % number)
        )
    outcome = reassemble(talk.packets)
    assert outcome.data[0] == b"abc"
    assert sorted(set(outcome.data.values()) - {b"abc"}) == [b"%d" % n for n in range(10)]


anything = st.builds(
    Tcp,
    st.just(CLIENT),
    st.just(SERVER),
    st.one_of(
        st.integers(990, 1060), st.integers(0, MASK), st.integers(MASK - 20, MASK), st.just(0)
    ),
    st.sampled_from((0, ACK, ACK, ACK, FIN | ACK, SYN, SYN | ACK, RST, SYN | FIN | RST, 0xFF)),
    st.binary(max_size=6),
    st.sampled_from((0, 0, 0, 0, 3)),
)


def sent(seq: int, data: bytes, flags: int = 0, missing: int = 0) -> tuple[Tcp, bool]:
    return Tcp(CLIENT, SERVER, seq, flags, data, missing), False


FOREIGN_TO_TWO_CONNECTIONS = [
    sent(0, b"a"), sent(1045, b"bc", missing=3),
    (Tcp(CLIENT, SERVER, 0, 0, b"defghi"), True), (Tcp(CLIENT, SERVER, 0, 0, b"DEFGHI"), True),
    sent(0, b"jklmno", missing=3), sent(990, b"p"), sent(16_778_206, b"q"), sent(33_555_422, b"r"),
    sent(990, b"stu", SYN), sent(0, b"vw", RST),
]  # fmt: skip


@given(st.lists(st.tuples(anything, st.booleans()), max_size=60))
@example(FOREIGN_TO_TWO_CONNECTIONS)
def test_whatever_comes_the_order_of_events_holds(
    make: type[Reassembler], script: list[tuple[Tcp, bool]]
) -> None:
    packets = [
        packet._replace(src=packet.dst, dst=packet.src) if back else packet
        for packet, back in script
    ]
    machine = make()
    whole = reassemble(packets)
    single = reassemble(packets, batch=1)
    assert whole == single
    machine.feed(segments(packets))
    machine.close()
    assert pending(machine) == 0
