"""The bundle: what is in it, that it is the same every time, and that other programs read it."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest
from lxml import etree

from analyzer.ladder.build import Options
from analyzer.ladder.look import Look
from analyzer.ladder.selection import Choice
from analyzer.named import parse_frames
from analyzer.report.bundle import Bundle, write_bundle
from analyzer.report.content import content_of
from analyzer.report.sharing import Sharing
from analyzer.trace import open_capture
from tests.analyzer.report.reports import ORIGIN, SAMPLE, TWO_USERS
from tests.paths import SHARED, require_shared

if TYPE_CHECKING:
    from pathlib import Path

require_shared()
PAGE = b"<!DOCTYPE html><title>page</title>"


def bundle(path: Path, choice: Choice | None = None, *, bodies: bool = True) -> bytes:
    """Return the bundle of a capture, with a page that stands for the report."""
    written: list[bytes] = []
    choice = choice or Choice()
    with open_capture(path, index=False) as trace:
        found = content_of(trace, choice, Options())
        made = Bundle(found, ORIGIN, Sharing(bodies=bodies), choice, Look())
        write_bundle(made, PAGE, written.append)
    return b"".join(written)


def files(data: bytes) -> dict[str, bytes]:
    """Return the files of a bundle, in their order."""
    with ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def records(data: bytes) -> list[dict[str, Any]]:
    """Return JSON lines."""
    return [json.loads(line) for line in data.decode().splitlines()]


def test_a_bundle_has_page_capture_json_and_ladders_in_order_of_names() -> None:
    found = files(bundle(TWO_USERS))
    assert list(found) == [
        *("README.txt", "capture.pcapng", "commands.jsonl", "findings.jsonl", "flows.jsonl"),
        *("ladders/session-1.mmd", "ladders/session-1.svg", "ladders/session-1.txt"),
        *("ladders/session-2.mmd", "ladders/session-2.svg", "ladders/session-2.txt"),
        *("messages.jsonl", "report.html"),
    ]
    assert found["report.html"] == PAGE
    assert len(records(found["messages.jsonl"])) == 114
    assert {one["flow"] for one in records(found["flows.jsonl"])} == {"sign-in", "posting"}
    assert {one["session"] for one in records(found["commands.jsonl"])} == {0, 1}
    assert etree.fromstring(found["ladders/session-1.svg"]).tag.endswith("}svg")
    assert "user2" in found["ladders/session-1.txt"].decode()


def test_the_same_input_gives_the_same_bytes() -> None:
    first = bundle(TWO_USERS)
    assert bundle(TWO_USERS) == first
    with ZipFile(io.BytesIO(first)) as archive:
        assert {one.date_time for one in archive.infolist()} == {(2026, 11, 22, 6, 8, 26)}
        assert {one.external_attr >> 16 for one in archive.infolist()} == {0o644}


def test_the_readme_names_each_file_with_its_digest() -> None:
    found = files(bundle(SAMPLE))
    text = found.pop("README.txt").decode()
    assert ORIGIN.command in text
    assert ORIGIN.version in text
    assert "Not redacted." in text
    for name, data in found.items():
        assert f"{name}\n" in text
        assert f"{len(data):,} bytes, SHA-256 {sha256(data).hexdigest()}" in text


def test_nothing_of_this_machine_is_inside() -> None:
    place = str(SAMPLE.parent).encode()
    assert all(place not in data for data in files(bundle(SAMPLE)).values())


def test_a_session_brings_its_part_of_the_capture_and_both_numbers_of_frames(
    tmp_path: Path,
) -> None:
    found = files(bundle(TWO_USERS, Choice(sessions=(1,))))
    (tmp_path / "capture.pcapng").write_bytes(found["capture.pcapng"])
    rows = [line.split(",") for line in found["frame-numbers.csv"].decode().splitlines()[1:]]
    number = {int(whole): int(part) for whole, part in rows}
    with open_capture(tmp_path / "capture.pcapng", index=False) as part:
        sessions = part.analysis().sessions
        assert [one.user for one in sessions] == ["sip:user1@contoso.com"]
        seen = {part.rows.frame[row] for row in range(len(part))}
    told = {int(str(one["frame"])) for one in records(found["messages.jsonl"])}
    assert {number[frame] for frame in told} == seen


def test_some_frames_bring_only_what_speaks_in_them() -> None:
    found = files(bundle(SAMPLE, Choice(frames=parse_frames("57-62"))))
    assert [one["frame"] for one in records(found["messages.jsonl"])] == [57, 59, 61, 62]
    assert [one["command"] for one in records(found["commands.jsonl"])] == ["grpchat", "grpchat"]
    assert "ladders/ladder.svg" in found


def test_of_a_frame_with_several_messages_only_those_that_are_wanted_are_in_it(
    tmp_path: Path,
) -> None:
    path = SHARED / "captures" / "coalesce.pcap"
    with open_capture(path, index=False) as trace:
        rows = [row for row in range(len(trace)) if trace.rows.frame[row] == 23]
        wanted, *others = (trace.raw(row) for row in rows)
    assert others
    found = files(bundle(path, Choice(rows=(rows[0],), frames=parse_frames("23"))))
    (tmp_path / "capture.pcapng").write_bytes(found["capture.pcapng"])
    with open_capture(tmp_path / "capture.pcapng", index=False) as part:
        assert [part.raw(row) for row in range(len(part))] == [wanted]
    assert not any(other in found["capture.pcapng"] for other in others)


def test_wireshark_reads_the_capture_and_its_comments(tmp_path: Path) -> None:
    tshark = shutil.which("tshark")
    assert tshark is not None, "tshark is needed to test captures"
    path = tmp_path / "capture.pcapng"
    path.write_bytes(files(bundle(SAMPLE))["capture.pcapng"])
    command = [tshark, "-r", str(path), "-T", "fields", "-e", "frame.number", "-e", "frame.comment"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 83
    assert any("GC409" in line for line in lines)
    command = [tshark, "-r", str(path), "-Y", "_ws.malformed"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == ""


def test_without_bodies_nobodys_words_are_in_it() -> None:
    whole, less = files(bundle(SAMPLE)), files(bundle(SAMPLE, bodies=False))
    texts = [
        str(item["text"])
        for one in records(whole["messages.jsonl"])
        for item in one["xccos"]
        if item["element"] == "grpchat" and item["text"]
    ]
    assert texts
    assert "capture.pcapng" not in less
    assert "no capture" in less["README.txt"].decode()
    assert len(records(less["messages.jsonl"])) == len(records(whole["messages.jsonl"]))
    for data in less.values():
        assert not any(text.encode() in data for text in texts)
    answers = [item["text"] for one in records(less["messages.jsonl"]) for item in one["xccos"]]
    assert "SUCCESS_OK" in answers


@pytest.mark.parametrize("year", [1970, 2200])
def test_times_that_zip_does_not_know_are_its_earliest(year: int) -> None:
    from analyzer.report.bundle import EARLIEST, _when

    class _Content:
        record = {"first_time": f"{year}-01-01T00:00:00Z"}  # noqa: RUF012

    assert _when(_Content()) == EARLIEST  # type: ignore[arg-type]
