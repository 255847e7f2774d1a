"""A capture that grows: at its end it is what the whole gives, until then it tells no lies."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.diagnostics.table import diagnose
from analyzer.live.changes import Changes
from analyzer.live.growing import LATE_NS, PATIENCE_NS, Clock, Growing
from analyzer.live.picture import picture_of
from analyzer.live.retention import QUIET_NS
from analyzer.times import SECOND
from analyzer.trace import open_capture
from analyzer.views.messages import message_record
from analyzer.views.triage import triage_record
from tests.paths import SAMPLES
from tests.support.conversation import Conversation
from tests.support.growth import again, frames_of, in_pieces
from tests.support.packets import START_NS, STEP_NS, pcap
from tests.support.sip_texts import message

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CAPTURES = sorted(path for path in SAMPLES.iterdir() if path.suffix in (".pcap", ".pcapng"))
SILENT = SAMPLES / "fault-no-reply.pcap"
SIGNED_OFF = SAMPLES / "twousers-post.pcap"
every_sample = pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.name)


def triage_of_growth(name: str, pieces: Iterable[bytes]) -> dict[str, Any]:
    with Growing(name) as growing:
        for number, piece in enumerate(pieces):
            growing.feed(piece, number)
        growing.finish()
        return triage_record(growing.snapshot(), name)


def triage_of_file(path: Path) -> dict[str, Any]:
    with open_capture(path, index=False) as trace:
        found = triage_record(trace, str(path))
        found["quality"]["remarks"] = [
            text for text in found["quality"]["remarks"] if text not in trace.quality.notes
        ]  # which keys are missing is known at the end only
        found["quality"]["tls"] = []
        return found


def cut_at(data: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted({place % len(data) for place in places}), len(data)]
    return [data[low:high] for low, high in pairwise(bounds)]


@every_sample
@settings(max_examples=3, deadline=None)
@given(st.lists(st.integers(0, 1 << 30), max_size=40))
def test_however_it_came_the_end_is_what_the_whole_file_gives(
    capture: Path, places: list[int]
) -> None:
    found = triage_of_growth(str(capture), cut_at(capture.read_bytes(), places))
    assert found == triage_of_file(capture)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=30),
    st.lists(st.integers(0, 1 << 20), max_size=6),
)
def test_whatever_bytes_come_there_is_a_picture_of_them(
    damage: list[tuple[int, int]], places: list[int]
) -> None:
    data = bytearray((SAMPLES / "fault-503.pcap").read_bytes())
    for at, value in damage:
        data[at % len(data)] = value
    with Growing("damaged") as growing:
        for number, piece in enumerate(cut_at(bytes(data), places)):
            growing.feed(piece, number)
            picture = picture_of(growing.snapshot(number))
            assert len(picture.sessions) <= growing.messages


@every_sample
def test_nothing_that_was_told_is_taken_back(capture: Path) -> None:
    frames = frames_of(capture)
    told: list[dict[str, Any]] = []
    with Growing(capture.name) as growing:
        changes = Changes()
        often = max(len(frames) // 25, 1)
        for number, (piece, time) in enumerate(in_pieces(frames)):
            growing.feed(piece, time)
            if number % often == 0:
                told += changes.look(picture_of(growing.snapshot(time)))
        quiet = frames[-1].time_ns + 30 * SECOND
        told += changes.look(picture_of(growing.snapshot(quiet)))
    assert [one for one in told if one["event"] == "finding gone"] == []
    steps = [(one["session"], one["step"]) for one in told if one["event"] == "step"]
    assert len(steps) == len(set(steps))


def at_once(capture: Path, count: int | None = None) -> tuple[Growing, int]:
    """Feed the first frames of a capture as if they had just come; return the time of the last."""
    growing = Growing(capture.name)
    frames = frames_of(capture)[:count]
    for piece, time in in_pieces(frames):
        growing.feed(piece, time)
    return growing, frames[-1].time_ns


def rules_at(growing: Growing, now: int) -> set[str]:
    return {one.rule for one in diagnose(growing.snapshot(now)) if one.severity == "error"}


def test_an_answer_is_missed_when_it_had_time_to_come_and_not_before() -> None:
    growing, last = at_once(SILENT, 54)  # the post, which is never answered
    with growing:
        posted = SECOND * 5
        assert "GC408" not in rules_at(growing, last)
        assert "GC408" not in rules_at(growing, last + LATE_NS)
        assert "GC408" in rules_at(growing, last + posted + LATE_NS)


def with_a_lost_packet() -> tuple[list[bytes], int]:
    talk = Conversation()
    talk.handshake()
    talk.client.sends(message(1))
    talk.client.loses(300)
    for number in range(2, 6):
        talk.client.sends(message(number))
    whole = pcap(talk.packets)
    starts = [len(pcap(talk.packets[:count])) for count in range(1, len(talk.packets) + 1)]
    pieces = [whole[low:high] for low, high in pairwise([0, *starts])]
    return pieces, START_NS + len(talk.packets) * STEP_NS


def test_a_lost_packet_holds_a_connection_up_for_seconds_and_not_for_good() -> None:
    pieces, last = with_a_lost_packet()
    with Growing("lossy") as growing:
        for piece in pieces:
            growing.feed(piece, last)
        assert len(growing.snapshot(last)) == 1
        later = growing.snapshot(last + PATIENCE_NS + SECOND)
        assert len(later) == 5
        assert len(later.quality.holes) == 1


def test_a_connection_that_was_open_before_is_read_from_its_next_message() -> None:
    talk = Conversation()
    talk.client.sends(message(1))
    with Growing("late") as growing:
        growing.feed(pcap(talk.packets), START_NS)
        assert len(growing.snapshot(START_NS)) == 0
        assert len(growing.snapshot(START_NS + PATIENCE_NS + SECOND)) == 1


def test_the_clock_of_the_capture_is_told_from_the_packet_that_came_fastest() -> None:
    clock = Clock()
    assert clock.there(5) is None
    clock.heard(1_000, 10)  # ten late
    clock.heard(1_050, 53)  # seven more than this one
    clock.heard(1_060, 90)
    assert clock.there(100) == 100 + 997
    assert clock.there(200) == 200 + 997


def a_day(clients: int) -> list[tuple[bytes, int]]:
    """Return the pieces of a capture of clients that come and go, one after the other."""
    frames = frames_of(SIGNED_OFF)
    apart = 2 * QUIET_NS
    return list(in_pieces([one for k in range(clients) for one in again(frames, k, apart)]))


def test_of_too_many_messages_the_oldest_finished_sessions_go_and_are_counted() -> None:
    pieces = a_day(8)
    keep = 250
    with Growing("long") as growing:
        changes = Changes()
        told: list[dict[str, Any]] = []
        for piece, time in pieces:
            growing.feed(piece, time)
        count = growing.messages
        whole = growing.snapshot(pieces[-1][1])
        told += changes.look(picture_of(whole))
        last = [message_record(whole, row) for row in range(len(whole) - 20, len(whole))]
        assert growing.let_go(whole, keep)
        left = growing.snapshot(pieces[-1][1])
        assert len(left) <= keep
        assert growing.let.messages == count - len(left)
        assert growing.let.sessions > 0
        assert growing.let.cut == 0
        assert growing.messages == count
        assert len(left.analysis().sessions) == 16 - growing.let.sessions
        again_ = [message_record(left, row) for row in range(len(left) - 20, len(left))]
        for one in (*last, *again_):
            one.pop("index")
        assert again_ == last
        told += changes.look(picture_of(left))
        assert [one["event"] for one in told].count("session") == 16
        assert "finding gone" not in [one["event"] for one in told]


def test_what_is_let_go_leaves_no_strings_behind() -> None:
    pieces = a_day(6)
    with Growing("long") as growing:
        sizes = []
        for number, (piece, time) in enumerate(pieces):
            growing.feed(piece, time)
            if number % 100 == 0:
                snapshot = growing.snapshot(time)
                growing.let_go(snapshot, 200)
                sizes.append(sum(bool(text) for text in growing.snapshot(time).rows.strings.values))
        assert growing.let.messages > 300
        assert sizes[-1] < 1.5 * sizes[len(sizes) // 3]


def test_a_session_that_goes_on_loses_its_beginning_last_and_is_the_same_session() -> None:
    growing, last = at_once(SIGNED_OFF)
    with growing:
        changes = Changes()
        changes.look(picture_of(growing.snapshot(last)))
        before = dict(changes.numbers)
        growing.let_go(growing.snapshot(last), 60)  # both ended only now
        assert growing.let.cut > 0
        events = changes.look(picture_of(growing.snapshot(last)))
        assert list(changes.numbers.values()) == list(before.values())
        assert [one for one in events if one["event"] != "quality"] == []
        assert all(not one.syn_seen for one in growing.snapshot(last).connections)
