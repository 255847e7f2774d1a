"""The torture messages of RFC 4475 and RFC 5118, sent over UDP and TCP and read from a capture.

What each is worth by the grammar is tested beside the parser; here it is that every one is listed
with the values that the RFC gives, and that none harms the messages beside it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.paths import require_shared
from tests.support.conversation import CLIENT, SERVER, Conversation
from tests.support.packets import Udp, pcap
from tests.truth.listing import Listed, Record, listed, tally

if TYPE_CHECKING:
    from pathlib import Path

TORTURE = require_shared() / "corpus" / "torture"
CASES = json.loads((TORTURE / "expected.json").read_text(encoding="utf-8"))
AFTER = (
    b"OPTIONS sip:after@example.com SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bKafter\r\n"
    b"From: <sip:a@example.com>;tag=1\r\nTo: <sip:after@example.com>\r\nCall-ID: after\r\n"
    b"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


def _listed(tmp_path: Path, data: bytes) -> list[Listed]:
    path = tmp_path / "torture.pcap"
    path.write_bytes(data)
    return listed(path)


def _agrees(message: Listed, case: dict[str, Any]) -> bool:
    start = str(message["status"]) if message["kind"] == "response" else message["method"]
    calls = case["call_id"] if isinstance(case["call_id"], list) else [case["call_id"]]
    numbers = case["cseq"] if isinstance(case["cseq"], list) else [case["cseq"]]
    cseq = message["cseq"]
    return (
        start == case["start"]
        and message["call_id"] in calls
        and (cseq["number"] if cseq else None) in numbers
        and (cseq["method"] if cseq else None) == case["cseq_method"]
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_a_torture_message_in_a_datagram_is_listed_with_its_values(
    case: dict[str, Any], tmp_path: Path, record_property: Record
) -> None:
    raw = (TORTURE / case["file"]).read_bytes()
    found = _listed(tmp_path, pcap([Udp(CLIENT, SERVER, raw), Udp(CLIENT, SERVER, AFTER)]))
    assert found[-1]["call_id"] == "after"
    if case["must_list"]:
        tally(record_property, "torture messages", int(_agrees(found[0], case)), 1)
        assert len(found) == 2
        assert _agrees(found[0], case), found[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_a_torture_message_in_a_stream_is_listed_and_so_is_what_follows(
    case: dict[str, Any], tmp_path: Path
) -> None:
    talk = Conversation()
    talk.handshake()
    talk.client.sends((TORTURE / case["file"]).read_bytes())
    talk.client.sends(AFTER)
    talk.close()
    found = _listed(tmp_path, pcap(talk.packets))
    if case["must_list"]:
        assert _agrees(found[0], case), found[0]
    assert found[-1]["call_id"] == "after"


def test_two_requests_in_one_packet_are_two_messages_over_tcp_and_one_over_udp(
    tmp_path: Path,
) -> None:
    raw = (TORTURE / "rfc4475" / "dblreq.dat").read_bytes()
    talk = Conversation()
    talk.handshake()
    talk.client.sends(raw)
    over_tcp = _listed(tmp_path, pcap(talk.packets))
    over_udp = _listed(tmp_path, pcap([Udp(CLIENT, SERVER, raw)]))
    assert [message["method"] for message in over_tcp] == ["REGISTER", "INVITE"]
    assert over_tcp[1]["call_id"] == "dblreq.0ha0isnda977644900765@192.0.2.15"
    assert [message["method"] for message in over_udp] == ["REGISTER"]
    assert "trailing-bytes" in over_udp[0]["notes"]


def test_a_length_beyond_the_stream_is_listed_as_cut_short(tmp_path: Path) -> None:
    talk = Conversation()
    talk.handshake()
    talk.client.sends((TORTURE / "rfc4475" / "clerr.dat").read_bytes())
    talk.close()
    (message,) = _listed(tmp_path, pcap(talk.packets))
    assert message["call_id"] == "clerr.0ha0isndaksdjweiafasdk3"
    assert message["content_length"] == 9999
    assert "truncated" in message["notes"]
