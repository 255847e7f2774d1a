"""Compressed connections of which something was not captured: proved, or named and unread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer import compression, compression_proof, streaming
from analyzer.inputs.opening import join
from analyzer.streaming import CaptureStream, stream_capture
from analyzer.trace import Trace, open_capture
from analyzer.visibility import Visibility
from dissectors.sip.compression_mppc import KIB_64
from tests.analyzer.test_compression import ASKED, HANDSHAKE, PLAIN, packed, story
from tests.support.packets import pcap
from tests.support.sipcomp import AGREED, NEGOTIATE, Compressor
from tests.support.tls_captures import split, told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.packets import Tcp
    from tests.support.tls_captures import Write

PACKED = packed(PLAIN)
CLIENT, SERVER = 0, 1


@pytest.fixture(autouse=True, params=["compiled", "pure"])
def path_that_runs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run over both paths; where the twin is not built, over the pure one twice."""
    if request.param == "pure":
        monkeypatch.setattr("analyzer.parallel.compiled", lambda: False)
        monkeypatch.setattr(streaming, "compiled", lambda: False)
    monkeypatch.setattr(streaming, "MIN_STREAMED", 0)


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Where a capture is put."""
    return tmp_path / "x.pcap"


def opened(path: Path, packets: list[Tcp]) -> Trace:
    """Return the trace of a capture, to be closed."""
    path.write_bytes(pcap(packets))
    return open_capture(path)


def raws(trace: Trace, side: int) -> list[bytes]:
    """Return the messages of one direction."""
    rows = trace.rows
    return [trace.raw(row) for row in range(len(rows)) if rows.stream[row] == side]


def sent(side: int, writes: list[Write] = PLAIN) -> bytes:
    """Return what a side wrote."""
    return b"".join(data for from_client, data in writes if from_client is (side == CLIENT))


def first_of(side: int, packets: list[Tcp], after: int) -> int:
    """Return the place of the first packet with data of a side behind others."""
    source = packets[0].src if side == CLIENT else packets[1].src
    return next(
        at for at, one in enumerate(packets) if at >= after and one.payload and one.src == source
    )


BEHIND = HANDSHAKE + len(ASKED)
"""Packets before the first one that is compressed."""


@pytest.mark.parametrize("side", [CLIENT, SERVER])
def test_behind_an_agreement_a_hole_makes_the_rest_of_its_direction_unread(
    capture: Path, side: int
) -> None:
    packets = told([*ASKED, *PACKED])
    del packets[first_of(side, packets, BEHIND)]
    with opened(capture, packets) as trace:
        assert raws(trace, side) == [(NEGOTIATE, AGREED)[side]]
        assert b"".join(raws(trace, 1 - side)[1:]) == sent(1 - side)
        assert not any(trace.rows.notes)
        (note,) = trace.quality.notes
        lost = len(sent(side, PACKED)) - len(next(d for s, d in PACKED if s is (side == CLIENT)))
        assert note.startswith(f"{lost:,} bytes of frames ")
        assert "bytes are missing before them" in note
        assert {hole.stream for hole in trace.quality.holes} == {side}
        asked = [row for row in range(2, len(trace)) if trace.rows.stream[row] != side]
        seen = Visibility(trace)
        assert all(seen.hole_after(row) is not None for row in asked)


def test_what_is_not_compressed_is_read_behind_such_a_hole(capture: Path) -> None:
    writes = split(PLAIN, 100)
    packets = told([*ASKED, *writes])
    lost = first_of(SERVER, packets, BEHIND)
    del packets[lost]
    with opened(capture, packets) as trace:
        assert b"".join(raws(trace, CLIENT)[1:]) == sent(CLIENT)
        assert len(raws(trace, SERVER)) == sent(SERVER).count(b"\r\nCSeq: ")
        assert trace.quality.notes == ()


def test_both_directions_lost_their_first_packet(capture: Path) -> None:
    packets = told([*ASKED, *PACKED])
    for side in (CLIENT, SERVER):
        del packets[first_of(side, packets, BEHIND)]
    with opened(capture, packets) as trace:
        assert [trace.raw(row) for row in range(len(trace))] == [NEGOTIATE, AGREED]
        assert len(trace.quality.notes) == 2


@given(st.integers(0, 10_000), st.integers(40, 1460))
def test_where_the_hole_is_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, at: int, size: int
) -> None:
    """Rows of a direction are the messages before its hole, and nothing else."""
    packets = told(split([*ASKED, *PACKED[:20]], size))
    begun = HANDSHAKE + len(split(ASKED, size))
    places = [n for n, one in enumerate(packets) if n >= begun and one.payload]
    del packets[places[at % len(places)]]
    path = tmp_path_factory.mktemp("lost") / "x.pcap"
    with opened(path, packets) as trace:
        for side in (CLIENT, SERVER):
            found = b"".join(raws(trace, side)[1:])
            assert sent(side, PLAIN[:20]).startswith(found)
        assert trace.quality.holes


# What agreed was not captured


def lossless(trace: Trace) -> None:
    """Require that nothing of the sign-in is missing."""
    for side in (CLIENT, SERVER):
        assert b"".join(raws(trace, side)).endswith(sent(side))
    assert trace.quality.notes == ()
    assert trace.quality.counters["decompressed connections"] == 1
    assert "bytes between messages" not in trace.quality.counters


@pytest.mark.parametrize("size", [60, 1460])
def test_packets_prove_themselves_without_any_agreement(capture: Path, size: int) -> None:
    with opened(capture, told(split(PACKED, size))) as trace:
        lossless(trace)
        assert len(trace) == sum(sent(side).count(b"\r\nCSeq: ") for side in (CLIENT, SERVER))


@pytest.mark.parametrize("lost", [CLIENT, SERVER])
def test_one_message_of_the_agreement_is_enough(capture: Path, lost: int) -> None:
    packets = told([*ASKED, *PACKED])
    del packets[HANDSHAKE + lost]
    with opened(capture, packets) as trace:
        assert (trace.raw(0), len(raws(trace, lost))) == (
            (AGREED, NEGOTIATE)[lost],
            sent(lost).count(b"\r\nCSeq: "),
        )
        lossless(trace)


def test_an_answer_that_is_cut_at_a_hole_is_no_sign_of_plain_messages(capture: Path) -> None:
    """It ends before its CSeq, so that nobody sees what it answers."""
    cut = AGREED.index(b"Call-ID")
    packets = told([ASKED[0], (False, AGREED[:cut]), (False, AGREED[cut:]), *PACKED])
    del packets[HANDSHAKE + 2]
    with opened(capture, packets) as trace:
        assert [one.startswith(b"SIP/2.0 200") for one in raws(trace, SERVER)] == [True]
        assert b"".join(raws(trace, CLIENT)[1:]) == sent(CLIENT)
        assert "bytes are missing before them" in trace.quality.notes[0]


def test_the_kind_that_fits_is_found(capture: Path) -> None:
    ends = {True: Compressor(KIB_64), False: Compressor(KIB_64)}
    writes = [(side, ends[side].send(data)) for side, data in PLAIN]
    with opened(capture, told(writes)) as trace:
        lossless(trace)


def test_what_does_not_prove_itself_stays_as_it_was(
    capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The capture began in the middle: what the packets refer to is not in it."""
    packets = [one for one in told(PACKED)[20:] if one.payload]
    with opened(capture, packets) as trace:
        found = story(trace)
        assert "decompressed connections" not in trace.quality.counters
    monkeypatch.setattr(compression, "proved", lambda *_: [])
    with opened(capture, packets) as trace:
        assert story(trace) == found


def test_plain_messages_with_holes_are_not_tried(
    capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(compression_proof, "read_again", never)
    packets = told(split([(True, b"rest of something\r\n"), *PLAIN], 300))
    with opened(capture, [one for at, one in enumerate(packets) if at % 7 != 5]) as trace:
        assert len(trace) > 20


def test_no_more_connections_are_tried_than_a_bound_says(
    capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression_proof, "MAX_SUSPECTS", 1)
    two = [*told(PACKED), *told(PACKED, client="10.0.0.3:50001")]
    with opened(capture, two) as trace:
        assert trace.quality.counters["decompressed connections"] == 1
        assert len(trace.connections) == 2


@given(st.binary(min_size=1, max_size=40), st.integers(0, 10_000))
def test_damage_without_an_agreement_gives_values(
    tmp_path_factory: pytest.TempPathFactory, damage: bytes, at: int
) -> None:
    writes = PACKED[:12]
    side, data = writes[at % 12]
    place = at % len(data)
    writes[at % 12] = (side, data[:place] + damage + data[place + len(damage) :])
    path = tmp_path_factory.mktemp("damaged") / "x.pcap"
    with opened(path, told(writes)) as trace:
        read = [len(trace.raw(row)) for row in range(len(trace))]
        assert read == list(trace.rows.length)


# Read while it comes, and with others


@pytest.mark.parametrize("asked", [ASKED, []], ids=["agreed", "proved"])
def test_a_streamed_capture_shows_what_was_unpacked(capture: Path, asked: list[Write]) -> None:
    with opened(capture, told([*asked, *PACKED])) as trace:
        expected, quality = story(trace), trace.quality
    with stream_capture(capture) as stream:
        assert isinstance(stream, CaptureStream)
        found = [one for window in stream for one in story_of(window)]
    assert found == [one[:7] for one in expected]
    assert len(found) > 50
    assert stream.quality == quality


def story_of(window: object) -> Iterator[tuple[object, ...]]:
    """Return of each message of a window what ``story`` says, but for its parsed form."""
    assert isinstance(window, Trace)
    return (one[:7] for one in story(window))


def test_unpacked_messages_of_one_input_are_found_among_those_of_several(tmp_path: Path) -> None:
    one = opened(tmp_path / "client.pcap", told([*ASKED, *PACKED]))
    other = opened(tmp_path / "server.pcap", told([*ASKED, *PACKED], client="10.0.0.3:50001"))
    expected = sorted(trace.raw(row) for trace in (one, other) for row in range(len(trace)))
    unpacked = max(piece.offset for piece in one.rows.piece_list(len(one) - 1))
    assert unpacked > 1 << 62
    with join([one, other]) as both:
        seen = [both.raw(row) for row in range(len(both)) for _ in both.sightings(row)]
        assert sorted(seen) == expected
