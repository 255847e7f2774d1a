"""Records for display: complete, in step with one another, and true to the capture."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import dpkt
import pytest

from analyzer.quality import ConflictingOverlap
from analyzer.trace import open_capture
from analyzer.views.commands import FIELDS as COMMAND_FIELDS
from analyzer.views.commands import command_record, pair_row, refused_by_reply
from analyzer.views.detail import detail_record
from analyzer.views.dialogs import dialog_record
from analyzer.views.messages import FIELDS as MESSAGE_FIELDS
from analyzer.views.messages import message_record
from analyzer.views.numbers import amount, frames_text, spans
from analyzer.views.quality import advice, contents, quality_record, remarks
from analyzer.views.sessions import session_record
from dissectors.model import Malformed
from dissectors.notes import BAD_XCCOS, HOLE
from tests.analyzer.captures import capture, chat, message
from tests.paths import SAMPLES, require_shared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from analyzer.trace import Trace


@pytest.fixture(scope="module")
def trace() -> Iterator[Trace]:
    with open_capture(SAMPLES / "twousers-post.pcap") as found:
        yield found


@pytest.fixture(scope="module")
def hops() -> Iterator[Trace]:
    with open_capture(SAMPLES / "fe-two-hops.pcapng") as found:
        yield found


def test_a_message_record_is_true_to_the_parsed_message(trace: Trace) -> None:
    for row in range(0, len(trace), 7):
        record, parsed = message_record(trace, row), trace.message(row)
        assert not isinstance(parsed, Malformed)
        assert list(record) == list(MESSAGE_FIELDS)
        assert record["kind"] == parsed.kind
        assert record["method"] == (parsed.method or parsed.cseq_method)
        assert (record["status"], record["uri"]) == (parsed.status, parsed.uri)
        assert record["call_id"] == parsed.call_id
        assert record["content_length"] == parsed.content_length
        assert record["length"] == len(trace.raw(row))
        assert record["sha1"] == hashlib.sha1(trace.raw(row)).hexdigest()
        assert record["frame"] == record["frames"][-1]


def test_chat_texts_are_read_back(tmp_path: Path) -> None:
    with open_capture(capture(tmp_path / "chat.pcap", chat("a &lt; b"))) as trace:
        (item,) = message_record(trace, 0)["xccos"]
    assert item == {
        "element": "grpchat", "id": "grpchat", "seqid": "1", "envid": "7", "commandid": None,
        "code": None, "text": "a < b",
    }  # fmt: skip


def test_ipv6_addresses_stand_in_brackets() -> None:
    path = require_shared() / "corpus/captures/sip_udp"
    found = []
    for one in sorted(path.glob("*cap*")):
        with open_capture(one) as trace:
            found += [stream.src for stream in trace.streams]
    assert found
    assert all(text.rpartition(":")[2].isdigit() for text in found)
    assert all(text.startswith("[") for text in found if text.count(":") > 1)


def test_a_command_record_refers_to_rows_frames_and_lists(trace: Trace) -> None:
    analysis = trace.analysis()
    for pair in analysis.pairs:
        record = command_record(trace, pair)
        assert list(record) == list(COMMAND_FIELDS)
        assert record["message"] == pair.row
        assert record["frame"] == trace.rows.frame[pair.row or 0]
        assert record["reply"] == (record["replies"][0]["id"] if record["replies"] else None)
        assert record["session"] == analysis.dialogs[pair.dialog or 0].session
        assert pair_row(pair) == pair.row
        assert not refused_by_reply(pair)


def test_a_reply_without_its_command_has_no_command_frame() -> None:
    with open_capture(require_shared() / "flows/late-start.pcapng") as trace:
        orphans = [pair for pair in trace.analysis().pairs if pair.row is None]
        records = [command_record(trace, pair) for pair in orphans]
        rows = [pair_row(pair) for pair in orphans]
    for record, row in zip(records, rows, strict=True):
        assert (record["frame"], record["time"], record["message"]) == (None, None, None)
        assert record["reply_frames"] == [trace.rows.frame[row or 0]]


def test_a_dialog_record_counts_its_xccos(trace: Trace) -> None:
    channels = [one for one in trace.analysis().dialogs if one.role == "channel"]
    record = dialog_record(trace, channels[0])
    assert record["xccos"]["cmd"] == record["xccos"]["rpl"] > 0
    assert len(record["frames"]) == len(record["messages"])
    assert record["transport"] == "tcp"
    assert record["started"] < record["ended"]


def test_a_session_record_names_its_dialogs_and_why(trace: Trace) -> None:
    analysis = trace.analysis()
    for session in analysis.sessions:
        record = session_record(trace, session)
        assert sum(record["outcomes"].values()) == len(record["commands"])
        assert record["signed_in"]["frame"] == trace.rows.frame[session.signed_in or 0]
        assert {one["dialog"] for one in record["dialogs"]} == {
            one.index for one in analysis.dialogs if one.session == session.index
        }
        assert all(one["reason"] for one in record["dialogs"])


def test_a_message_belongs_to_transaction_dialog_and_command(trace: Trace) -> None:
    pair = trace.analysis().pairs[4]
    assert pair.row is not None
    command = detail_record(trace, pair.row)["belongs_to"]
    reply = detail_record(trace, pair.replies[0].row)["belongs_to"]
    answer = detail_record(trace, command["transaction"]["final"])["belongs_to"]
    for found in (command, reply, answer):
        assert [one["index"] for one in found["commands"]] == [4]
        assert found["dialog"]["index"] == pair.dialog


def test_a_copy_on_a_further_hop_names_the_message_seen_first(hops: Trace) -> None:
    copy, first = next(iter(hops.analysis().copy_of.items()))
    found = detail_record(hops, copy)["belongs_to"]["copy_of"]
    assert found == {"message": first, "frame": hops.rows.frame[first]}


def test_a_sound_capture_has_no_remarks(trace: Trace) -> None:
    assert remarks(trace) == []
    assert quality_record(trace)["holes"] == []


def test_connections_open_before_the_capture_are_remarked(hops: Trace) -> None:
    late = [one for one in hops.connections if not one.syn_seen]
    found = [text for text in remarks(hops) if "before the capture began" in text]
    assert bool(late) == bool(found)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("flows/hole-in-the-middle.pcapng", "holes"),
        ("flows/late-start.pcapng", "before the capture began"),
    ],
)
def test_what_is_missing_is_said_in_words(path: str, words: str) -> None:
    with open_capture(require_shared() / path) as found:
        assert any(words in text for text in remarks(found))


def test_damage_is_remarked_with_its_place(tmp_path: Path) -> None:
    whole = (SAMPLES / "signin-tcp.pcap").read_bytes()
    (tmp_path / "cut.pcap").write_bytes(whole[:20_000])
    with open_capture(tmp_path / "cut.pcap") as found:
        assert quality_record(found)["damaged"] is True
        assert remarks(found)[0].startswith("The file is damaged: ")


def test_one_direction_alone_is_remarked(tmp_path: Path) -> None:
    path = tmp_path / "half.pcap"
    with (SAMPLES / "signin-tcp.pcap").open("rb") as whole, path.open("wb") as half:
        reader = dpkt.pcap.Reader(whole)
        writer = dpkt.pcap.Writer(half, linktype=reader.datalink())
        for time, data in reader:
            if dpkt.ethernet.Ethernet(data).data.data.dport == 5060:
                writer.writepkt(data, time)
    with open_capture(path) as found:
        (sided,) = quality_record(found)["one_sided"]
        assert sided["messages"][0] > 0 == sided["messages"][1]
        (text,) = [text for text in remarks(found) if "in one direction only" in text]
        assert f"only {sided['opener']} to {sided['responder']}" in text


def test_advice_fits_what_the_capture_holds_instead(tmp_path: Path) -> None:
    locked = tmp_path / "locked.pcap"
    shutil.copy(require_shared() / "captures/tls.pcap", locked)  # its keys stay behind
    with open_capture(locked) as tls:
        assert any("TLS" in text for text in advice(tls))
        assert any("TLS 1" in text for text in contents(tls))
        assert sum("1 TLS connection" in text for text in remarks(tls)) == 1
    with open_capture(capture(tmp_path / "empty.pcap")) as empty:
        assert contents(empty) == ["The capture has no frames."]
        assert not any("TLS connections" in text for text in advice(empty))


def test_a_time_that_is_not_known_is_null(tmp_path: Path) -> None:
    path = capture(tmp_path / "epoch.pcap", message())
    data = bytearray(path.read_bytes())
    data[24:32] = bytes(8)  # the time of the only record
    path.write_bytes(bytes(data))
    with open_capture(path) as found:
        assert message_record(found, 0, ("time",)) == {"time": None}


@pytest.mark.parametrize(
    ("frames", "text"),
    [
        ([4], "frame 4"),
        ([4, 5, 6, 9], "frames 4-6, 9"),
        ([2, 1, 1], "frames 1-2"),
        (list(range(1, 40, 2)), "frames 1, 3, 5, 7, 9, 11, 13, 15, ..."),
    ],
)
def test_frames_are_told_with_runs(frames: list[int], text: str) -> None:
    assert frames_text(frames) == text
    assert spans([]) == ""


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [(1, "frame", "1 frame"), (48_000, "frame", "48,000 frames"), (2, "address", "2 addresses")],
)
def test_amounts_have_their_plural(count: int, noun: str, text: str) -> None:
    assert amount(count, noun) == text


def test_what_is_unusual_in_packets_and_messages_is_counted_in_words() -> None:
    said = ""
    for group in ("sip_malformed", "tcp_reassembly", "sip_tcp_dev", "ip_fragments"):
        for one in sorted((require_shared() / "corpus/captures" / group).glob("*cap*")):
            with open_capture(one) as found:
                said += "\n".join(remarks(found)) + "\n"
    for words in ("Could not be decoded: 1 IP", "cut short when captured"):
        assert words in said


def test_messages_with_holes_and_differing_retransmissions_are_counted() -> None:
    with open_capture(SAMPLES / "signin-tcp.pcap") as found:
        found.rows.notes[3] |= HOLE
        found.rows.notes[4] |= BAD_XCCOS
        found.quality = replace(found.quality, conflicts=(ConflictingOverlap(0, 9, 4),))
        assert remarks(found) == [
            "1 message with bytes missing; 1 message whose XCCOS cannot be read (see notes in "
            "`xccos messages`).",
            "1 retransmission with bytes that differ from those first seen (frame 9): the first "
            "ones are used.",
        ]
        (conflict,) = quality_record(found)["conflicts"]
    assert (conflict["frame"], conflict["length"]) == (9, 4)


def test_messages_that_cannot_be_parsed_have_a_record_all_the_same(tmp_path: Path) -> None:
    with open_capture(capture(tmp_path / "bad.pcap", message(), chat("<open>"))) as trace:
        record = detail_record(trace, 1)
    assert record["document"]["problem"]
    assert record["document"]["root"] is None
    assert record["note_meanings"] == {
        "bad-xccos": "the XCCOS body is not well-formed, or is refused (DTD, limits)"
    }
