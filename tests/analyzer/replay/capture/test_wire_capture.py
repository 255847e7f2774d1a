"""The capture of a live play: what the carrier saw, as frames."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay.actions import Address, WireEvent
from analyzer.replay.capture import CaptureOptions, wire_capture
from analyzer.trace import open_capture
from tests.analyzer.wireshark.tshark import tshark

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Literal

    from analyzer.replay.capture import CaptureSummary
    from analyzer.trace import Trace

HERE, THERE = Address("127.0.0.1", 50000), Address("127.0.0.1", 5060)
START = 1_795_332_006_541_321_000
MS = 1_000_000
OPTIONS = (
    b"OPTIONS sip:contoso.com SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:50000\r\n"
    b"From: <sip:ann@contoso.com>;tag=1\r\nTo: <sip:contoso.com>\r\nCall-ID: a\r\n"
    b"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)
OK = OPTIONS.replace(b"OPTIONS sip:contoso.com SIP/2.0", b"SIP/2.0 200 OK")


def _event(
    at_ms: int,
    kind: Literal["open", "data", "fin", "rst"],
    data: bytes = b"",
    *,
    ours: bool = True,
    connection: int = 1,
    secure: bool = False,
) -> WireEvent:
    local, remote = (HERE, THERE) if kind == "open" else (None, None)
    return WireEvent(START + at_ms * MS, connection, kind, ours, data, local, remote, secure)


def _written(
    folder: Path, events: Sequence[WireEvent], options: CaptureOptions | None = None
) -> tuple[Trace, CaptureSummary]:
    path = folder / "wire.pcapng"
    with path.open("wb") as out:
        summary = wire_capture(events, out, options or CaptureOptions())
    return open_capture(path), summary


TALK = (
    _event(0, "open"),
    _event(1, "data", OPTIONS),
    _event(5, "data", OK, ours=False),
    _event(9, "fin"),
    _event(10, "fin", ours=False),
)


def test_a_play_is_a_capture_of_what_went_over_the_wire(tmp_path: Path) -> None:
    trace, summary = _written(tmp_path, TALK)
    with trace:
        assert [trace.raw(row) for row in range(len(trace))] == [OPTIONS, OK]
        assert list(trace.rows.time) == [START + MS, START + 5 * MS]
        assert (trace.streams[0].src, trace.streams[0].dst) == (str(HERE), str(THERE))
        assert trace.connections[0].syn_seen
        assert trace.connections[0].ends == ("fin", "fin")
        assert (summary.turns, summary.connections, summary.notes) == (2, 1, ())
    path = tmp_path / "wire.pcapng"
    checks = ("-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE")
    bad = "_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0"
    assert tshark(path, *checks, "-Y", f"{bad} || tcp.analysis.flags", plugin=False) == ""


def test_whoever_connected_is_the_opener(tmp_path: Path) -> None:
    events = [event._replace(outgoing=not event.outgoing) for event in TALK]
    trace, _ = _written(tmp_path, events)
    with trace:
        assert trace.streams[0].src == str(THERE)
        assert trace.raw(0) == OPTIONS


def test_each_piece_is_a_segment_as_it_was_split(tmp_path: Path) -> None:
    pieces = (OPTIONS[:50], OPTIONS[50:51], OPTIONS[51:])
    events = [_event(0, "open"), *(_event(n, "data", one) for n, one in enumerate(pieces, 1))]
    trace, summary = _written(tmp_path, events)
    with trace:
        assert trace.rows.pieces[0] == 3
        assert trace.rows.time[0] == START + 3 * MS
        assert summary.turns == 3


def test_a_cut_connection_ends_in_the_middle_of_a_message(tmp_path: Path) -> None:
    events = [_event(0, "open"), _event(1, "data", OPTIONS[:90]), _event(2, "rst", ours=False)]
    trace, _ = _written(tmp_path, events)
    with trace:
        assert "rst" in trace.connections[0].ends
        assert trace.quality.holes == ()


def test_plaintext_of_tls_is_told(tmp_path: Path) -> None:
    trace, summary = _written(tmp_path, [_event(0, "open", secure=True), *TALK[1:]])
    trace.close()
    assert summary.notes == ("1 connection inside TLS: written as plain TCP",)


def test_what_belongs_to_no_connection_is_counted_and_left_out(tmp_path: Path) -> None:
    events = (*TALK, _event(11, "data", OK), _event(12, "data", OK, connection=7))
    trace, summary = _written(tmp_path, events)
    with trace:
        assert len(trace) == 2
    assert summary.notes == ("2 events on connections that were closed or never opened: left out",)


def test_the_link_can_be_chosen(tmp_path: Path) -> None:
    options = CaptureOptions(format="pcap", vlan=42, mss=100)
    trace, summary = _written(tmp_path, TALK, options)
    with trace:
        assert [trace.raw(row) for row in range(len(trace))] == [OPTIONS, OK]
    data = (tmp_path / "wire.pcapng").read_bytes()
    assert data[:4].hex() == "4d3cb2a1"
    assert data.count(b"\x81\x00\x00\x2a\x08\x00") == summary.frames


@given(
    st.lists(
        st.tuples(
            st.integers(-5, 50),
            st.integers(0, 3),
            st.sampled_from(["open", "data", "fin", "rst"]),
            st.booleans(),
            st.binary(max_size=40),
        ),
        max_size=30,
    )
)
def test_any_events_make_a_capture(
    drawn: list[tuple[int, int, Literal["open", "data", "fin", "rst"], bool, bytes]],
) -> None:
    events: list[WireEvent] = []
    for at, connection, kind, ours, data in drawn:
        # Of each connection another port: the carrier's connections have what the machine gave.
        local = HERE._replace(port=50_000 + len(events))
        events.append(WireEvent(START + at * MS, connection, kind, ours, data, local, THERE))
    out = io.BytesIO()
    summary = wire_capture(events, out)
    assert summary.frames >= summary.turns
    assert summary.first_ns is None or (summary.last_ns or 0) >= summary.first_ns
