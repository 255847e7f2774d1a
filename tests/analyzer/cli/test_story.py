"""``xccos story``: sentences for people, and the same as records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from analyzer.cli.table import text_width
from tests.analyzer.cli.running import xccos
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

HEALTHY = SAMPLES / "twousers-post.pcap"
REFUSED = SAMPLES / "fault-503.pcap"


def test_a_story_has_a_verdict_and_sentences_with_times_and_frames() -> None:
    lines = xccos("story", REFUSED).lines
    assert lines[0] == "Session 1: sip:user1@contoso.com"
    assert lines[1].startswith(
        "user1 signed in at 06:08:36 in 11.1 ms; 1 room joined; 1 post answe"
    )
    assert (
        "06:08:36.626 · user1 signed in (REGISTER, frame 4): 200 OK after 1.45 ms (frame 6)."
        in (lines)
    )
    assert any(
        " ✗ user1 wrote into *Sales EMEA* (frame 57): answered 503" in line for line in lines
    )


def test_sessions_are_chosen_by_number_or_user() -> None:
    first = xccos("story", HEALTHY, "--session", "1").lines
    second = xccos("story", HEALTHY, "--session", "2").lines
    assert first[0] == "Session 1: sip:user2@contoso.com"
    assert second == xccos("story", HEALTHY, "--user", "user1").lines
    assert sum(line.startswith("Session ") for line in xccos("story", HEALTHY).lines) == 2
    nothing = xccos("story", HEALTHY, "--session", "9")
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "xccos: no session matches\n")


def test_copies_to_members_are_told_also_where_only_one_session_is_shown() -> None:
    out = xccos("story", HEALTHY, "--user", "user1").out
    assert "delivered to the other member" in " ".join(out.split())


def test_json_has_the_same_sentences_with_frames_and_tone() -> None:
    (record,) = json.loads(xccos("story", REFUSED, "--format", "json").out)
    assert list(record) == ["session", "user", "summary", "sentences", "left_out"]
    first = record["sentences"][0]
    assert list(first) == ["time", "frames", "text", "tone"]
    assert (first["frames"], first["tone"]) == ([4, 6], "plain")
    bad = [one["frames"] for one in record["sentences"] if one["tone"] == "bad"]
    assert [57] in bad
    lines = xccos("story", REFUSED, "--format", "jsonl").lines
    assert [json.loads(line) for line in lines] == [record]


def test_several_captures_are_named(tmp_path: Path) -> None:
    records = json.loads(xccos("story", HEALTHY, REFUSED, "--format", "json").out)
    assert [record["file"] for record in records] == [str(HEALTHY), str(HEALTHY), str(REFUSED)]
    to_file = tmp_path / "story.json"
    assert xccos("story", HEALTHY, REFUSED, "-o", to_file).out == ""
    assert json.loads(to_file.read_text(encoding="utf-8")) == records


def test_a_story_is_no_csv(tmp_path: Path) -> None:
    result = xccos("story", HEALTHY, "-o", tmp_path / "story.csv")
    assert result.code == 2
    assert "csv" in result.err


@pytest.mark.parametrize("columns", [60, 100])
def test_no_line_is_wider_than_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = xccos("story", REFUSED, terminal=True, encoding="ascii").lines
    assert max(map(text_width, lines)) <= columns + 10  # what has no blank is not broken
