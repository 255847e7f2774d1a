"""The report says which slots there are, and which volatile values stayed literal."""

from __future__ import annotations

from analyzer.replay.derive.build import report_lines, slot_report
from analyzer.replay.script import Connection, Dialog, Party, Script, Slot, Turn
from analyzer.replay.template import Template
from tests.analyzer.replay.derive.recordings import sample


def script_with(*headers: tuple[str, str], body: str = "") -> Script:
    turn = Turn(
        "t1", "client1", "server", "c1", "other1", Template("OPTIONS sip:a SIP/2.0", headers, body)
    )
    return Script(
        "hand",
        (Party("client1", "client"), Party("server", "server")),
        (Connection("c1", "client1", "server", "192.0.2.1:1", "192.0.2.2:2"),),
        (Dialog("other1", "client1", "other", "call1"),),
        (Slot("call1", "call-id", "abc"),),
        (turn,),
    )


def test_slots_are_counted_by_kind_and_use() -> None:
    report = slot_report(sample("signin-tcp.pcap"))
    uses = {one.name: one.uses for one in report.slots}
    assert uses["client1.user"] > 50
    assert all(uses.values())
    assert report.kinds["cseq"] == 27
    assert sum(report.kinds.values()) == len(report.slots)


def test_what_looks_volatile_and_is_no_slot_is_named_with_its_place() -> None:
    report = slot_report(
        script_with(
            ("Call-ID", "${call1}"),
            ("X-Id", "0f8fad5b-d9cb-469f-a165-70867728950e"),
            ("X-Time", "2026-11-22T06:08:21Z"),
            ("X-Where", "fe01.contoso.com:5061, 192.0.2.7:5060"),
            ("X-Who", "ann@contoso.com"),
            ("X-Number", "1870433792, 12345"),
            ("X-Hex", "fbf087003a48661a9ee6"),
            ("User-Agent", "Client/1.2.3.4567890"),
        )
    )
    assert [(one.value, one.form, one.place) for one in report.literals] == [
        ("0f8fad5b-d9cb-469f-a165-70867728950e", "GUID", "X-Id"),
        ("2026-11-22T06:08:21Z", "time", "X-Time"),
        ("fe01.contoso.com:5061", "host and port", "X-Where"),
        ("192.0.2.7:5060", "host and port", "X-Where"),
        ("ann@contoso.com", "address", "X-Who"),
        ("1870433792", "number", "X-Number"),
        ("fbf087003a48661a9ee6", "hexadecimal", "X-Hex"),
    ]
    assert all(one.turn == "t1" for one in report.literals)


def test_a_value_is_named_once_with_how_often_it_occurs() -> None:
    report = slot_report(script_with(body="1870433792 and 1870433792 again"))
    assert [(one.value, one.uses) for one in report.literals] == [("1870433792", 2)]


def test_nothing_is_found_across_a_slot() -> None:
    assert slot_report(script_with(("X", "123${call1}456"))).literals == ()


def test_a_report_reads_as_lines() -> None:
    lines = report_lines(slot_report(sample("signin-tcp.pcap")))
    assert lines[0].startswith("138 slots, used ")
    assert lines[1] == "4 values stayed literal though they look volatile:"
    assert "A1B2C3D4-0000-4000-8000-0123456789AB (GUID), once, first in t19, body" in lines[2]
    assert report_lines(slot_report(sample("twousers-post.pcap")))[1] == (
        "nothing that looks volatile stayed literal"
    )
