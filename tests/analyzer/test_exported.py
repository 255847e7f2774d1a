"""Captures of exported PDUs give the messages of the captures that they were exported from."""

from __future__ import annotations

import json
import subprocess
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from analyzer.sources.hep import packet
from analyzer.streaming import stream_capture
from analyzer.trace import open_capture
from dissectors.capture.pdu_writer import pdu
from dissectors.capture.writer import write_pcapng
from tests.paths import require_shared
from tests.support.exported import (
    export_of,
    flow_key,
    read_on_both_paths,
    tshark,
    upper,
    upper_capture,
)
from tests.support.mutants import mutants
from tests.support.packets import Tcp, Udp, pcap
from tests.support.reading import by_direction, capture_bytes, messages, messages_in
from tests.support.sip_texts import message, response

if TYPE_CHECKING:
    from pathlib import Path

CLIENT, SERVER = "10.0.0.1:50000", "10.0.0.2:5061"
THERE, BACK = flow_key(CLIENT, SERVER), flow_key(SERVER, CLIENT)
ONE, TWO = message(1, b"<xccos ver='1'/>"), response(1)

# tshark loses no message of these (it does where segments are out of order)
PLAIN = ("signin-tcp", "coalesce", "straddle", "batch-mixed", "keepalive", "callid-collision")


def exported(*pdus: bytes) -> bytes:
    return upper_capture(pdus)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_both_directions_are_one_connection(transport: str) -> None:
    data = exported(pdu(ONE, THERE, transport), pdu(TWO, BACK, transport))
    reading = read_on_both_paths(data)
    (flow,) = reading.flows
    assert (flow.transport, flow.messages) == (transport, [1, 1])
    assert [(one.src, one.raw, one.notes) for one in messages(reading, data)] == [
        (CLIENT, ONE, ()),
        (SERVER, TWO, ()),
    ]


def test_every_transport_is_a_connection_of_its_own() -> None:
    data = exported(*[pdu(ONE, THERE, transport) for transport in ("udp", "tcp", "tls", "tcp")])
    reading = read_on_both_paths(data)
    assert [(flow.transport, flow.messages) for flow in reading.flows] == [
        ("udp", [1, 0]),
        ("tcp", [2, 0]),
        ("tls", [1, 0]),
    ]


def test_a_trace_shows_the_transport_and_parses_as_it_travelled(tmp_path: Path) -> None:
    path = tmp_path / "exported.pcapng"
    path.write_bytes(exported(pdu(ONE, THERE, "tls"), pdu(TWO, BACK, "tls")))
    with open_capture(path, index=False) as trace:
        assert [one.transport for one in trace.connections] == ["tls"]
        assert [trace.streams[trace.rows.stream[row]].src for row in range(2)] == [CLIENT, SERVER]
        assert trace.raw(0) == ONE


@pytest.mark.parametrize(
    ("raw", "udp", "tcp"),
    [
        (message(1, b"abc", length="9"), ("bad-content-length",), ("truncated",)),
        (message(1, b"abc", length=None), (), ("no-content-length",)),
        (ONE + b"\0\0", ("trailing-bytes",), ()),
        (ONE[:60], ("missing-header",), ("no-content-length", "missing-header")),
    ],
)
def test_notes_are_those_of_the_transport(
    raw: bytes, udp: tuple[str, ...], tcp: tuple[str, ...]
) -> None:
    for transport, notes in (("udp", udp), ("tcp", tcp), ("tls", tcp)):
        data = exported(pdu(raw, THERE, transport))
        (found,) = messages(read_on_both_paths(data), data)
        assert found.notes == notes, transport


@pytest.mark.parametrize("copies", [1, 2, 3, 4])
def test_of_a_segment_that_is_exported_for_each_message_in_it_every_message_is_read_once(
    copies: int,
) -> None:
    """As tshark 4.0 does; a program that exports it once loses nothing either."""
    many = ONE + TWO + message(3, b"abc")
    (packet,) = upper([pdu(many, THERE, "tcp", frame=9)])
    data = write_pcapng([*[packet] * copies, *upper([pdu(message(4), THERE, "tcp")])])
    found = messages(read_on_both_paths(data), data)
    again = [ONE, TWO, message(3, b"abc")] if copies == 4 else []
    assert [one.raw for one in found] == [ONE, TWO, message(3, b"abc"), *again, message(4)]


def test_what_such_a_segment_begins_is_read_when_it_is_exported_as_a_whole() -> None:
    begun = ONE + TWO + message(3, b"abc")[:-2]
    data = exported(
        pdu(begun, THERE, "tcp"),
        pdu(message(9), BACK, "tcp"),
        pdu(message(3, b"abc"), THERE, "tcp"),
    )
    found = messages(read_on_both_paths(data), data)
    assert [(one.frame, one.raw) for one in found] == [
        (1, ONE),
        (1, TWO),
        (2, message(9)),
        (3, message(3, b"abc")),
    ]


@pytest.mark.parametrize("follows", [(), (pdu(message(4), THERE, "tcp"),)])
def test_what_is_begun_and_never_exported_as_a_whole_is_cut_short(
    follows: tuple[bytes, ...],
) -> None:
    cut = message(3, b"abc")[:-2]
    data = exported(pdu(ONE + cut, THERE, "tcp"), pdu(message(9), BACK, "tcp"), *follows)
    found = messages(read_on_both_paths(data), data)
    assert [(one.frame, one.raw, one.cut) for one in found] == [
        (1, ONE, False),
        (1, cut, True),
        (2, message(9), False),
        *[(3, message(4), False) for _ in follows],
    ]


def test_pieces_without_a_place_are_joined() -> None:
    whole = ONE + TWO + message(3)
    parts = [whole[at : at + 100] for at in range(0, len(whole), 100)]
    data = exported(*[pdu(part, THERE, "tcp", protocol="sip.tcp") for part in parts])
    reading = read_on_both_paths(data)
    assert [one.raw for one in messages(reading, data)] == [ONE, TWO, message(3)]
    assert [(flow.transport, flow.messages) for flow in reading.flows] == [("tls", [3, 0])]


def test_damage_gives_the_same_on_both_paths() -> None:
    segment = ONE + TWO + message(3)[:-9]
    captures = {
        "exported": exported(
            *[pdu(part, THERE, "tcp", protocol="sip.tcp") for part in (ONE, TWO)],
            *[pdu(segment, THERE, "tcp", frame=2)] * 2, pdu(message(3), THERE, "tls"),
            pdu(TWO, BACK, "udp"),
        ),
        "HEP": pcap([
            Udp("10.9.9.1:40000", "10.9.9.2:9060", packet(part, THERE, transport, 10**18))
            for transport in ("tcp", "udp")
            for part in (ONE[:70], ONE[70:], segment, segment, message(9))
        ]),
    }  # fmt: skip
    for mutant in islice(mutants(captures, 1), 400):
        read_on_both_paths(mutant.data, size=mutant.chunk)


def test_a_stream_gives_what_a_trace_gives(tmp_path: Path) -> None:
    """Also what was held back: nothing of a later frame is given before it."""
    begun = ONE + TWO[:-2]
    path = tmp_path / "exported.pcapng"
    path.write_bytes(
        exported(
            pdu(ONE, BACK, "tcp", protocol="sip.tcp"), pdu(begun, THERE, "tcp"),
            *[pdu(message(number), BACK, "tcp") for number in range(20)], pdu(ONE, THERE, "tcp"),
        )
    )  # fmt: skip
    with open_capture(path, index=False) as trace:
        expected = [(trace.rows.frame[row], trace.raw(row)) for row in range(len(trace))]
    with stream_capture(path, index=False) as windows:
        found = [
            (window.rows.frame[row], window.raw(row))
            for window in windows
            for row in range(len(window))
        ]
    assert found == expected
    assert len(found) == 23


# tshark


@pytest.mark.parametrize("name", PLAIN)
def test_an_export_by_tshark_has_the_messages_of_the_capture(name: str, tmp_path: Path) -> None:
    path = require_shared() / "captures" / f"{name}.pcap"
    # What is cut short at the end tshark does not show.
    expected = [one for one in messages_in(capture_bytes(path)) if not one.cut]
    data = export_of(path, tmp_path / "export.pcapng", 7)
    found = messages(read_on_both_paths(data), data)
    assert by_direction(found) == by_direction(expected)
    assert {one.time_ns for one in found} <= {one.time_ns for one in expected}


@pytest.mark.parametrize("name", PLAIN)
def test_so_has_an_export_of_the_payloads_of_tcp(name: str, tmp_path: Path) -> None:
    path = require_shared() / "captures" / f"{name}.pcap"
    data = export_of(path, tmp_path / "export.pcapng", 4)
    found = messages(read_on_both_paths(data), data)
    assert by_direction(found) == by_direction(messages_in(capture_bytes(path)))


def test_an_export_of_tls_gives_each_message_once(tmp_path: Path) -> None:
    path = require_shared() / "captures" / "tls.pcap"
    keys = f"tls.keylog_file:{path.with_suffix('.keylog')}"
    data = export_of(path, tmp_path / "export.pcapng", 7, "-o", keys)
    reading = read_on_both_paths(data)
    truth = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert len(reading.rows) == truth["on_wire_count"]
    assert {flow.transport for flow in reading.flows} == {"tls"}
    with open_capture(path, index=False) as direct:
        assert {direct.raw(row) for row in range(len(direct))} == {
            one.raw for one in messages(reading, data)
        }


def test_tshark_reads_what_we_write(tmp_path: Path) -> None:
    path = tmp_path / "written.pcapng"
    key_6 = flow_key("[2001:db8::1]:1", "[2001:db8::2]:2")
    path.write_bytes(
        exported(
            pdu(ONE, THERE, "tls", frame=7), pdu(TWO, key_6, "udp"), pdu(ONE, THERE, "tcp", frame=0)
        )
    )
    fields = (
        *("_ws.malformed", "exported_pdu.prot_name", "exported_pdu.ipv4_src"),
        *("exported_pdu.ipv6_dst", "exported_pdu.port_type", "exported_pdu.src_port"),
        *("exported_pdu.dst_port", "exported_pdu.orig_fno", "exported_pdu.col_proto_str"),
        *("sip.Method", "sip.Status-Code"),
    )
    command = [tshark(), "-r", str(path), "-T", "fields", "-E", "separator=|"]
    command += [part for field in fields for part in ("-e", field)]
    told = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout.decode()
    assert told.splitlines() == [
        "|sip|10.0.0.1||2|50000|5061|7|TLS|INFO|",
        "|sip||2001:db8::2|3|1|2||||200",
        "|sip|10.0.0.1||2|50000|5061|0||INFO|",
    ]


def test_an_ordinary_capture_keeps_its_transports() -> None:
    data = pcap([Udp(CLIENT, SERVER, ONE), Tcp(CLIENT, SERVER, 1, payload=ONE)])
    reading = read_on_both_paths(data)
    assert [(flow.transport, flow.messages) for flow in reading.flows] == [
        ("udp", [1, 0]),
        ("tcp", [1, 0]),
    ]
