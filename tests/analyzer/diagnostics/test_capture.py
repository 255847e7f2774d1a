"""The capture itself: each rule with a capture that shows it, and one that nearly does."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from analyzer.diagnostics.table import RULES as RULES_BY_ID
from analyzer.diagnostics.table import diagnose
from analyzer.trace import open_capture
from dissectors.capture.writer import write_pcap
from tests.analyzer.diagnostics.edited import (
    Said,
    found,
    frames_of,
    of_capture,
    path_of,
    told,
    without,
    write,
)

if TYPE_CHECKING:
    from pathlib import Path

    from dissectors.model import Frame

HEALTHY = "r2-signin-full"
RULES = tuple(f"GC90{number}" for number in range(1, 8))
SNAPLEN = 700


@pytest.mark.parametrize(
    "name", [HEALTHY, "r2-post-full", "fe-two-hops", "forked-lookup", "callid-collision", "tls"]
)
def test_a_healthy_capture_has_none_of_these_findings(name: str) -> None:
    assert told(path_of(name), RULES) == []


def test_holes_are_told_with_frames_and_users(tmp_path: Path) -> None:
    (one,) = found("GC901", tmp_path, "hole-in-the-middle")
    assert one.severity == "warning"
    assert one.frames == (53, 56)
    assert "sip:hiro@northwind.example" in one.detail
    assert "not have been captured" in one.detail


def _saved(place: Path, kept: list[Frame]) -> Path:
    path = place / "made.pcap"
    path.write_bytes(write_pcap(kept, link=kept[0].link))
    return path


def test_one_direction_is_told(tmp_path: Path) -> None:
    (one,) = found("GC902", tmp_path, HEALTHY, without(lambda said: not said.up))
    assert one.severity == "warning"
    assert "only what 192.168.2.20" in one.detail


def test_a_direction_with_few_messages_is_a_direction(tmp_path: Path) -> None:
    edit = without(lambda said: not said.up and said.method != "REGISTER")
    assert found("GC902", tmp_path, HEALTHY, edit) == []


def test_a_late_start_is_told(tmp_path: Path) -> None:
    (one,) = found("GC903", tmp_path, "late-start")
    assert one.severity == "note"
    assert 1 in one.frames


def test_a_capture_that_begins_before_the_sign_in_is_not_late(tmp_path: Path) -> None:
    kept = [frame for frame in frames_of(path_of("late-start")) if frame.number > 1]
    assert told(_saved(tmp_path, kept), ["GC903"]) == ["GC903"]
    assert found("GC903", tmp_path, HEALTHY, list) == []


def _cut(frame: Frame, length: int) -> Frame:
    return frame._replace(data=frame.data[:length])


def test_frames_cut_by_the_snap_length_are_told(tmp_path: Path) -> None:
    kept = [_cut(frame, SNAPLEN) for frame in frames_of(path_of(HEALTHY))]
    (one,) = of_capture("GC904", _saved(tmp_path, kept))
    assert one.severity == "warning"
    assert "snap length" in one.detail


def test_cut_frames_of_others_are_no_finding(tmp_path: Path) -> None:
    kept = [
        _cut(frame, 80) if frame.number > 0 and _port(frame) == 443 else frame
        for frame in frames_of(path_of("r2-post-full"))
    ]
    assert sum(len(one.data) == 80 for one in kept) > 2
    assert of_capture("GC904", _saved(tmp_path, kept)) == []


def _port(frame: Frame) -> int:
    """Return the lower port of a frame: Ethernet, IPv4 without options."""
    return min(int.from_bytes(frame.data[at : at + 2], "big") for at in (34, 36))


def test_tls_without_a_key_where_there_is_no_sip_is_told(tmp_path: Path) -> None:
    path = tmp_path / "closed.pcap"
    shutil.copy(path_of("tls"), path)
    (one,) = of_capture("GC905", path)
    assert one.severity == "warning"
    assert "client random" in one.detail
    assert one.frames


def test_an_upload_by_https_is_no_finding(tmp_path: Path) -> None:
    assert found("GC905", tmp_path, "r2-post-full") == []


def test_tls_on_the_port_of_sip_beside_plain_sip_is_told(tmp_path: Path) -> None:
    def moved(frame: Frame) -> Frame:
        data = bytearray(frame.data)
        for at in (34, 36):
            if int.from_bytes(data[at : at + 2], "big") == 443:
                data[at : at + 2] = (5061).to_bytes(2, "big")
        return frame._replace(data=bytes(data))

    kept = [moved(frame) for frame in frames_of(path_of("r2-post-full"))]
    (one,) = of_capture("GC905", _saved(tmp_path, kept))
    assert one.severity == "warning"
    assert ":5061" in one.detail


def test_a_file_that_breaks_off_is_told(tmp_path: Path) -> None:
    whole = path_of(HEALTHY).read_bytes()
    broken = tmp_path / "broken.pcap"
    broken.write_bytes(whole[:-40])
    (one,) = of_capture("GC906", broken)
    assert one.severity == "warning"
    assert "damaged" in one.detail


def test_a_file_that_ends_with_a_frame_is_whole(tmp_path: Path) -> None:
    kept = list(frames_of(path_of(HEALTHY)))[:-1]
    assert of_capture("GC906", _saved(tmp_path, kept)) == []


def _cut_after(messages: list[Said], item: str) -> list[Said]:
    at = next(at for at, one in enumerate(messages) if one.first == item)
    return messages[: at + 1]


def test_a_command_that_waits_at_the_end_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, path_of(HEALTHY), lambda said: _cut_after(said, "cmd:bjoin"))
    (one,) = of_capture("GC907", path)
    assert one.severity == "note"
    assert "bjoin" in one.detail
    assert of_capture("GC301", path) == []


def test_a_capture_that_ends_after_a_reply_waits_for_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, path_of(HEALTHY), lambda said: _cut_after(said, "rpl:bjoin"))
    assert of_capture("GC907", path) == []


# Nothing that was there may be called missing because a capture does not have it.


def _errors(path: Path) -> list[str]:
    mine = [rule for rule in RULES_BY_ID.values() if rule.id[2] in "345"]
    with open_capture(path, index=False) as trace:
        return [one.detail for one in diagnose(trace, rules=mine)]


@pytest.mark.parametrize("part", range(1, 10, 2))
@pytest.mark.parametrize("name", [HEALTHY, "r2-post-full"])
def test_a_part_of_a_healthy_capture_has_no_findings_but_its_own(
    name: str, part: int, tmp_path: Path
) -> None:
    kept = list(frames_of(path_of(name)))
    at = len(kept) * part // 10
    assert _errors(_saved(tmp_path, kept[:at])) == []
    assert _errors(_saved(tmp_path, kept[at:])) == []
    assert _errors(_saved(tmp_path, [*kept[:at], *kept[at + 7 :]])) == []


@pytest.mark.parametrize("name", [HEALTHY, "r2-post-full", "twousers-post"])
def test_one_side_of_a_healthy_capture_has_no_findings_but_its_own(
    name: str, tmp_path: Path
) -> None:
    kept = frames_of(path_of(name))
    for source in {_source(frame) for frame in kept}:
        part = [frame for frame in kept if _source(frame) != source]
        assert _errors(_saved(tmp_path, part)) == []


def _source(frame: Frame) -> bytes:
    """Return address and port of a frame's sender: Ethernet, IPv4 without options."""
    return frame.data[26:30] + frame.data[34:36]
