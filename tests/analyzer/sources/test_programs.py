"""Where the programs of Wireshark are looked for, and what is said where they are not."""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from analyzer.sources import programs
from analyzer.sources.programs import how_to_install, program

if TYPE_CHECKING:
    from pathlib import Path


def _put(place: Path, name: str = "tshark", mode: int = 0o755) -> str:
    place.mkdir(parents=True, exist_ok=True)
    file = place / name
    file.write_text("#!/bin/sh\n")
    file.chmod(mode)
    return str(file)


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory to stand in; no program can be found."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(programs, "PLACES", {sys.platform: ()})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _pyshark(monkeypatch: pytest.MonkeyPatch, answer: object) -> None:
    """Let pyshark give this answer, or raise it."""

    def get_process_path(*, process_name: str) -> object:
        assert process_name == "tshark"
        if isinstance(answer, Exception):
            raise answer
        return answer

    for name in ("pyshark", "pyshark.config", "pyshark.tshark", "pyshark.tshark.tshark"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    place = "/nonexistent/config.ini"
    monkeypatch.setattr(sys.modules["pyshark.config"], "fp_config_path", place, raising=False)
    monkeypatch.setattr(
        sys.modules["pyshark.tshark.tshark"], "get_process_path", get_process_path, raising=False
    )


@pytest.mark.parametrize("name", ["tshark", "dumpcap", "editcap"])
def test_a_program_is_found_where_path_says(nowhere: Path, name: str) -> None:
    assert program(name) is None
    found = _put(nowhere / "bin", name)
    assert program(name) == found


def test_the_usual_places_of_the_platform_come_last(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKE_PROGRAM_FILES", str(nowhere))
    monkeypatch.setattr(programs, "PLACES", {sys.platform: ("$LIKE_PROGRAM_FILES/Wireshark",)})
    usual = _put(nowhere / "Wireshark")
    assert program("tshark") == usual
    found = _put(nowhere / "bin")
    assert program("tshark") == found


def test_what_pyshark_says_comes_first(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _put(nowhere / "bin")
    named = _put(nowhere / "named")
    _pyshark(monkeypatch, named)
    assert program("tshark") == named


@pytest.mark.parametrize(
    "answer",
    [ImportError("no"), AttributeError("3.14"), None, "/nonexistent/tshark", "tshark", "a\0"],
)
def test_pyshark_may_be_absent_or_fail(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    _pyshark(monkeypatch, answer)
    assert program("tshark") is None
    found = _put(nowhere / "bin")
    assert program("tshark") == found


def test_nothing_is_taken_from_the_directory_of_a_capture(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An archive with a capture may bring a tshark along, and a config.ini that names it."""
    evil = _put(nowhere)
    monkeypatch.setenv("PATH", os.pathsep.join((".", "", "bin")))
    _put(nowhere / "bin")
    assert program("tshark") is None
    (nowhere / "config.ini").write_text(f"[tshark]\ntshark_path = {evil}\n")
    assert program("tshark") is None
    _pyshark(monkeypatch, evil)
    assert program("tshark") is None
    # Loaded there, and asked elsewhere.
    config = sys.modules["pyshark.config"]
    monkeypatch.setattr(config, "fp_config_path", nowhere / "config.ini")
    monkeypatch.chdir("/")
    assert program("tshark") is None


def test_what_cannot_be_run_is_no_program(nowhere: Path) -> None:
    _put(nowhere / "bin", mode=0o644)
    (nowhere / "bin" / "dumpcap").mkdir()
    assert program("tshark") is None
    assert program("dumpcap") is None


@pytest.mark.parametrize(
    ("platform", "words"),
    [
        ("linux", "apt install tshark"), ("linux", "dnf install wireshark-cli"),
        ("darwin", "brew install wireshark"), ("win32", "winget install"),
        ("sunos5", "a part of Wireshark"),
    ],
)  # fmt: skip
def test_who_lacks_a_program_is_told_how_to_get_it(
    platform: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert how_to_install("tshark").startswith("tshark is not installed (")
    assert words in how_to_install("tshark")
