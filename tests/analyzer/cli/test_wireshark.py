"""``--wireshark-filter`` of what shows something, and ``xccos wireshark-plugin``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from analyzer.wireshark import filters
from analyzer.wireshark.filters import frames_filter
from analyzer.wireshark.plugin import plugin_source
from tests.analyzer.cli.running import xccos
from tests.analyzer.wireshark.tshark import shown
from tests.paths import SAMPLES, require_shared

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = SAMPLES / "fault-503.pcap"
HOPS = SAMPLES / "fe-two-hops.pcapng"
ASKED = "--wireshark-filter"


def _filter(*arguments: str | Path) -> str:
    result = xccos(*arguments, ASKED)
    assert result.code == 0
    (line,) = result.lines
    return line


def test_a_finding_gives_its_frames() -> None:
    assert _filter("findings", REFUSED) == "frame.number in {57, 59}"


def test_filters_of_a_list_count() -> None:
    assert _filter("messages", REFUSED, "--method", "BYE") == "frame.number in {25, 26, 77, 82}"
    assert _filter("messages", REFUSED, "--method", "BYE", "--limit", "1") == "frame.number == 25"
    assert _filter("commands", REFUSED, "--command", "join") == "frame.number in {44, 46, 48, 49}"


@pytest.mark.parametrize(
    "arguments",
    [
        ("messages", HOPS, "--command", "bjoin"),
        ("messages", SAMPLES / "r2-signin-full.pcap", "--method", "INVITE"),
        ("findings", SAMPLES / "reconnect.pcap"),
    ],
)
def test_wireshark_shows_the_frames_that_json_has(arguments: tuple[str | Path, ...]) -> None:
    records = json.loads(xccos(*arguments, "--format", "json").out)
    frames = sorted({frame for record in records for frame in record["frames"]})
    path = next(one for one in arguments if not isinstance(one, str))
    assert len(frames) > 1
    assert shown(path, _filter(*arguments)) == frames


def test_dialogs_give_every_frame_of_their_messages() -> None:
    (dialog,) = json.loads(xccos("dialogs", REFUSED, "--command", "requri", "--format", "json").out)
    messages = json.loads(xccos("messages", REFUSED, "--format", "json").out)
    frames = [frame for index in dialog["messages"] for frame in messages[index]["frames"]]
    assert _filter("dialogs", REFUSED, "--command", "requri") == frames_filter(frames)


def test_flows_story_path_and_show_have_it_too() -> None:
    flow = json.loads(xccos("flows", REFUSED, "--flow", "sign-in", "--format", "json").out)
    steps = [frame for step in flow[0]["steps"] for frame in step["frames"]]
    assert _filter("flows", REFUSED, "--flow", "sign-in") == frames_filter(steps)
    (story,) = json.loads(xccos("story", REFUSED, "--format", "json").out)
    told = [frame for one in story["sentences"] for frame in one["frames"]]
    assert _filter("story", REFUSED) == frames_filter(told)
    (path,) = json.loads(xccos("path", REFUSED, "--format", "json").out)
    ends = [one[key] for one in path["waits"] for key in ("from_frame", "to_frame")]
    assert _filter("path", REFUSED) == frames_filter(ends)
    assert _filter("show", REFUSED, "--frame", "59") == "frame.number == 59"


def test_sessions_give_all_that_a_client_did() -> None:
    messages, sessions = _filter("messages", REFUSED), _filter("sessions", REFUSED)
    assert messages == sessions


def test_several_captures_give_a_line_each_with_the_name() -> None:
    result = xccos("messages", REFUSED, HOPS, "--method", "CANCEL", ASKED)
    assert result.lines == [f"{REFUSED}\tframe.number == 0", f"{HOPS}\tframe.number == 0"]
    assert result.err.splitlines()[0] == (
        f"xccos: {REFUSED}: no message is shown: the filter matches no frame"
    )


def test_what_is_too_long_is_split_with_a_remark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters.frames_filters, "__defaults__", (100,))
    result = xccos("messages", HOPS, ASKED)
    assert len(result.lines) > 2
    assert max(map(len, result.lines)) <= 100
    assert f"in {len(result.lines)} filters, one a line" in result.err


def test_it_goes_to_a_file_and_is_no_format(tmp_path: Path) -> None:
    path = tmp_path / "filter.txt"
    assert xccos("findings", REFUSED, ASKED, "-o", path).out == ""
    assert path.read_text() == "frame.number in {57, 59}\n"
    result = xccos("messages", REFUSED, ASKED, "--format", "json")
    assert result.code == 2
    assert "--wireshark-filter is a format of its own" in result.err


def test_conditions_and_damage_keep_their_exit_codes(tmp_path: Path) -> None:
    assert xccos("commands", REFUSED, ASKED, "--fail-on", "rejected").code == 1
    assert xccos("findings", REFUSED, ASKED, "--fail-on", "error").code == 1
    assert xccos("messages", tmp_path / "none.pcap", ASKED).code == 3


def test_frames_of_decrypted_messages_are_those_of_the_capture() -> None:
    path = require_shared() / "captures/tls.pcap"
    found = shown(path, _filter("messages", path, "--command", "join"))
    assert len(found) >= 2


def test_the_plugin_is_written_and_its_place_told(tmp_path: Path) -> None:
    path = tmp_path / "xccos.lua"
    result = xccos("wireshark-plugin", "-o", path)
    assert (result.code, result.out) == (0, "")
    assert path.read_bytes() == plugin_source()
    assert "~/.local/lib/wireshark/plugins" in result.err
    assert xccos("wireshark-plugin").raw == plugin_source()
