"""``xccos report``: what it writes, what it says of it, and what it refuses."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

from analyzer import __version__
from analyzer.cli.report import command_line
from analyzer.report.fingerprint import fingerprint
from tests.analyzer.cli.running import xccos
from tests.analyzer.report.reports import document, words
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = SAMPLES / "fault-503.pcap"


def test_a_report_names_its_capture_and_how_it_was_made(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    result = xccos("report", SAMPLE, "--session", "1", "-o", path)
    assert (result.code, result.out) == (0, "")
    text = words(document(path.read_bytes()))
    for fact in (
        sha256(SAMPLE.read_bytes()).hexdigest(),
        f"{SAMPLE.stat().st_size:,} bytes",
        f"xccos-analyzer {__version__}",
        "xccos report fault-503.pcap --session 1 -o report.html",
        "Shown: session 1",
    ):
        assert fact in text
    assert str(tmp_path).encode() not in path.read_bytes()
    assert str(SAMPLES).encode() not in path.read_bytes()


def test_it_warns_that_nothing_was_redacted(tmp_path: Path) -> None:
    result = xccos("report", SAMPLE, "-o", tmp_path / "report.html")
    assert "report.html: not redacted." in result.err
    assert "what they wrote to each other" in result.err
    result = xccos("report", SAMPLE, "--no-bodies", "-o", tmp_path / "report.html")
    assert "what they wrote" not in result.err


def test_without_a_file_it_goes_to_a_pipe_and_not_to_a_terminal() -> None:
    result = xccos("report", SAMPLE)
    assert result.raw.startswith(b"<!DOCTYPE html>")
    result = xccos("report", SAMPLE, terminal=True)
    assert result.code == 2
    assert "name a file" in result.err


def test_a_bundle_is_written_with_the_page_in_it(tmp_path: Path) -> None:
    page, bundle = tmp_path / "report.html", tmp_path / "ticket.zip"
    result = xccos("report", SAMPLE, "-o", page, "--bundle", bundle)
    assert result.code == 0
    assert "report.html and ticket.zip: not redacted" in result.err
    assert "credentials as they were captured" in result.err
    with ZipFile(bundle) as archive:
        assert archive.read("report.html") == page.read_bytes()
        assert "--bundle ticket.zip" in archive.read("README.txt").decode()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["report.html", "ticket.zip"]


def test_a_bundle_alone_writes_nothing_to_stdout(tmp_path: Path) -> None:
    result = xccos("report", SAMPLE, "--no-bodies", "--bundle", tmp_path / "t.zip", terminal=True)
    assert (result.code, result.out) == (0, "")
    assert "the bundle has no capture" in result.err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--session", "9"), "there is no session 9"),
        (("--user", "nobody"), "nobody"),
        (("--dialog", "x"), "no dialog x"),
        (("--zone", "Mars"), "not a time zone"),
        (("--frames", "9-4"), "ends before it begins"),
    ],
)
def test_what_is_not_there_is_refused_and_nothing_written(
    arguments: tuple[str, ...], reason: str, tmp_path: Path
) -> None:
    result = xccos("report", SAMPLE, *arguments, "-o", tmp_path / "report.html")
    assert result.code == 2
    assert reason in result.err
    assert list(tmp_path.iterdir()) == []


def test_an_input_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(SAMPLE.read_bytes())
    for arguments in (("-o", path), ("--bundle", path)):
        result = xccos("report", path, *arguments)
        assert result.code == 2
        assert path.read_bytes() == SAMPLE.read_bytes()
    result = xccos("report", path, "-o", tmp_path / "x", "--bundle", tmp_path / "x")
    assert "same file" in result.err


def test_a_damaged_capture_is_reported_and_has_its_exit_code(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(SAMPLE.read_bytes()[:-7])
    result = xccos("report", path, "-o", tmp_path / "report.html")
    assert result.code == 3
    text = words(document((tmp_path / "report.html").read_bytes()))
    assert "The file is damaged" in text


def test_a_command_line_has_no_directories_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    given = [
        *("sub/a b.pcap", "-o", str(tmp_path / "r.html"), f"--bundle={tmp_path}/t.zip"),
        *("--room", "ma-chan://contoso.com/1", "--zone", "Europe/Berlin", "--user", "x\0y/z"),
    ]
    expected = (
        "xccos report 'a b.pcap' -o r.html --bundle=t.zip --room ma-chan://contoso.com/1 "
        "--zone Europe/Berlin --user 'x\0y/z'"
    )
    assert command_line(given) == expected


def test_what_is_no_file_has_no_digest(tmp_path: Path) -> None:
    assert fingerprint("-") == (None, None)
    assert fingerprint(str(tmp_path)) == (None, None)
    assert fingerprint(str(SAMPLE))[0] == SAMPLE.stat().st_size
