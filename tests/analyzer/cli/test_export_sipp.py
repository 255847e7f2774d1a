"""``xccos export --format sipp``: scenarios of one dialog."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lxml import etree

from tests.analyzer.cli.running import xccos
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

CAPTURE = SAMPLES / "fault-503.pcap"
NAMES = ["uac.xml", "uas.xml", "users.csv"]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("dialog", ["#5", "channel1", "F4BDg*"])
def test_a_dialog_of_a_capture_becomes_two_scenarios_and_a_list(
    dialog: str, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "folder"
    result = xccos("export", CAPTURE, "--format", "sipp", "--dialog", dialog, "-o", out)
    assert result.code == 0, result.err
    assert result.out == ""
    assert _names(out) == NAMES
    for name in NAMES[:2]:
        scenario = etree.fromstring((out / name).read_bytes())
        assert scenario.tag == "scenario"
    assert "cmd:join" in (out / "uac.xml").read_text()
    assert "503" in (out / "uac.xml").read_text()
    assert "SIPp cannot hold the dialogs of several roles on one connection" in result.err


def test_a_script_gives_the_same_as_its_capture(tmp_path: Path) -> None:
    case = tmp_path / "case.json"
    assert xccos("script", CAPTURE, "-o", case).code == 0
    for source, folder in ((CAPTURE, "a"), (case, "b")):
        assert xccos("export", source, "--format", "sipp", "-o", tmp_path / folder).code == 0
    for name in NAMES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("-o", "-"), "give a directory with -o"),
        ((), "give a directory with -o"),
        (("-o", "x", "--dialog", "#99"), "there is no dialog #99"),
        (("-o", "x", "--dialog", "1", "--dialog", "2"), "one dialog at a time"),
        (("-o", "x", "--table", "commands"), "--table: not for sipp"),
        (("-o", "x", "--with-keys"), "--with-keys: not for sipp"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(options: tuple[str, ...], told: str) -> None:
    result = xccos("export", CAPTURE, "--format", "sipp", *options)
    assert (result.code, result.out) == (2, "")
    assert told in result.err.splitlines()[-1]


def test_two_files_at_once_are_refused(tmp_path: Path) -> None:
    result = xccos("export", CAPTURE, CAPTURE, "--format", "sipp", "-o", tmp_path)
    assert result.code == 2
    assert "one file at a time" in result.err
