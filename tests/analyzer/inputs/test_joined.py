"""One story, captured in pieces by several people whose clocks differ: it is told as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.inputs.merge import merged
from analyzer.inputs.opening import stories
from analyzer.trace import open_capture
from analyzer.views.inputs import input_lines, sightings_text
from tests.analyzer.inputs.taken import MS, SECOND, by, frames, joined, story, written
from tests.paths import SAMPLES, require_shared

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.inputs.joined import JoinedTrace
    from tests.analyzer.inputs.taken import Ends

SHARED = require_shared()
CAPTURES = sorted((SHARED / "captures").glob("*.pcap"))
PLAIN = [path for path in CAPTURES if path.stem not in ("tls", "callid-collision")]
FLOWS = [
    SHARED / "flows" / name
    for name in (
        "r2-signin-full.pcap", "r2-post-full.pcap", "lookup-404.pcap", "lync2013-signin.pcap",
        "missing-reply.pcapng", "partial-join.pcap", "retry-503-succeeds.pcap",
    )
]  # fmt: skip
SIGN_IN = SHARED / "captures" / "signin-tcp.pcap"
TWO_HOPS = SHARED / "flows" / "fe-two-hops.pcapng"
SKEW = 37 * SECOND + 83 * MS


def upward(ends: Ends | None) -> bool:
    """Tell whether a frame goes from the higher address and port to the lower one."""
    return ends is not None and _number(ends[0]) > _number(ends[1])


def _number(end: str) -> tuple[str, int]:
    host, _, port = end.rpartition(":")
    return host, int(port)


@pytest.mark.untraced
@pytest.mark.parametrize("path", [*PLAIN, *FLOWS], ids=lambda path: path.stem)
def test_a_tap_with_one_direction_in_each_file_tells_the_whole(path: Path, tmp_path: Path) -> None:
    up = by(path, tmp_path / "up.pcapng", lambda _, ends: upward(ends))
    down = by(path, tmp_path / "down.pcapng", lambda _, ends: not upward(ends), ahead_ns=SKEW)
    with open_capture(path) as trace, joined(up, down) as both:
        told, expected = story(both), story(trace)
        assert told == expected
        assert not both.quality.holes


@pytest.mark.untraced
@pytest.mark.parametrize("path", [*PLAIN, *FLOWS], ids=lambda path: path.stem)
def test_what_two_places_saw_is_told_once(path: Path, tmp_path: Path) -> None:
    every = [frame for frame, _ in frames(path)]
    client = written(tmp_path / "client.pcapng", every)
    later = written(tmp_path / "fe.pcapng", every, ahead_ns=-SKEW, drift_ppb=20_000)
    with open_capture(path) as trace, joined(client, later) as both:
        assert story(both) == story(trace)
        assert all(len(both.sightings(row)) == 2 for row in range(len(both)))
        assert not any(both.unseen(row) for row in range(len(both)))


def test_each_hop_captured_on_its_own_is_one_path(tmp_path: Path) -> None:
    hosts = {end.rpartition(":")[0] for _, ends in frames(TWO_HOPS) if ends for end in ends}
    assert len(hosts) > 2
    outside = min(hosts)

    def first_hop(_: object, ends: Ends | None) -> bool:
        return ends is not None and any(end.startswith(f"{outside}:") for end in ends)

    near = by(TWO_HOPS, tmp_path / "near.pcapng", first_hop)
    far = by(
        TWO_HOPS, tmp_path / "far.pcapng", lambda frame, ends: not first_hop(frame, ends),
        ahead_ns=SKEW,
    )  # fmt: skip
    with open_capture(TWO_HOPS) as trace, joined(near, far) as both:
        assert story(both) == story(trace)


def test_the_offset_is_told_with_its_error(tmp_path: Path) -> None:
    every = [frame for frame, _ in frames(SIGN_IN)]
    fe = written(tmp_path / "fe.pcapng", every, ahead_ns=SKEW)
    with joined(SIGN_IN, fe) as both:
        clock = both.inputs[1].clock
        assert abs(clock.offset_ns - SKEW) <= clock.error_ns < 5 * MS
        assert "ahead" in input_lines(both)[1]


def _lossy() -> JoinedTrace:
    """Join a capture of a client with the trace of a server that never saw one of its posts."""
    return joined(SAMPLES / "fault-no-reply.pcap", SAMPLES / "fault-no-reply-server.txt")


def test_a_message_that_vanished_on_the_way_is_named() -> None:
    from analyzer.diagnostics.table import diagnose

    with _lossy() as both:
        gone = [row for row in range(len(both)) if both.unseen(row)]
        assert len(gone) == 1
        assert sightings_text(both, gone[0]).endswith("not in fault-no-reply-server.txt")
        found = [one for one in diagnose(both) if one.rule == "GC908"]
        assert len(found) == 1
        assert both.rows.frame[gone[0]] in found[0].frames
        assert "fault-no-reply.pcap never" in found[0].detail
        assert "fault-no-reply-server.txt" in found[0].detail


def test_what_was_answered_has_not_vanished(tmp_path: Path) -> None:
    """A trace may be filtered, or pause: who answered had the request."""
    from analyzer.diagnostics.table import diagnose
    from tests.support.text_logs import write_trace

    with open_capture(SIGN_IN) as trace:
        records = write_trace(trace, "ocslogger").split(b"TL_")
    for name, kept in (
        ("paused", records[:20] + records[45:]),
        ("filtered", [one for one in records if b"Start-Line: INFO" in one or not one]),
        ("requests", [one for one in records if b"Start-Line: SIP/2.0" not in one]),
    ):
        text = tmp_path / f"{name}.txt"
        text.write_bytes(b"TL_".join(kept))
        with joined(SIGN_IN, text) as both:
            assert any(both.unseen(row) for row in range(len(both)))
            assert [one for one in diagnose(both) if one.rule == "GC908"] == []


def test_a_masked_trace_of_a_further_hop_takes_nothing_from_the_story(tmp_path: Path) -> None:
    from tests.support.text_logs import write_trace

    with open_capture(TWO_HOPS) as trace:
        text = tmp_path / "fe.txt"
        text.write_bytes(write_trace(trace, "ocslogger", masked=True))
        hosts = sorted({end.rpartition(":")[0] for one in trace.connections for end in one[1:3]})
        client = by(
            TWO_HOPS, tmp_path / "client.pcapng",
            lambda _, ends: any(end.startswith(f"{hosts[0]}:") for end in ends or ()),
        )  # fmt: skip
        expected = [one for one in story(trace)["flows"] if one[0] == "sign-in"]
    with joined(client, text) as both:
        assert [one for one in story(both)["flows"] if one[0] == "sign-in"] == expected


def test_a_merged_file_is_read_as_what_it_was_made_of(tmp_path: Path) -> None:
    every = [frame for frame, _ in frames(SIGN_IN)]
    fe = written(tmp_path / "fe.pcapng", every, ahead_ns=SKEW)
    path = tmp_path / "merged.pcapng"
    with joined(SIGN_IN, fe) as both:
        path.write_bytes(b"".join(merged(both, "test", input_lines(both))))
        numbers = list(both.rows.frame)
        expected = story(both)
        seen = [[(one.input, one.frame) for one in both.sightings(row)] for row in range(len(both))]
    with open_capture(path) as again:
        assert [one.name for one in again.inputs] == ["signin-tcp.pcap", "fe.pcapng"]
        assert list(again.rows.frame) == numbers
        assert story(again) == expected
        found = [
            [(one.input, one.frame) for one in again.sightings(row)] for row in range(len(again))
        ]
        assert found == seen
        # Numbers of places are those of the merged file: there is no other one any more.
        assert [one.number for one in again.sightings(3)] == [
            one.frame for one in again.sightings(3)
        ]


def test_a_merged_file_with_a_text_trace_keeps_the_names_of_its_hosts(tmp_path: Path) -> None:
    path = tmp_path / "merged.pcapng"
    with _lossy() as both:
        path.write_bytes(b"".join(merged(both, "test", [])))
        expected, ends = story(both), [(one.opener, one.responder) for one in both.connections]
    with open_capture(path) as again:
        assert story(again) == expected
        assert [(one.opener, one.responder) for one in again.connections] == ends


def test_recordings_that_share_nothing_are_separate_stories() -> None:
    paths = [SIGN_IN, SHARED / "flows" / "r2-signin-full.pcap", SIGN_IN]
    traces = [open_capture(path) for path in paths]
    try:
        assert stories(traces) == [[0, 2], [1]]
    finally:
        for trace in traces:
            trace.close()


def test_clients_that_chose_the_same_identifiers_on_other_days_are_separate_stories() -> None:
    traces = [open_capture(path) for path in PLAIN]
    try:
        assert stories(traces) == [[number] for number in range(len(traces))]
    finally:
        for trace in traces:
            trace.close()


def test_a_trace_of_two_servers_is_what_each_of_them_saw(tmp_path: Path) -> None:
    """CLS searches a whole pool: what went from one server to the other is in its text twice."""
    from tests.support.text_logs import write_trace

    with open_capture(TWO_HOPS) as trace:
        expected = story(trace)["flows"]
        pool = [end for one in trace.connections[:1] for end in (one.opener, one.responder)]
        hosts = {end.rpartition(":")[0] for one in trace.connections for end in one[1:3]}
        front = next(
            host
            for host in hosts
            if all(f"{host}:" in one.opener + one.responder for one in trace.connections)
        )
        far = {end for one in trace.connections for end in one[1:3] if front not in end} - set(pool)
        first = write_trace(trace, "cls", host_of=lambda end: end.startswith(f"{front}:"))
        second = write_trace(trace, "cls", host_of=lambda end: end in far)
    name = first.split(b"\\", 1)[1].split(b"]", 1)[0]
    path = tmp_path / "pool.txt"
    path.write_bytes(first + second.replace(b"\\" + name + b"]", b"\\pchat01]"))
    with open_capture(path) as both:
        assert [one.name for one in both.inputs] == [
            f"pool.txt [{name.decode()}]",
            "pool.txt [pchat01]",
        ]
        assert [(one[0], one[1]) for one in story(both)["flows"]] == [
            (one[0], one[1]) for one in expected
        ]
        assert any(len(both.sightings(row)) == 2 for row in range(len(both)))
        line = both.sightings(0)[0].number
    shown = path.read_bytes().split(b"\n")[line - 1]
    assert b"$$begin_record" in shown
