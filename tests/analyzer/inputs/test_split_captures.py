"""Capture files as two taps would have written them, read as any other file."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from analyzer.inputs.clocks import estimate
from analyzer.inputs.matching import connections, match
from analyzer.trace import open_capture
from dissectors.capture.writer import write_pcapng
from tests.analyzer.inputs.vantage import HOUR, MS, SECOND
from tests.paths import require_shared
from tests.support.tls_captures import frames_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from analyzer.inputs.values import Clock, Match
    from analyzer.trace import Trace
    from dissectors.model import Frame

SHARED = require_shared()
SOURCE = slice(26, 30)
"""Of the address in an Ethernet frame with IPv4."""
DESTINATION = slice(30, 34)
AHEAD = -3 * HOUR - 250 * MS
CLIENT = bytes((192, 168, 2, 22))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[list[Frame]], Trace]]:
    with ExitStack() as stack:

        def write(frames: list[Frame]) -> Trace:
            path = tmp_path / f"{len(list(tmp_path.iterdir()))}.pcapng"
            path.write_bytes(write_pcapng(frames))
            return stack.enter_context(open_capture(path))

        yield write


def moved(frame: Frame, by: int = AHEAD) -> Frame:
    return frame._replace(time_ns=frame.time_ns + by)


def both(*traces: Trace) -> tuple[list[Match], list[Clock]]:
    matches = match(traces)
    return matches, estimate(traces, matches, connections(matches, traces))


def test_the_same_segments_behind_nat(opened: Callable[[list[Frame]], Trace]) -> None:
    frames = frames_of(SHARED / "flows" / "clock-skew.pcap")
    public = bytes((203, 0, 113, 5))

    def translated(frame: Frame) -> Frame:
        data = bytearray(frame.data)
        for place in (SOURCE, DESTINATION):
            if data[place] == CLIENT:
                data[place] = public
        late = 2 * MS if frame.data[SOURCE] == CLIENT else -2 * MS
        return moved(frame._replace(data=bytes(data)), AHEAD + late)

    near, far = opened(frames), opened([translated(frame) for frame in frames])
    assert {one.src for one in near.streams} != {one.src for one in far.streams}
    matches, (_, clock) = both(near, far)
    pairs = [tuple(one.row for one in each.sightings) for each in matches]
    assert [near.raw(row) for row, _ in pairs] == [far.raw(row) for _, row in pairs]
    assert len(pairs) == len(near) == len(far)
    assert abs(clock.offset_ns - AHEAD) <= clock.error_ns < 4 * MS


def test_a_tap_with_a_file_for_each_direction(opened: Callable[[list[Frame]], Trace]) -> None:
    frames = frames_of(SHARED / "flows" / "r2-signin-full.pcap")
    client = bytes((192, 168, 2, 20))
    sent = [frame for frame in frames if frame.data[SOURCE] == client]
    got = [moved(frame) for frame in frames if frame.data[DESTINATION] == client]
    matches, (_, clock) = both(opened(sent), opened(got))
    assert matches == []
    assert clock.method == "order"
    assert abs(clock.offset_ns - AHEAD) <= clock.error_ns < 50 * MS


def test_a_file_for_each_hop(opened: Callable[[list[Frame]], Trace]) -> None:
    frames = frames_of(SHARED / "flows" / "fe-two-hops.pcapng")
    near = [frame for frame in frames if CLIENT in (frame.data[SOURCE], frame.data[DESTINATION])]
    far = [moved(frame) for frame in frames if frame not in near]
    matches, (_, clock) = both(opened(near), opened(far))
    assert matches == []
    assert clock.method == "order"
    assert abs(clock.offset_ns - AHEAD) <= clock.error_ns < 3 * MS


@pytest.mark.parametrize("name", ["captures/reconnect.pcap", "captures/straddle.pcap"])
def test_one_file_began_later_and_lost_frames(
    name: str, opened: Callable[[list[Frame]], Trace]
) -> None:
    frames = frames_of(SHARED / name)
    damaged = [moved(frame) for number, frame in enumerate(frames) if number > 40 and number % 17]
    near, far = opened(frames), opened(damaged)
    assert len(far) < len(near)
    matches, (_, clock) = both(near, far)
    pairs = [(one.row(0), one.row(1)) for one in matches]
    whole = {far.raw(row) for row in range(len(far))} & {near.raw(row) for row in range(len(near))}
    assert len(whole) > 20
    equal = [(a, b) for a, b in pairs if near.raw(a or 0) == far.raw(b or 0)]
    assert {near.raw(a or 0) for a, _ in equal} == whole
    # A message with a hole in it is still that message: it has its head.
    for a, b in pairs:
        assert a is not None
        assert b is not None
        assert near.raw(a)[:60] == far.raw(b)[:60]
        assert near.rows.cseqs.value(near.rows.cseq[a]) == far.rows.cseqs.value(far.rows.cseq[b])
    assert abs(clock.offset_ns - AHEAD) <= clock.error_ns < SECOND
