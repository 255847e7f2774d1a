"""HEP over TCP, and compressed, inside a capture: the messages of the same packets over UDP."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer import hep_pass, streaming
from analyzer.inputs.opening import join
from analyzer.sources.hep import packet
from analyzer.sources.spool import Spool
from analyzer.streaming import CaptureStream, stream_capture
from analyzer.trace import Trace, open_capture
from dissectors.transport.hep import MAX_INFLATED
from tests.paths import SAMPLES
from tests.support.exported import flow_key
from tests.support.packets import Udp, pcap
from tests.support.sip_texts import message
from tests.support.tls_captures import split, told

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.packets import Tcp

AGENT, COLLECTOR = "10.9.9.1:40000", "10.9.9.2:9060"
KEY = flow_key("10.0.0.1:50000", "10.0.0.2:5061")
SEEN_NS = 1_600_000_000_000_000_000


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


@pytest.fixture(scope="module")
def seen() -> list[tuple[bytes, bytes, int]]:
    """Return what an agent saw of a sign-in: payload, key, time."""
    with open_capture(SAMPLES / "signin-tcp.pcap") as trace:
        rows = trace.rows
        ends = [trace.streams[rows.stream[row]] for row in range(len(rows))]
        return [
            (trace.raw(row), flow_key(end.src, end.dst), rows.time[row])
            for row, end in enumerate(ends)
        ]


def opened(path: Path, packets: Sequence[Udp | Tcp]) -> Trace:
    """Return the trace of a capture, to be closed."""
    path.write_bytes(pcap(packets))
    return open_capture(path)


def story(trace: Trace) -> list[tuple[object, ...]]:
    """Return what is known of each message, but for the frame and where its bytes lie."""
    rows = trace.rows
    return [
        (trace.raw(row), trace.streams[rows.stream[row]], rows.time[row], rows.digits[row],
         rows.notes[row], rows.xccos(row))
        for row in range(len(rows))
    ]  # fmt: skip


def over_udp(seen: list[tuple[bytes, bytes, int]], *, compress: bool = False) -> list[Udp]:
    return [
        Udp(AGENT, COLLECTOR, packet(raw, key, "tcp", at, compress=compress))
        for raw, key, at in seen
    ]


def over_tcp(
    seen: list[tuple[bytes, bytes, int]], size: int = 1460, *, compress: bool = False
) -> list[Tcp]:
    sent = b"".join(one.payload for one in over_udp(seen, compress=compress))
    return told(split([(True, sent)], size), client=AGENT, server=COLLECTOR)


@pytest.fixture
def truth(tmp_path: Path, seen: list[tuple[bytes, bytes, int]]) -> list[tuple[object, ...]]:
    """Return the story of the same packets over UDP, not compressed."""
    with opened(tmp_path / "truth.pcap", over_udp(seen)) as trace:
        assert len(trace) == len(seen) > 50
        return story(trace)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("size", [40, 1460, 60_000])
def test_a_connection_of_an_agent_tells_what_its_datagrams_would(
    capture: Path,
    seen: list[tuple[bytes, bytes, int]],
    truth: list[tuple[object, ...]],
    size: int,
    compress: bool,
) -> None:
    with opened(capture, over_tcp(seen, size, compress=compress)) as trace:
        assert story(trace) == truth
        assert [one.opener for one in trace.connections] == ["127.0.0.1:58078"]
        assert trace.quality.notes == ()
        assert (trace.quality.first_time or 0) <= min(at for *_, at in seen)
        assert trace.analysis().sessions


def test_compressed_datagrams_tell_what_others_would(
    capture: Path, seen: list[tuple[bytes, bytes, int]], truth: list[tuple[object, ...]]
) -> None:
    with opened(capture, over_udp(seen, compress=True)) as trace:
        assert story(trace) == truth
        assert list(trace.rows.frame) == list(range(1, len(seen) + 1))
        assert trace.quality.notes == ()


def test_a_streamed_listing_shows_them(capture: Path, seen: list[tuple[bytes, bytes, int]]) -> None:
    with opened(capture, [*over_tcp(seen[:30]), *over_udp(seen[30:], compress=True)]) as trace:
        expected, quality = story(trace), trace.quality
        assert len(expected) == len(seen)
    with stream_capture(capture) as stream:
        assert isinstance(stream, CaptureStream)
        found = [one for window in stream if isinstance(window, Trace) for one in story(window)]
    assert found == expected
    assert stream.quality == quality


def test_other_messages_of_the_capture_stay(
    capture: Path, seen: list[tuple[bytes, bytes, int]]
) -> None:
    plain = told([(True, message(1)), (False, message(2))])
    with opened(capture, [*plain, *over_tcp(seen[:5])]) as trace:
        assert [trace.raw(row) for row in range(len(trace))] == [
            message(1), message(2), *(raw for raw, *_ in seen[:5])
        ]  # fmt: skip


def test_they_are_found_among_those_of_several_inputs(
    tmp_path: Path, seen: list[tuple[bytes, bytes, int]]
) -> None:
    one = opened(tmp_path / "a.pcap", over_tcp(seen[:9]))
    other = opened(tmp_path / "b.pcap", over_udp(seen[:9], compress=True))
    with join([one, other]) as both:
        found = [both.raw(row) for row in range(len(both)) for _ in both.sightings(row)]
        assert sorted(found) == sorted(raw for raw, *_ in seen[:9] * 2)


# What is of no use is said


def test_a_hole_is_told(capture: Path, seen: list[tuple[bytes, bytes, int]]) -> None:
    packets = over_tcp(seen)
    lost = packets.pop(9)
    with opened(capture, packets) as trace:
        assert len(seen) - 4 <= len(trace) < len(seen)
        (note,) = trace.quality.notes
        assert "bytes of HEP over TCP are missing" in note
        assert int(note.split()[0].replace(",", "")) >= len(lost.payload)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"no zlib", "whose compressed payload is damaged"),
        (zlib.compress(message(1))[:-4], "damaged or too large"),
        (zlib.compress(bytes(MAX_INFLATED + 1)), "damaged or too large"),
    ],
)
@pytest.mark.parametrize("tcp", [False, True])
def test_a_payload_that_cannot_be_unpacked_is_told(
    capture: Path, payload: bytes, reason: str, tcp: bool
) -> None:
    chunk = struct.pack("!HHH", 0, 16, 6 + len(payload)) + payload
    bad = b"HEP3" + struct.pack("!H", 6 + len(chunk)) + chunk
    good = packet(message(3), KEY, "udp", SEEN_NS, compress=True)
    packets: list[Udp | Tcp] = [Udp(AGENT, COLLECTOR, bad), Udp(AGENT, COLLECTOR, good)]
    if tcp:
        packets = list(told([(True, bad + good)], client=AGENT, server=COLLECTOR))
    with opened(capture, packets) as trace:
        assert [trace.raw(row) for row in range(len(trace))] == [message(3)]
        (note,) = trace.quality.notes
        assert note.startswith("1 × HEP packet")
        assert reason in note


def test_what_swells_is_not_kept(
    capture: Path, monkeypatch: pytest.MonkeyPatch, seen: list[tuple[bytes, bytes, int]]
) -> None:
    monkeypatch.setattr(hep_pass, "SLACK", 0)
    monkeypatch.setattr(hep_pass, "MAX_RATIO", 0)
    with opened(capture, over_udp(seen, compress=True)) as trace:
        assert len(trace) == 1
        assert "grew more than" in trace.quality.notes[0]


def test_a_full_disk_is_said(
    capture: Path, monkeypatch: pytest.MonkeyPatch, seen: list[tuple[bytes, bytes, int]]
) -> None:
    monkeypatch.setattr(Spool, "write", lambda *_: "there is not enough room")
    with opened(capture, over_tcp(seen)) as trace:
        assert len(trace) == 0
        assert trace.quality.notes == (f"{len(seen)} × there is not enough room: not read.",)


@given(st.binary(min_size=1, max_size=30), st.integers(0, 100_000), st.booleans())
def test_damage_costs_only_what_it_touches(
    tmp_path_factory: pytest.TempPathFactory, damage: bytes, at: int, compress: bool
) -> None:
    texts = [message(number) for number in range(1, 9)]
    sent = b"".join(packet(one, KEY, "udp", SEEN_NS, compress=compress) for one in texts)
    place = 4 + at % (len(sent) - 4)
    sent = (sent[:place] + damage + sent[place + len(damage) :])[: len(sent)]
    path = tmp_path_factory.mktemp("damaged") / "x.pcap"
    packets = told(split([(True, sent)], 500), client=AGENT, server=COLLECTOR)
    with opened(path, packets) as trace:
        raws = [trace.raw(row) for row in range(len(trace))]
        assert [len(one) for one in raws] == list(trace.rows.length)
