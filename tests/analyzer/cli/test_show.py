"""One message shown: everything that it belongs to, and its bytes unchanged."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from analyzer.cli.sheet import MAX_LINES
from analyzer.trace import open_capture
from analyzer.views.detail import NOTE_MEANINGS
from dissectors.notes import NOTES
from tests.analyzer.captures import ESCAPE, capture, chat, message
from tests.analyzer.cli.running import xccos
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = SAMPLES / "twousers-post.pcap"
REPLY = "62"  # rpl:chansrch


def test_a_message_is_shown_with_all_that_it_belongs_to() -> None:
    out = xccos("show", SAMPLE, REPLY).out
    assert out.startswith("Message 62 of 114: INFO sip:user2@contoso.com")
    for text in ("frames      78", "transaction", "dialog", "command 4: chansrch (frame 75"):
        assert text in out
    assert "  Content-Type: text/plain; charset=UTF-8\n" in out


def test_the_xccos_tree_is_indented_and_known_ids_are_explained() -> None:
    lines = xccos("show", SAMPLE, REPLY).lines
    at = lines.index("XCCOS")
    assert lines[at + 1].startswith('  xccos ver="1" envid=')
    assert lines[at + 2] == '    rpl id="rpl:chansrch" seqid="1"  (rooms found)'
    assert '      resp code="200": SUCCESS_OK' in lines


def test_raw_gives_the_bytes_unchanged() -> None:
    result = xccos("show", SAMPLE, REPLY, "--raw")
    with open_capture(SAMPLE) as trace:
        assert result.raw == trace.raw(int(REPLY))


def test_raw_goes_to_a_terminal_only_by_force(tmp_path: Path) -> None:
    path = capture(tmp_path / "hostile.pcap", message(Subject=ESCAPE))
    refused = xccos("show", path, "0", "--raw", terminal=True)
    assert (refused.code, refused.raw) == (2, b"")
    assert "--force" in refused.err
    forced = xccos("show", path, "0", "--raw", "--force", terminal=True)
    assert ESCAPE.encode() in forced.raw


def test_a_frame_shows_all_messages_that_it_brought_bytes_of() -> None:
    result = xccos("show", SAMPLE, "--frame", "8")
    starts = [line for line in result.lines if line.startswith("Message ")]
    assert [line.split()[1] for line in starts] == ["2", "3", "6"]
    assert "3 messages" in result.err


def test_json_has_the_record_of_the_list_and_more() -> None:
    (record,) = json.loads(xccos("show", SAMPLE, REPLY, "--format", "json").out)
    listed = json.loads(xccos("messages", SAMPLE, "--format", "jsonl").lines[int(REPLY)])
    assert {key: record[key] for key in listed} == listed
    assert record["document"]["root"]["name"] == "xccos"
    assert record["belongs_to"]["commands"][0]["command"] == "chansrch"
    assert record["headers"][0]["name"] == "Via"


def test_nothing_in_a_message_steers_the_terminal(tmp_path: Path) -> None:
    path = capture(
        tmp_path / "hostile.pcap",
        message(f"OPTIONS sip:{ESCAPE} SIP/2.0", body=f"{ESCAPE}\r\n\x9b2J", Subject=ESCAPE),
        chat(f"bell \u202e {ESCAPE[1:6]}&#x9b;2J"),
    )
    for number in ("0", "1"):
        result = xccos("show", path, number, "--color", "never", terminal=True)
        assert result.code == 0
        assert not any(ord(one) < 0x20 and one != "\n" for one in result.out)
        assert "\x9b" not in result.out
        assert "\u202e" not in result.out
    assert "\\x1b]0;owned\\x07" in xccos("show", path, "0").out


def test_a_body_that_is_not_xccos_is_shown_as_text(tmp_path: Path) -> None:
    path = capture(tmp_path / "sdp.pcap", message(body="v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\n"))
    assert xccos("show", path, "0").lines[-3:] == ["Body", "  v=0", "  o=- 1 1 IN IP4 10.0.0.1"]


def test_a_long_body_is_cut_with_a_remark(tmp_path: Path) -> None:
    path = capture(tmp_path / "long.pcap", message(body="x\r\n" * (MAX_LINES + 1)))
    lines = xccos("show", path, "0").lines
    assert lines.count("  x") == MAX_LINES
    assert "--raw" in lines[-1]


def test_broken_xccos_is_explained_and_shown_as_text(tmp_path: Path) -> None:
    path = capture(tmp_path / "broken.pcap", chat("<unclosed>"))
    out = xccos("show", path, "0").out
    assert NOTE_MEANINGS["bad-xccos"] in out
    assert "XCCOS that cannot be read" in out
    assert "<unclosed>" in out


def test_every_note_is_explained() -> None:
    public = set(NOTES.values())
    assert public <= set(NOTE_MEANINGS)


def test_a_message_over_several_frames_names_them_all() -> None:
    with open_capture(SAMPLE) as trace:
        rows = [row for row in range(len(trace)) if len(trace.frames(row)) > 1]
        digests = [hashlib.sha1(trace.raw(row)).hexdigest() for row in rows]
    for row, digest in zip(rows[:2], digests, strict=False):
        assert digest in xccos("show", SAMPLE, str(row)).out


def test_what_is_not_captured_is_said_so() -> None:
    with open_capture(SAMPLES / "fault-no-reply.pcap") as trace:
        silent = [
            one.request
            for one in trace.analysis().transactions
            if one.expects_answer and one.final is None
        ]
        needless = [one.request for one in trace.analysis().transactions if not one.expects_answer]
    assert silent[0] is not None
    assert needless[0] is not None
    path = SAMPLES / "fault-no-reply.pcap"
    assert "no final answer captured" in xccos("show", path, str(silent[0])).out
    assert "needs no answer" in xccos("show", path, str(needless[0])).out


def test_a_copy_on_a_further_hop_is_said_so() -> None:
    path = SAMPLES / "fe-two-hops.pcapng"
    with open_capture(path) as trace:
        copy, first = next(iter(trace.analysis().copy_of.items()))
    assert f"copy on a further hop of message {first} (frame " in xccos("show", path, str(copy)).out
