"""Compressed connections end to end: the story is that of the same capture without compression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer import compression
from analyzer.compression import decompressed
from analyzer.sources.files import open_source
from analyzer.sources.spool import Spool
from analyzer.trace import Trace, open_capture, read_plain
from analyzer.visibility import Visibility
from dissectors.notes import HOLE
from tests.paths import SAMPLES
from tests.support.packets import pcap
from tests.support.sipcomp import AGREED, NEGOTIATE, Compressor, Header
from tests.support.tls_captures import Sealed, split, told, writes_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.packets import Tcp
    from tests.support.tls_captures import Write

    Opened = Callable[[list[Tcp]], Trace]

ASKED = [(True, NEGOTIATE), (False, AGREED)]
PLAIN = writes_of(SAMPLES / "signin-tcp.pcap")
INFERRED = Header(6, 4, 2)
HANDSHAKE = 2  # frames


def packed(writes: list[Write], header: Header = INFERRED) -> list[Write]:
    """Compress what each side writes."""
    ends = {True: Compressor(header=header), False: Compressor(header=header)}
    return [(side, ends[side].send(data)) for side, data in writes]


def traced(path: Path, packets: list[Tcp]) -> Trace:
    """Return the trace of a capture without TLS, to be closed."""
    path.write_bytes(pcap(packets))
    source = open_source(path)
    reading = read_plain(source)
    return Trace(decompressed(source, reading), reading)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[list[Tcp]], Trace]]:
    """Make captures and their traces."""
    traces: list[Trace] = []

    def make(packets: list[Tcp]) -> Trace:
        traces.append(traced(tmp_path / f"{len(traces)}.pcap", packets))
        return traces[-1]

    yield make
    for trace in traces:
        trace.close()


def story(trace: Trace) -> list[tuple[object, ...]]:
    """Return all that is known of each message, but for where its bytes lie."""
    rows = trace.rows
    return [
        (
            trace.raw(row), rows.time[row], rows.frame[row], rows.stream[row], rows.notes[row],
            trace.frames(row), rows.xccos(row), trace.message(row),
        )
        for row in range(len(rows))
    ]  # fmt: skip


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trace]:
    """The sign-in behind the exchange of NEGOTIATE, not compressed."""
    path = tmp_path_factory.mktemp("plain") / "plain.pcap"
    with traced(path, told([*ASKED, *PLAIN])) as trace:
        yield trace


def test_a_compressed_sign_in_is_that_of_the_plain_capture(opened: Opened, truth: Trace) -> None:
    trace = opened(told([*ASKED, *packed(PLAIN)]))
    assert story(trace) == story(truth)
    assert trace.connections == truth.connections
    assert trace.quality.holes == ()
    assert trace.quality.notes == ()
    assert trace.quality.counters == truth.quality.counters | {"decompressed connections": 1}


@pytest.mark.parametrize("size", [7, 200, 1460])
def test_packets_over_several_segments_belong_to_the_frame_that_completes_them(
    opened: Opened, truth: Trace, size: int
) -> None:
    writes = [*ASKED, *packed(PLAIN)]
    trace = opened(told(split(writes, size)))
    frame, completes = HANDSHAKE, {}
    for number, write in enumerate(writes, HANDSHAKE + 1):  # the truth has a frame a write
        frame += len(split([write], size))
        completes[number] = frame
    assert list(trace.rows.frame) == [completes[one] for one in truth.rows.frame]


def test_other_connections_stay_as_they_were(opened: Opened, truth: Trace) -> None:
    other = told(PLAIN, client="10.0.0.3:50001", server="10.0.0.2:5060")
    alone = opened(other)
    mixed = [*other[:20], *told([*ASKED, *packed(PLAIN)]), *other[20:]]
    trace = opened(mixed)
    streams: dict[int, list[object]] = {0: [], 1: []}
    for row in range(len(trace)):
        streams[trace.rows.stream[row] >> 1].append((trace.raw(row), trace.rows.xccos(row)))
    assert streams[0] == [(alone.raw(row), alone.rows.xccos(row)) for row in range(len(alone))]
    assert streams[1] == [(truth.raw(row), truth.rows.xccos(row)) for row in range(len(truth))]
    assert [one.opener for one in trace.connections] == ["10.0.0.3:50001", "10.0.0.1:50000"]


def test_bytes_of_the_answers_frame_that_are_packets_already_are_read(opened: Opened) -> None:
    first, *rest = packed(PLAIN)
    server = next(at for at, (side, _) in enumerate(rest) if not side)
    writes = [ASKED[0], (False, AGREED + rest[server][1]), first, *rest[:server]]
    trace = opened(told(writes))
    assert len(trace) == 2 + 1 + server + 1
    assert trace.quality.notes == ()


def test_the_ordinary_reading_of_packets_does_not_stand(tmp_path: Path) -> None:
    path = tmp_path / "packed.pcap"
    path.write_bytes(pcap(told([*ASKED, *packed(PLAIN)])))
    with open_source(path) as source:
        reading = read_plain(source)
    assert reading.stream_counters["bytes between messages"] > 0
    source = open_source(path)
    reading = read_plain(source)
    Trace(decompressed(source, reading), reading).close()
    assert reading.stream_counters["bytes between messages"] == 0


def test_agreed_but_not_compressed_is_read_as_it_is(truth: Trace) -> None:
    """What logs hold, and some exports, was unpacked by those who wrote it."""
    sent = b"".join(data for _, data in [*ASKED, *PLAIN])
    assert len(truth) == sent.count(b"\r\nCSeq: ")
    assert truth.quality.notes == ()
    assert "decompressed connections" not in truth.quality.counters


def test_one_side_may_be_readable_and_the_other_not(opened: Opened) -> None:
    dark = [(side, b"\xff" * len(data) if side else data) for side, data in packed(PLAIN)]
    trace = opened(told([*ASKED, *dark]))
    sent = b"".join(data for side, data in PLAIN if not side)
    assert trace.connections[0].messages == (1, 1 + sent.count(b"\r\nCSeq: "))
    assert len(trace.quality.notes) == 1
    assert trace.quality.counters["decompressed connections"] == 1


# What cannot be read is said, and hides answers


def test_what_cannot_be_read_is_named_and_counted(opened: Opened) -> None:
    junk = [(True, bytes(range(256)) * 3), (False, bytes(range(255, -1, -1)))]
    trace = opened(told([*ASKED, *junk]))
    why = "which could not be read: no SIP message begins behind a header of 2 to 12 bytes."
    assert trace.quality.notes == (
        f"768 bytes of frames 5 to 5 are SIP compressed by MS-SIPCOMP (LZ77-8K), {why}",
        f"256 bytes of frames 6 to 6 are SIP compressed by MS-SIPCOMP (LZ77-8K), {why}",
    )
    assert [trace.raw(row) for row in range(len(trace))] == [NEGOTIATE, AGREED]
    assert [(hole.stream, hole.frame) for hole in trace.quality.holes] == [(0, 8), (1, 8)]
    assert trace.connections[0].holes == 2
    assert "bytes between messages" not in trace.quality.counters


def test_no_answer_is_missing_that_may_be_compressed(opened: Opened) -> None:
    writes = packed(PLAIN)
    cut = next(at for at, (side, _) in enumerate(writes) if not side)
    dark = [(side, data if side else b"\xff" * len(data)) for side, data in writes[cut:]]
    trace = opened(told([*ASKED, *writes[:cut], *dark]))
    requests = [row for row in range(2, len(trace)) if trace.rows.stream[row] == 0]
    assert requests
    seen = Visibility(trace)
    assert all(seen.hole_after(row) is not None for row in requests)


def test_behind_a_hole_nothing_is_unpacked(opened: Opened, truth: Trace) -> None:
    packets = told([*ASKED, *packed(PLAIN)])
    client = [at for at, one in enumerate(packets) if one.payload and one.src == packets[0].src]
    lost = client[5]
    trace = opened([*packets[:lost], *packets[lost + 1 :]])
    mine = [row for row in range(len(trace)) if trace.rows.stream[row] == 0]
    theirs = [row for row in range(len(trace)) if trace.rows.stream[row] == 1]
    before = [row for row in range(len(truth)) if truth.rows.stream[row] == 0][: len(mine)]
    assert [trace.raw(row) for row in mine] == [truth.raw(row) for row in before]
    assert len(theirs) == truth.connections[0].messages[1]
    assert not any(trace.rows.notes[row] & HOLE for row in mine)
    assert len(trace.quality.notes) == 1
    assert "bytes are missing before them" in trace.quality.notes[0]
    assert {hole.stream for hole in trace.quality.holes} == {0}
    assert len(trace.quality.holes) == 2


def test_another_kind_of_compression_is_named(opened: Opened) -> None:
    asked = [(side, data.replace(b"LZ77-8K", b"LZ77-1M")) for side, data in ASKED]
    trace = opened(told([*asked, *packed(PLAIN)]))
    assert len(trace) == 2
    assert all("(LZ77-1M)" in note and "not known" in note for note in trace.quality.notes)
    assert len(trace.quality.notes) == 2


@pytest.mark.parametrize(("asked", "notes"), [(ASKED, 1), ([], 0)])
def test_where_it_is_too_late_to_unpack_that_is_said(
    tmp_path: Path, asked: list[Write], notes: int
) -> None:
    path = tmp_path / "packed.pcap"
    path.write_bytes(pcap(told([*asked, *packed(PLAIN)])))
    with open_source(path) as source:
        reading = read_plain(source)
        compression.tell_compressed(reading, source.read)
    assert len(reading.notes) == notes
    assert all("On 1 connection SIP may be compressed" in note for note in reading.notes)


def test_many_directions_are_not_named_one_by_one(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "SHOWN", 1)
    trace = opened(told([*ASKED, (True, b"\xff" * 90), (False, b"\xff" * 90)]))
    assert len(trace.quality.notes) == 2
    assert trace.quality.notes[1] == "1 more directions with compressed SIP likewise."


@pytest.mark.parametrize(
    "answer",
    [
        AGREED.replace(b"200 OK", b"405 Method Not Allowed"),
        AGREED.replace(b"Compression: LZ77-8K\r\n", b"Compression: None\r\n"),
    ],
    ids=["refused", "none"],
)
def test_without_agreement_the_connection_is_an_ordinary_one(
    opened: Opened, answer: bytes, truth: Trace
) -> None:
    trace = opened(told([ASKED[0], (False, answer), *PLAIN]))
    assert len(trace) == len(truth)
    assert trace.quality.notes == ()
    assert "decompressed connections" not in trace.quality.counters


def test_a_full_disk_is_said(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Spool, "write", lambda *_: "there is not enough room for temporary files")
    trace = opened(told([*ASKED, *packed(PLAIN)]))
    assert len(trace) == 2
    assert all("not enough room" in note for note in trace.quality.notes)


# TLS


def sealed(tmp_path: Path, writes: list[Write]) -> Path:
    """Return a capture of TLS, with its key log beside it."""
    session = Sealed(tmp_path / "tls.keylog")
    for side, data in writes:
        (session.client if side else session.server)(data)
    path = tmp_path / "tls.pcap"
    path.write_bytes(pcap(told(session.writes)))
    return path


def test_a_compressed_sign_in_inside_tls_is_that_of_the_plain_one(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with (
        open_capture(sealed(tmp_path / "plain", [*ASKED, *PLAIN])) as plain,
        open_capture(sealed(tmp_path, [*ASKED, *packed(PLAIN)])) as trace,
    ):
        assert len(plain) > 50
        assert story(trace) == story(plain)
        assert trace.connections == plain.connections
        assert trace.quality.notes == ()
        assert trace.quality.counters == plain.quality.counters | {"decompressed connections": 1}


def test_what_stays_compressed_inside_tls_is_said(tmp_path: Path) -> None:
    with open_capture(sealed(tmp_path, [*ASKED, (True, b"\xff" * 90)])) as trace:
        assert [trace.raw(row) for row in range(len(trace))] == [NEGOTIATE, AGREED]
        assert len(trace.quality.notes) == 1
        assert trace.quality.notes[0].startswith("90 bytes of frames ")
        assert [hole.stream for hole in trace.quality.holes] == [0]


# Whatever comes


@given(st.binary(min_size=1, max_size=60), st.integers(0, 10_000))
def test_damage_never_takes_a_message_away_in_silence(
    tmp_path_factory: pytest.TempPathFactory, damage: bytes, at: int
) -> None:
    writes = packed(PLAIN[:12])
    side, data = writes[at % 12]
    place = at % len(data)
    writes[at % 12] = (side, data[:place] + damage + data[place + len(damage) :])
    path = tmp_path_factory.mktemp("damaged") / "damaged.pcap"
    with traced(path, told([*ASKED, *writes])) as trace:
        assert [trace.raw(row) for row in range(2)] == [NEGOTIATE, AGREED]
        assert trace.quality.notes or len(trace) == 2 + b"".join(
            data for _, data in PLAIN[:12]
        ).count(b"\r\nCSeq: ")
        assert bool(trace.quality.notes) is bool(trace.quality.holes)
