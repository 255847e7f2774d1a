"""Several inputs on one command line: what tells one story is told as one."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from analyzer.trace import open_capture
from tests.analyzer.cli.running import xccos
from tests.analyzer.inputs.taken import SECOND, frames, written
from tests.paths import SAMPLES, require_shared
from tests.support.text_logs import write_trace

if TYPE_CHECKING:
    from pathlib import Path

SIGN_IN = require_shared() / "captures" / "signin-tcp.pcap"
OTHER = SAMPLES / "fault-503.pcap"
SKEW = 4000 * SECOND


@pytest.fixture(name="front_end")
def _front_end(tmp_path: Path) -> Path:
    """The same connection, captured at its other end by a clock that is far ahead."""
    return written(tmp_path / "fe.pcapng", [one for one, _ in frames(SIGN_IN)], ahead_ns=SKEW)


@pytest.fixture(name="trace")
def _trace(tmp_path: Path) -> Path:
    """The trace that the server wrote."""
    path = tmp_path / "fe-trace.txt"
    with open_capture(SIGN_IN) as capture:
        path.write_bytes(write_trace(capture, "ocslogger"))
    return path


def test_triage_tells_several_inputs_as_one_story(front_end: Path, trace: Path) -> None:
    found = json.loads(xccos("triage", SIGN_IN, front_end, trace, "--format", "json").out)
    (capture,) = found["captures"]
    assert len(capture["sessions"]) == 1
    assert [one["name"] for one in capture["inputs"]] == [
        "signin-tcp.pcap",
        "fe.pcapng",
        "fe-trace.txt",
    ]
    assert capture["inputs"][1]["clock"]["offset_ms"] == pytest.approx(4_000_000, abs=50)
    assert capture["inputs"][2]["unit"] == "line"
    assert capture["messages"] == 55


def test_the_text_of_triage_names_inputs_and_clocks(front_end: Path) -> None:
    out = xccos("triage", SIGN_IN, front_end).out
    assert "signin-tcp.pcap: 55 messages" in out
    assert "s ahead of signin-tcp.pcap (" in " ".join(out.split())
    assert out.count("Session 1 of 1") == 1


def test_captures_of_other_stories_are_told_one_after_the_other(front_end: Path) -> None:
    found = json.loads(xccos("triage", SIGN_IN, OTHER, front_end, "--format", "json").out)
    assert [len(one["inputs"]) for one in found["captures"]] == [2, 0]


def test_inputs_are_kept_apart_on_request(front_end: Path) -> None:
    found = json.loads(xccos("triage", "--separate", SIGN_IN, front_end, "--format", "json").out)
    assert [one["inputs"] for one in found["captures"]] == [[], []]


def test_lists_are_made_file_by_file_unless_asked_to_join(front_end: Path) -> None:
    apart = xccos("messages", SIGN_IN, front_end, "--format", "jsonl").lines
    together = xccos("messages", "--join", SIGN_IN, front_end, "--format", "jsonl").lines
    assert (len(apart), len(together)) == (110, 55)


def test_show_says_where_a_message_was_seen(front_end: Path) -> None:
    out = xccos("show", SIGN_IN, "3", "--with", front_end).out
    assert "seen in     signin-tcp.pcap, frame " in out
    assert "seen in     fe.pcapng, frame " in out


def test_a_ladder_of_several_inputs_is_one_drawing(front_end: Path) -> None:
    result = xccos("ladder", SIGN_IN, front_end)
    assert result.code == 0
    assert result.out.count("REGISTER") == xccos("ladder", SIGN_IN).out.count("REGISTER")


def test_merge_writes_what_the_other_commands_read_as_its_inputs(
    front_end: Path, tmp_path: Path
) -> None:
    path = tmp_path / "merged.pcapng"
    merged = xccos("merge", SIGN_IN, front_end, "-o", path)
    assert merged.code == 0
    assert "fe.pcapng: 55 messages; clock " in merged.err
    both = json.loads(xccos("triage", SIGN_IN, front_end, "--format", "json").out)
    again = json.loads(xccos("triage", path, "--format", "json").out)
    assert again["captures"][0]["sessions"] == both["captures"][0]["sessions"]
    assert (
        xccos("messages", path, "--format", "jsonl").lines
        == xccos("messages", "--join", SIGN_IN, front_end, "--format", "jsonl").lines
    )


def test_one_file_is_nothing_to_merge(tmp_path: Path) -> None:
    result = xccos("merge", SIGN_IN, "-o", tmp_path / "x.pcapng")
    assert result.code == 2
    assert "give two files or more" in result.err


def test_an_input_that_cannot_be_read_leaves_the_others(front_end: Path, tmp_path: Path) -> None:
    result = xccos("triage", SIGN_IN, tmp_path / "absent", front_end, "--format", "json")
    assert result.code == 3
    assert result.err.count("\n") == 1
    assert "there is no file" in result.err
    assert len(json.loads(result.out)["captures"][0]["inputs"]) == 2


def test_an_archive_stands_for_what_is_in_it(front_end: Path, trace: Path, tmp_path: Path) -> None:
    path = tmp_path / "case.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(SIGN_IN, "client/capture.pcap")
        archive.write(front_end, "fe.pcapng")
        archive.write(trace, "fe.txt")
        archive.writestr("readme.txt", "what happened")
    found = json.loads(xccos("triage", path, "--format", "json").out)
    assert [one["name"] for one in found["captures"][0]["inputs"]] == [
        "capture.pcap",
        "fe.pcapng",
        "fe.txt",
    ]
    listed = xccos("messages", f"{path}/client/capture.pcap", "--format", "jsonl").lines
    assert len(listed) == 55
    assert "no such member" in xccos("messages", f"{path}/other.pcap").err


def test_an_archive_without_captures_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "case.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "what happened")
    result = xccos("triage", path)
    assert result.code == 3
    assert result.err.count("\n") == 1
    assert "no capture and no log" in result.err


def _ring(tmp_path: Path) -> list[Path]:
    """Write a capture as the files of a ring buffer."""
    every = [one for one, _ in frames(SIGN_IN)]
    return [
        written(
            tmp_path / f"fe_{at + 1:05}_2026112206082{at}.pcapng", every[at * 26 : at * 26 + 26]
        )
        for at in range(3)
    ]


def test_the_files_of_a_ring_are_one_capture(tmp_path: Path) -> None:
    paths = _ring(tmp_path)
    whole = xccos("messages", SIGN_IN, "--format", "jsonl").lines
    assert xccos("messages", *reversed(paths), "--format", "jsonl").lines == whole
    assert xccos("messages", "--ring-files", paths[1], "--format", "jsonl").lines == whole
    assert len(xccos("messages", paths[1], "--format", "jsonl").lines) < len(whole)


def test_a_message_of_a_ring_is_found_in_its_file(tmp_path: Path) -> None:
    paths = _ring(tmp_path)
    shown = json.loads(xccos("show", paths[0], "50", "--ring-files", "--format", "json").out)
    (place,) = shown[0]["seen_in"]
    assert place["input"] == paths[2].name
    assert place["number"] == shown[0]["frame"] - 52


def test_a_file_that_a_ring_lacks_is_said(tmp_path: Path) -> None:
    first, gone, last = _ring(tmp_path)
    gone.unlink()
    out = xccos("triage", first, last).out
    assert "1 file of this set (number 2) not given" in " ".join(out.split())


def test_the_zone_of_a_trace_is_that_of_the_option(trace: Path) -> None:
    def first(*options: str) -> str:
        line = xccos("messages", trace, *options, "--limit", "1", "--format", "jsonl").lines[0]
        return str(json.loads(line)["time"])

    assert first() == "2026-11-22T06:08:21.640Z"
    assert first("--tz", "+02:00") == "2026-11-22T04:08:21.640Z"
    assert first("--tz", "America/New_York") == "2026-11-22T11:08:21.640Z"
    assert first("--tz", f"{trace.name}=+01:00", "--tz", "UTC") == "2026-11-22T05:08:21.640Z"
    assert "is not a time zone" in xccos("messages", trace, "--tz", "Mars/Olympus").err


def test_members_of_one_name_are_told_apart_and_what_is_skipped_is_said(tmp_path: Path) -> None:
    inner, path = tmp_path / "inner.zip", tmp_path / "case.zip"
    with zipfile.ZipFile(inner, "w") as archive:
        archive.write(SIGN_IN, "x.pcap")
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(SIGN_IN, "a\\b\\cap.pcap")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.write(OTHER, "a\\b\\cap.pcap")
        archive.write(inner, "inner.zip")
    result = xccos("messages", path, "--format", "jsonl")
    names = {json.loads(line)["file"].removeprefix(f"{path}/") for line in result.lines}
    assert names == {"a/b/cap.pcap", "a/b/cap.pcap#2"}
    assert len(result.lines) == 55 + 57
    assert len(xccos("messages", f"{path}/a/b/cap.pcap#2", "--format", "jsonl").lines) == 57
    assert result.err.splitlines() == [
        f"xccos: {path}/inner.zip: it is a ZIP archive inside the archive; unpack it first"
    ]


def test_a_ring_in_an_archive_is_one_capture(tmp_path: Path) -> None:
    path = tmp_path / "case.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for one in _ring(tmp_path):
            archive.write(one, f"ring/{one.name}")
    whole = xccos("messages", SIGN_IN, "--format", "jsonl").lines
    assert xccos("messages", path, "--format", "jsonl").lines == whole


def test_a_key_log_in_an_archive_opens_the_capture_beside_it(tmp_path: Path) -> None:
    path, tls = tmp_path / "case.zip", require_shared() / "captures" / "tls.pcap"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tls, "client/tls.pcap")
        archive.write(tls.with_suffix(".keylog"), "client/tls.keylog")
    assert len(xccos("messages", path, "--format", "jsonl").lines) == 54
    alone = tmp_path / "alone.pcap"
    alone.write_bytes(tls.read_bytes())
    assert xccos("messages", alone, "--format", "jsonl").lines == []
    given = ("--keylog", f"{path}/client/tls.keylog", "--format", "jsonl")
    assert len(xccos("messages", alone, *given).lines) == 54
    absent = xccos("messages", alone, "--keylog", f"{path}/client/other.keylog")
    assert absent.err.count("\n") == 1
    assert "other.keylog" in absent.err
