"""A script as a capture: times, addresses, identifiers, endings, and what is refused."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from analyzer.replay.capture import CaptureError, CaptureOptions, ScriptFaultError, format_of
from analyzer.replay.script import Connection, Slot
from analyzer.replay.template import Template
from tests.analyzer.replay.capture.hand import (
    CONNECTION,
    SCRIPT,
    STARTED_NS,
    TURNS,
    opened,
    request,
    said,
    with_connection,
    written,
)

if TYPE_CHECKING:
    from pathlib import Path

    from analyzer.replay.capture.options import Format

MS = 1_000_000


def test_turns_are_at_their_times_in_their_order(tmp_path: Path) -> None:
    with opened(tmp_path, SCRIPT) as trace:
        times = [time - STARTED_NS for time in trace.rows.time]
        assert times == [0, 20_500_000, 1000 * MS, 1001 * MS]
        assert [trace.streams[stream].src for stream in trace.rows.stream] == [
            "10.0.0.1:50000", "10.0.0.2:5060", "10.0.0.2:5060", "10.0.0.1:50000",
        ]  # fmt: skip
        assert trace.connections[0].syn_seen
        assert trace.connections[0].ends == ("fin", "fin")
        assert trace.quality.first_time == STARTED_NS - MS


def test_the_same_script_gives_the_same_file() -> None:
    assert written(SCRIPT, fresh=True, seed=3)[0] == written(SCRIPT, fresh=True, seed=3)[0]
    assert written(SCRIPT, fresh=True, seed=3)[0] != written(SCRIPT, fresh=True, seed=4)[0]


@pytest.mark.parametrize(("form", "magic"), [("pcap", "4d3cb2a1"), ("pcapng", "0a0d0d0a")])
def test_both_formats_are_in_nanoseconds(tmp_path: Path, form: Format, magic: str) -> None:
    data, summary = written(SCRIPT, format=form, start_ns=STARTED_NS + 1)
    assert data[:4].hex() == magic
    path = tmp_path / "again"
    path.write_bytes(data)
    with opened(tmp_path, SCRIPT, format=form, start_ns=STARTED_NS + 1) as trace:
        assert trace.quality.digits == 9
        assert trace.rows.time[0] == STARTED_NS + 1
        assert trace.quality.frames == summary.frames
        assert (trace.quality.first_time, trace.quality.last_time) == summary[3:5]


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.pcap", "pcap"), ("A.PCAP", "pcap"), ("a.pcapng", "pcapng"), ("a", "pcapng")],
)
def test_the_name_of_a_file_tells_its_format(name: str, form: str) -> None:
    assert format_of(name) == form


def test_times_that_messages_speak_of_move_with_them(tmp_path: Path) -> None:
    day = 86_400 * 10**9
    with opened(tmp_path, SCRIPT, start_ns=STARTED_NS + day) as trace:
        assert "Date: Mon, 23 Nov 2026 07:20:06 GMT" in said(trace)
        assert 'ts="2026-11-23T07:20:07.5000000Z"' in said(trace)


def test_scaled_times_keep_clocks_as_far_from_the_capture_as_they_were(tmp_path: Path) -> None:
    with opened(tmp_path, SCRIPT, scale=3.0) as trace:
        assert trace.rows.time[2] - STARTED_NS == 3000 * MS
        # 1.000 s became 3.000 s, so that the time stamp of that message is two seconds later.
        assert 'ts="2026-11-22T07:20:09.5000000Z"' in said(trace)


def test_addresses_are_the_same_in_packets_and_messages(tmp_path: Path) -> None:
    moved = {"client1": "192.0.2.7", "10.0.0.2:5060": "192.0.2.8:5070"}
    with opened(tmp_path, SCRIPT, addresses=moved) as trace:
        assert trace.streams[0].src == "192.0.2.7:50000"
        assert trace.streams[0].dst == "192.0.2.8:5070"
        assert "Via: SIP/2.0/TCP 192.0.2.7:50000" in said(trace)
        assert "Contact: <sip:192.0.2.7:50000;transport=tcp>" in said(trace)
        assert "10.0.0." not in said(trace)


def test_an_ipv6_address_stands_in_brackets(tmp_path: Path) -> None:
    moved = {"client1": "2001:db8::7", "server": "[2001:db8::8]:5070"}
    with opened(tmp_path, SCRIPT, addresses=moved) as trace:
        assert trace.streams[0].dst == "[2001:db8::8]:5070"
        assert "Via: SIP/2.0/TCP [2001:db8::7]:50000" in said(trace)


def test_hosts_that_share_an_address_are_told_apart(tmp_path: Path) -> None:
    script = with_connection(opener_address="127.0.0.1:50000", responder_address="127.0.0.1:5060")
    slots = tuple(
        replace(slot, value=slot.value.replace("10.0.0.1", "127.0.0.1")) for slot in script.slots
    )
    more = Slot("front", "address", "127.0.0.1:5060", "server", "t2")
    turn = replace(
        TURNS[1],
        message=Template("SIP/2.0 200 OK", (("X", "${front} ${client1.host}:${client1.port}"),)),
    )
    script = replace(script, slots=(*slots, more), turns=(TURNS[0], turn))
    with opened(tmp_path, script, addresses={"client1": "192.0.2.7:999"}) as trace:
        assert "X: 127.0.0.1:5060 192.0.2.7:999\r\n" in said(trace)
        assert "<sip:192.0.2.7:999;transport=tcp>" in said(trace)


def test_an_address_that_stays_in_words_is_told() -> None:
    turn = request(1, "INFO", 0.0, "call me at 10.0.0.1")
    notes = written(replace(SCRIPT, turns=(turn,)), addresses={"client1": "192.0.2.7"})[1].notes
    assert notes == ("1 message mentions an address that was moved, in words that are no slot",)


def test_fresh_identifiers_are_the_same_everywhere_and_of_the_same_form(tmp_path: Path) -> None:
    with opened(tmp_path, SCRIPT, fresh=True) as trace:
        call_ids = {trace.rows.strings.value(number) for number in trace.rows.call_id}
        assert len(call_ids) == 1
        (call_id,) = call_ids
        assert call_id is not None
        assert (len(call_id), call_id == "0123abcd0123abcd") == (16, False)
        assert set(call_id) <= set("0123456789abcdef")
        assert "7962449779256945056" not in said(trace)
        assert "<chat>a &lt; b</chat>" in said(trace)


def test_a_value_that_is_set_wins(tmp_path: Path) -> None:
    with opened(tmp_path, SCRIPT, values={"text1": "c > d"}, fresh=True) as trace:
        assert "<chat>c &gt; d</chat>" in said(trace)


def test_a_connection_that_was_open_before_has_no_handshake(tmp_path: Path) -> None:
    with opened(tmp_path, with_connection(opened_ms=None, closed_ms=None)) as trace:
        assert not trace.connections[0].syn_seen
        assert trace.connections[0].ends == ("end", "end")
        assert (len(trace), trace.quality.holes) == (4, ())


def test_a_connection_opens_before_its_first_turn_whatever_the_script_says(tmp_path: Path) -> None:
    with opened(tmp_path, with_connection(opened_ms=500.0)) as trace:
        assert trace.connections[0].syn_seen
        assert len(trace) == 4


def test_a_broken_connection_is_reset_by_who_broke_it(tmp_path: Path) -> None:
    script = with_connection(closed_how="rst", closed_by="server")
    with opened(tmp_path, script) as trace:
        assert "rst" in trace.connections[0].ends


def test_who_did_not_close_may_speak_on(tmp_path: Path) -> None:
    script = with_connection(closed_ms=1000.5, closed_by="server")
    with opened(tmp_path, script) as trace:
        assert len(trace) == 4
        assert trace.connections[0].ends == ("fin", "fin")
    assert written(script)[1].notes == ()


def test_nobody_speaks_after_closing(tmp_path: Path) -> None:
    script = with_connection(closed_ms=10.0, closed_by="client1")
    with opened(tmp_path, script) as trace:
        assert len(trace) == 4
    notes = written(script)[1].notes
    assert notes == ("c1: closed later than recorded, as turns come after that",)


def test_a_turn_that_was_moved_by_hand_comes_where_it_stands(tmp_path: Path) -> None:
    moved = (*TURNS[:2], replace(TURNS[2], at_ms=5.0), TURNS[3])
    with opened(tmp_path, replace(SCRIPT, turns=moved)) as trace:
        assert [time - STARTED_NS for time in trace.rows.time] == [
            0, 20_500_000, 20_500_000, 1001 * MS,
        ]  # fmt: skip
        assert [trace.rows.status[row] for row in (1, 2)] == [200, -1]


def test_sip_over_udp_is_a_datagram_for_each_turn(tmp_path: Path) -> None:
    with opened(tmp_path, with_connection(transport="udp")) as trace:
        assert len(trace) == 4
        assert trace.quality.frames == 4
        assert {stream.transport for stream in trace.streams} == {"udp"}


def test_tls_is_written_as_plain_tcp_and_that_is_told(tmp_path: Path) -> None:
    script = with_connection(transport="tls", responder_address="10.0.0.2:5061")
    with opened(tmp_path, script) as trace:
        assert trace.streams[1].src == "10.0.0.2:5061"
        assert len(trace) == 4
    assert written(script)[1].notes == ("c1: recorded inside TLS, written as plain TCP",)


def test_the_recording_ends_when_it_ended(tmp_path: Path) -> None:
    """A copy that never came was not sent too late: the capture went on without it."""
    script = with_connection(closed_ms=None)
    origin = {"ended": "2026-11-22T07:20:46.541321Z"}
    with opened(tmp_path, replace(script, origin=origin), scale=2.0) as trace:
        assert len(trace) == 4
        assert trace.quality.last_time is not None
        assert 0 <= trace.quality.last_time - (STARTED_NS + 80_000 * MS) < MS


def test_comments_say_which_turn_a_frame_is(tmp_path: Path) -> None:
    path = tmp_path / "again.pcapng"
    path.write_bytes(written(SCRIPT, comments=True)[0])
    done = subprocess.run(
        ["tshark", "-r", str(path), "-Y", "frame.comment", "-T", "json", "-e", "frame.comment"],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    told = [one["_source"]["layers"]["frame.comment"] for one in json.loads(done.stdout)]
    assert told == [[f"turn t{number}"] for number in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (replace(SCRIPT, connections=()), "t1: there is no connection 'c1'"),
        (with_connection(opener="client9"), "t1: 'client1' is at neither end of c1"),
        (with_connection(opener_address="gc01:5060"), "is not an IP address with a port"),
        (with_connection(opener_address="10.0.0.1"), "is not an address such as"),
        (with_connection(opener_address="10.0.0.1:70000"), "is not an address such as"),
        (with_connection(opener_address="[::1]:5060"), "different IP versions"),
        (with_connection(opened_ms=float("nan")), "c1 is at no time"),
        (replace(SCRIPT, slots=()), "t1: there is no slot 'client1.address'"),
        (replace(SCRIPT, started="yesterday"), "has no time in 'yesterday'"),
        (replace(SCRIPT, origin={"ended": "never"}), "has no time in 'never'"),
        (replace(SCRIPT, turns=(replace(TURNS[0], at_ms=1e300),)), "t1 is at no time"),
        (replace(SCRIPT, turns=(replace(TURNS[0], at_ms=float("inf")),)), "t1 is at no time"),
        (
            replace(SCRIPT, turns=(request(1, "INFO", 0.0, "x" * 70_000),),
                    connections=(replace(CONNECTION, transport="udp"),)),
            "t1: 70,",
        ),
    ],
)  # fmt: skip
def test_what_makes_no_capture_is_refused_in_one_line(script: object, reason: str) -> None:
    with pytest.raises(CaptureError) as told:
        written(script)  # type: ignore[arg-type]
    assert reason in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"mss": 47}, "MSS 47"),
        ({"mss": 65_496}, "MSS 65496"),
        ({"vlan": 4095}, "VLAN 4095"),
        ({"vlan": 0}, "VLAN 0"),
        ({"scale": 0.0}, "cannot be scaled by 0.0"),
        ({"scale": float("nan")}, "cannot be scaled"),
        ({"start_ns": -1_000_000_000}, "between 1970 and 2262"),
        ({"start_ns": 1 << 62, "format": "pcap"}, "between 1970 and 2106"),
        ({"start_ns": 1 << 63}, "between 1970 and 2262"),
        ({"addresses": {"client2": "192.0.2.1"}}, "no 'client2' to move; there are: client1"),
        ({"addresses": {"client1": "lab"}}, "'lab' is not an address"),
        ({"values": {"room9": "x"}}, "no slot 'room9' to set"),
        ({"macs": {"10.0.0.1": "no"}}, "not an Ethernet address"),
    ],
)
def test_options_that_make_no_capture_are_refused_in_one_line(
    options: dict[str, object], reason: str
) -> None:
    with pytest.raises(CaptureError) as told:
        written(SCRIPT, **options)
    assert reason in str(told.value)
    assert "\n" not in str(told.value)


def test_two_connections_at_one_address_are_refused() -> None:
    other = replace(CONNECTION, id="c2", opener_address="10.0.0.1:50001")
    turns = (TURNS[0], request(5, "INFO", 1.0, connection="c2"), TURNS[1])
    script = replace(SCRIPT, connections=(CONNECTION, other), turns=turns)
    assert written(script)[1].connections == 2
    with pytest.raises(CaptureError, match="have the same addresses and ports"):
        written(script, addresses={"client1": "192.0.2.1:50000"})


def test_the_same_ports_may_be_used_again_later(tmp_path: Path) -> None:
    again: Connection = replace(CONNECTION, id="c2", opened_ms=3000.0, closed_ms=4000.0)
    turns = (*TURNS, request(5, "INFO", 3500.0, connection="c2"))
    script = replace(SCRIPT, connections=(CONNECTION, again), turns=turns)
    with opened(tmp_path, script) as trace:
        assert [one.messages for one in trace.connections] == [(2, 2), (1, 0)]
        assert trace.quality.counters == {}


def test_options_have_defaults_that_change_nothing() -> None:
    assert CaptureOptions() == CaptureOptions(scale=1.0, mss=1460, vlan=None, fresh=False)


def test_a_turn_is_at_any_time_that_the_format_can_say(tmp_path: Path) -> None:
    years = 30 * 365 * 24 * 3_600_000.0
    late = replace(SCRIPT, turns=(*TURNS[:-1], replace(TURNS[-1], at_ms=years)))
    with opened(tmp_path, late) as trace:
        assert trace.rows.time[len(TURNS) - 1] == STARTED_NS + round(years) * MS
    centuries = replace(SCRIPT, turns=(*TURNS[:-1], replace(TURNS[-1], at_ms=4 * years)))
    assert written(centuries, format="pcapng")[1].frames
    with pytest.raises(ScriptFaultError, match="t4: the times of a pcap file lie between"):
        written(centuries, format="pcap")


def test_a_party_has_an_ethernet_address_wherever_it_is_put() -> None:
    macs = {"server": "02:00:00:00:00:05", "client1": "02:00:00:00:00:06"}
    data, _ = written(SCRIPT, macs=macs, addresses={"server": "10.9.9.9"})
    assert bytes.fromhex("020000000005020000000006") in data
    both = {"server": "02:00:00:00:00:05", "10.0.0.2": "02:00:00:00:00:07"}
    data, _ = written(SCRIPT, macs=both)
    assert bytes.fromhex("020000000007") in data
    assert bytes.fromhex("020000000005") not in data


def test_an_ethernet_address_of_nobody_is_refused_with_who_there_is() -> None:
    with pytest.raises(
        CaptureError, match=r"no '10\.7\.7\.7' .* there are: client1, .*10\.0\.0\.1"
    ):
        written(SCRIPT, macs={"10.7.7.7": "02:00:00:00:00:05"})


def test_who_has_an_address_of_another_ip_version_is_named() -> None:
    with pytest.raises(CaptureError, match=r"server at \[::7\]:5060 .* different IP versions"):
        written(SCRIPT, addresses={"server": "::7"})
