"""``xccos index``, and how the other commands use what it saves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer import trace
from analyzer.library import places
from analyzer.library.places import index_path
from tests.analyzer.cli.running import xccos

if TYPE_CHECKING:
    from pathlib import Path

READING = ("triage", "sessions", "dialogs", "commands", "messages")


@pytest.fixture
def indexed(sample: Path) -> Path:
    result = xccos("index", sample)
    assert result.code == 0
    assert result.err == ""
    assert result.out.startswith(f"{sample}: 114 messages are now in {index_path(sample)} (")
    return sample


def test_a_second_time_nothing_is_written(indexed: Path) -> None:
    expected = f"{indexed}: {index_path(indexed)} fits, with 114 messages\n"
    assert xccos("index", indexed).out == expected
    assert xccos("index", "--check", indexed).out == expected


@pytest.mark.parametrize("command", READING)
def test_every_command_says_the_same_with_an_index_and_without(
    command: str, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = xccos(command, indexed, "--no-index", "--format", "json")
    monkeypatch.setattr(trace, "read_plain", None)  # the capture is not read
    assert xccos(command, indexed, "--format", "json") == plain
    assert plain.code == 0
    assert xccos(command, indexed, "--no-index").code == 3


def test_show_reads_a_message_back_by_its_index(
    indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = xccos("show", indexed, "62", "--no-index", "--raw")
    monkeypatch.setattr(trace, "read_plain", None)
    assert xccos("show", indexed, "62", "--raw") == plain
    assert plain.raw.startswith(b"INFO ")


def test_check_writes_nothing_and_says_why_an_index_is_not_used(sample: Path) -> None:
    result = xccos("index", "--check", sample)
    assert result.code == 0
    place = index_path(sample)
    assert result.out == f"{sample}: no index is used: {place}: there is none\n"
    assert not place.exists()
    place.write_bytes(b"something else")
    assert "not an index, or damaged" in xccos("index", "--check", sample).out


def test_an_index_elsewhere_is_found_by_the_environment(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "indexes"
    directory.mkdir()
    assert xccos("index", sample, "-o", directory).code == 0
    assert not index_path(sample).exists()
    assert "there is none" in xccos("index", "--check", sample).out
    monkeypatch.setenv(places.ENVIRONMENT, str(directory))
    assert "fits, with 114" in xccos("index", "--check", sample).out


def test_a_bad_file_does_not_stop_the_others(sample: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.pcap"
    result = xccos("index", missing, sample)
    assert result.code == 3
    assert result.err == f"xccos: {missing}: there is no file {missing}\n"
    assert "114 messages are now in" in result.out


def test_a_small_capture_is_no_failure(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "MIN_SIZE", 8 << 20)
    result = xccos("index", sample)
    assert (result.code, result.out) == (0, "")
    assert result.err == (
        f"xccos: {sample}: no index: less than 8 MiB are read as fast without one\n"
    )


def test_standard_input_and_a_place_that_takes_no_file_are_failures(sample: Path) -> None:
    assert xccos("index", "-").code == 3
    index_path(sample).mkdir()
    result = xccos("index", sample)
    assert result.code == 2
    assert "cannot be written" in result.err
    assert len(result.err.splitlines()) == 1


def test_a_directory_that_is_none_is_a_fault_of_the_command_line(sample: Path) -> None:
    assert xccos("index", sample, "-o", sample).code == 2
