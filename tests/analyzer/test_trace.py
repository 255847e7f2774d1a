"""An opened capture: its rows, and the way back from a row to bytes and meaning."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
import zstandard

from analyzer.sources.files import SourceError
from analyzer.trace import Trace, open_capture
from dissectors.model import Malformed
from dissectors.sip.messages import SipMessage
from tests.paths import SAMPLES
from tests.support.conversation import CLIENT, SERVER, Conversation
from tests.support.packets import Packet, Udp, pcap
from tests.support.sip_texts import message, response

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ITEM = (
    b'<xccos xmlns="urn:parlano:xml:ns:xccos" ver="1" envid="7"><grpchat id="grpchat" seqid="1" '
    b'chanUri="ma-chan://contoso.com/1" author="sip:u1@contoso.com"><chat>hello</chat></grpchat>'
    b"</xccos>"
)
ONE, TWO, THREE = message(1), message(2, ITEM), response(3, b"abc")


def script() -> list[Packet]:
    talk = Conversation()
    talk.handshake()
    talk.client.sends(ONE + TWO[:100])
    talk.server.sends(THREE)
    talk.client.sends(TWO[100:])
    talk.close()
    datagram = message(4, b"x") + b"trailing"
    return [*talk.packets, Udp("10.0.0.9:5060", SERVER, datagram)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    written = tmp_path / "some.pcap"
    written.write_bytes(pcap(script()))
    return written


def check(trace: Trace) -> None:
    expected = [ONE, THREE, TWO, message(4, b"x")]
    assert len(trace) == 4
    assert [trace.raw(row) for row in range(4)] == expected
    assert [trace.frames(row) for row in range(4)] == [(3,), (4,), (3, 5), (8,)]


def test_the_bytes_of_a_message_are_read_back(path: Path) -> None:
    with open_capture(path) as trace:
        check(trace)
        assert trace.name == str(path)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_the_bytes_of_a_packed_capture_are_read_back_too(
    path: Path, pack: Callable[[bytes], bytes]
) -> None:
    packed = path.with_suffix(".packed")
    packed.write_bytes(pack(path.read_bytes()))
    with open_capture(packed) as trace:
        check(trace)


def test_a_message_is_parsed_in_full(path: Path) -> None:
    with open_capture(path) as trace:
        parsed = trace.message(2)
        assert isinstance(parsed, SipMessage)
        assert parsed.body == ITEM
        assert parsed.headers.first("call-id") == "c2"
        of_datagram = trace.message(3)
        assert isinstance(of_datagram, SipMessage)
        assert of_datagram.body == b"x"


def test_the_document_of_a_message(path: Path) -> None:
    with open_capture(path) as trace:
        document = trace.document(2)
        assert document is not None
        assert not isinstance(document, Malformed)
        assert document.envid == "7"
        assert len(document.items) == 1
        assert trace.document(0) is None
        assert trace.document(1) is None


def test_streams_are_the_two_directions_of_connections(path: Path) -> None:
    with open_capture(path) as trace:
        assert [(one.src, one.dst, one.transport, one.from_opener) for one in trace.streams] == [
            (CLIENT, SERVER, "tcp", True),
            (SERVER, CLIENT, "tcp", False),
            ("10.0.0.9:5060", SERVER, "udp", True),
            (SERVER, "10.0.0.9:5060", "udp", False),
        ]
        assert [one.connection for one in trace.streams] == [0, 0, 1, 1]
        assert [(one.number, one.messages, one.ends) for one in trace.connections] == [
            (0, (2, 1), ("fin", "fin")),
            (1, (1, 0), ("end", "end")),
        ]
        assert [trace.rows.stream[row] for row in range(4)] == [0, 1, 0, 2]


def test_rows_outlive_the_file(path: Path) -> None:
    trace = open_capture(path)
    trace.close()
    assert len(trace.rows) == 4


def test_the_quality_of_a_good_capture(path: Path) -> None:
    with open_capture(path) as trace:
        quality = trace.quality
        assert (quality.frames, quality.digits, quality.link_types) == (8, 6, (1,))
        assert quality.first_time is not None
        assert quality.last_time == quality.first_time + 7_000_000
        assert not quality.damaged
        assert (quality.problems, quality.holes, quality.conflicts) == ((), (), ())
        assert (quality.counters, quality.ignored, quality.services) == ({}, {}, {})


def test_the_quality_of_a_bad_capture(tmp_path: Path) -> None:
    talk = Conversation()
    talk.handshake()
    talk.client.sends(ONE)
    talk.client.sends(b"XX", at=5)
    talk.client.loses(30)
    talk.client.sends(TWO)
    bad = tmp_path / "bad.pcap"
    bad.write_bytes(pcap(talk.packets) + b"\0\0\0")
    with open_capture(bad) as trace:
        quality = trace.quality
        assert quality.damaged
        assert [problem.layer for problem in quality.problems] == ["capture"]
        assert [(hole.stream, hole.frame, hole.length) for hole in quality.holes] == [(0, 5, 30)]
        assert [(one.stream, one.frame, one.length) for one in quality.conflicts] == [(0, 4, 2)]
        assert quality.counters == {"malformed capture": 1, "retransmitted segments": 1}
        assert [trace.raw(row) for row in range(len(trace))] == [ONE, TWO]


def test_what_is_no_capture_is_a_trace_without_rows(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a capture\n")
    with open_capture(text) as trace:
        assert len(trace) == 0
        assert trace.quality.damaged


def test_a_file_that_is_not_there_is_an_error_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no file"):
        open_capture(tmp_path / "absent.pcap")


def test_progress_is_told_in_bytes_of_the_file(path: Path) -> None:
    told: list[int] = []
    open_capture(path, progress=told.append).close()
    assert told == sorted(told)
    assert told[-1] == path.stat().st_size


def test_every_row_of_a_sample_can_be_read_back_and_parsed() -> None:
    with open_capture(SAMPLES / "callid-collision.pcap") as trace:
        assert len(trace) == 114
        strings = trace.rows.strings.values
        for row in range(len(trace)):
            parsed = trace.message(row)
            assert isinstance(parsed, SipMessage)
            assert parsed.call_id == strings[trace.rows.call_id[row]]
            assert len(trace.raw(row)) == trace.rows.length[row]


def test_meaning_is_computed_once(path: Path) -> None:
    with open_capture(path) as trace:
        assert trace.analysis() is trace.analysis()
