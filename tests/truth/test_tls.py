"""TLS captures with their keys: every message of the truth, byte for byte, and nothing else."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.export.messages import message_json_lines
from analyzer.trace import open_capture
from tests.paths import require_shared
from tests.support.packets import pcap
from tests.support.tls_captures import arrival, joined, split, told, writes_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from analyzer.trace import Trace
    from tests.support.packets import Tcp
    from tests.support.tls_captures import Write

SHARED = require_shared()
TLS13 = SHARED / "captures" / "tls.pcap"
TLS12 = SHARED / "corpus" / "captures" / "sip_tls" / "tls12_ecdhe_gcm.pcap"
KEY_LOG = {TLS13: TLS13.with_suffix(".keylog"), TLS12: TLS12.with_name(f"{TLS12.name}.keylog")}
DIRECTIONS = ("c2s", "s2c")


def truth() -> dict[str, list[dict[str, Any]]]:
    """Return the messages that left, by direction."""
    found = json.loads(TLS13.with_suffix(".json").read_text(encoding="utf-8"))["messages"]
    return {
        direction: [one for one in found if one["on_wire"] and one["dir"] == direction]
        for direction in DIRECTIONS
    }


def rows_of(trace: Trace, direction: str) -> list[int]:
    """Return the rows of a direction of the only connection."""
    stream = DIRECTIONS.index(direction)
    return [row for row in range(len(trace)) if trace.rows.stream[row] == stream]


def contents(trace: Trace) -> list[list[bytes]]:
    """Return the messages of both directions, as bytes."""
    return [list(map(trace.raw, rows_of(trace, direction))) for direction in DIRECTIONS]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_every_message_of_a_tls_1_3_capture_is_read_to_the_byte(direction: str) -> None:
    with open_capture(TLS13) as trace:
        rows = rows_of(trace, direction)
        found = [(len(raw), hashlib.sha1(raw).hexdigest()) for raw in map(trace.raw, rows)]
    expected = truth()[direction]
    assert found == [(one["length"], one["sha1"]) for one in expected]
    assert len(expected) == {"c2s": 29, "s2c": 25}[direction]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_rows_of_a_tls_1_3_capture_have_the_values_of_the_truth(direction: str) -> None:
    with open_capture(TLS13) as trace:
        rows, strings = trace.rows, trace.rows.strings.values
        found = []
        for row in rows_of(trace, direction):
            number, method = rows.cseqs.values[rows.cseq[row]] or (None, None)
            request = rows.status[row] < 0
            start = (strings[rows.method[row]], None) if request else (None, rows.status[row])
            found.append((start, strings[rows.call_id[row]], f"{number} {method}"))
    assert found == [
        ((one.get("method"), None) if one["kind"] == "request" else (None, one["status"]),
         one["call_id"], one["cseq"])
        for one in truth()[direction]
    ]  # fmt: skip


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_xccos_items_of_a_tls_1_3_capture_are_those_of_the_truth(direction: str) -> None:
    with open_capture(TLS13) as trace:
        found = [
            [(item.element, item.id, item.seqid, item.envid, item.commandid, item.code)
             for item in trace.rows.xccos(row)]
            for row in rows_of(trace, direction)
        ]  # fmt: skip
    assert found == [_items(one.get("xccos")) for one in truth()[direction]]
    assert any(found)


def _items(xccos: dict[str, Any] | None) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for one in (xccos or {}).get("elements", ()):
        command, resp = one.get("commandid"), one.get("resp") or {}
        address = (command["seqid"], command["envid"]) if command else None
        assert xccos is not None
        found.append(
            (one["element"], one["id"], one["seqid"], xccos["envid"], address, resp.get("code"))
        )
    return found


def test_rows_name_the_connection_the_frames_and_the_times_of_the_capture() -> None:
    with open_capture(TLS13) as trace:
        [connection] = trace.connections
        assert (connection.opener, connection.responder) == ("127.0.0.1:60738", "127.0.0.1:5061")
        assert (connection.transport, connection.syn_seen) == ("tls", True)
        assert (connection.first_frame, connection.messages) == (1, (29, 25))
        assert {stream.transport for stream in trace.streams} == {"tls"}
        first = trace.rows.frame[0], trace.rows.time[0], trace.rows.digits[0]
        assert first == (10, 1_795_327_801_801_785_000, 6)
        assert list(trace.rows.frame) == sorted(trace.rows.frame)
        # Two requests and the beginning of a third in one record, the rest of it in another.
        third = rows_of(trace, "c2s")[3]
        assert (trace.frames(third), trace.rows.frame[third]) == ((12, 14), 14)
        assert trace.quality.services == {}
        assert trace.quality.notes == ()
        assert trace.quality.counters["decrypted tls connections"] == 1


def test_a_decrypted_capture_means_what_a_plain_one_would() -> None:
    with open_capture(TLS13) as trace:
        [session] = trace.analysis().sessions
    assert session.user == "sip:user1@contoso.com"


def test_the_truth_of_a_tls_1_2_capture_is_met_frame_by_frame(tmp_path: Path) -> None:
    result = tmp_path / "result.jsonl"
    with open_capture(TLS12) as trace:
        lines = list(map(json.loads, message_json_lines(trace)))
        for line, time in zip(lines, trace.rows.time, strict=True):
            line["time"], line["cseq"] = time / 1e9, line["cseq"]["number"]
        result.write_text("\n".join(map(json.dumps, lines)))
    command = [sys.executable, str(SHARED / "corpus" / "check_sip_truth.py")]
    command += [str(SHARED / "corpus" / "truth" / "sip_tls__tls12_ecdhe_gcm.pcap.json")]
    done = subprocess.run(
        [*command, str(result), "--json", str(tmp_path / "found.json")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    [found] = json.loads((tmp_path / "found.json").read_text())
    assert (found["recall"], found["precision"], found["strict"]) == (1.0, 1.0, 88)
    assert (found["reported"], found["time_off"]) == (88, 0)


def _moved(packets: list[Tcp], every: int, by: int) -> list[Tcp]:
    """Let one packet of ``every`` arrive ``by`` packets later."""
    moved = list(packets)
    for at in range(5, len(moved) - by - 3, every):
        moved.insert(at + by, moved.pop(at))
    return moved


CUTS: dict[str, Callable[[list[Write]], list[Tcp]]] = {
    "as recorded": told,
    "records over many segments": lambda writes: told(split(writes, 100)),
    "several records in a segment": lambda writes: told(joined(writes)),
    "every segment twice": lambda writes: [
        packet for packet in told(split(writes, 700)) for _ in range(2)
    ],
    "neighbours swapped": lambda writes: _moved(told(split(writes, 300)), 2, 1),
    "late by nine": lambda writes: _moved(told(split(writes, 300)), 12, 9),
    "late by thirty": lambda writes: _moved(told(split(writes, 300)), 40, 30),
    "on the port of plain SIP": lambda writes: told(writes, server="10.0.0.2:5060"),
    "on the port of HTTPS": lambda writes: told(writes, server="10.0.0.2:443"),
    "over IPv6": lambda writes: told(writes, client="[fd00::1]:50000", server="[fd00::2]:5061"),
    "without a SYN": lambda writes: told(writes)[2:],
}


@pytest.mark.untraced
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("capture", [TLS13, TLS12], ids=lambda path: path.stem)
def test_how_the_records_were_cut_and_ordered_does_not_matter(
    capture: Path, cut: str, tmp_path: Path
) -> None:
    packets = CUTS[cut](writes_of(capture))
    retold = tmp_path / "retold.pcap"
    retold.write_bytes(pcap(packets))
    with open_capture(retold, keylog=KEY_LOG[capture]) as trace:
        assert contents(trace) == expected(capture)
        assert trace.quality.notes == ()
        assert trace.quality.holes == ()
        if capture == TLS12:
            _frames_complete_the_last_records(trace, packets)


@cache
def expected(capture: Path) -> list[list[bytes]]:
    """Return the messages of a capture as it was taken."""
    with open_capture(capture) as trace:
        return contents(trace)


def _frames_complete_the_last_records(trace: Trace, packets: list[Tcp]) -> None:
    client = min(packet.src for packet in packets if packet.src.endswith(":50000"))
    for direction in DIRECTIONS:
        from_client = direction == "c2s"
        when = arrival([(packet.src == client) == from_client for packet in packets], packets)
        end = 0
        for row in rows_of(trace, direction):
            end += trace.rows.length[row]
            assert trace.rows.frame[row] == when.frame_of(end)
