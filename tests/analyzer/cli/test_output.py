"""Where output goes, and that files appear whole or not at all."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from analyzer.cli.output import destination, format_of, write_lines
from analyzer.export.records import TOGETHER, array_of_blocks
from tests.analyzer.cli.running import xccos
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = SAMPLES / "signin-tcp.pcap"


@pytest.mark.parametrize(
    ("given", "output", "expected"),
    [
        (None, None, "table"),
        (None, "-", "table"),
        (None, "a.json", "json"),
        (None, "a.JSONL", "jsonl"),
        (None, "a.ndjson", "jsonl"),
        (None, "dir.csv/a.csv", "csv"),
        (None, "a.txt", "table"),
        ("csv", "a.json", "csv"),
    ],
)
def test_the_format_is_the_one_asked_for_else_that_of_the_suffix(
    given: str | None, output: str | None, expected: str
) -> None:
    assert format_of(given, output) == expected


def test_a_file_gets_what_stdout_would_get(tmp_path: Path) -> None:
    for suffix in ("json", "jsonl", "csv"):
        path = tmp_path / f"out.{suffix}"
        result = xccos("messages", SAMPLE, "-o", path)
        assert (result.code, result.out, result.err) == (0, "", "")
        assert path.read_bytes() == xccos("messages", SAMPLE, "--format", suffix).raw
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["out.csv", "out.json", "out.jsonl"]


def test_a_triage_goes_to_a_file_by_its_suffix(tmp_path: Path) -> None:
    assert xccos("triage", SAMPLE, "-o", tmp_path / "t.json").code == 0
    assert json.loads((tmp_path / "t.json").read_text())["format"] == 1
    assert xccos("triage", SAMPLE, "--color", "always", "-o", tmp_path / "t.txt").code == 0
    assert "\x1b" not in (tmp_path / "t.txt").read_text()


@pytest.mark.parametrize("name", ["in.pcap", "link.pcap", "sub/../in.pcap"])
def test_an_input_is_never_overwritten(name: str, tmp_path: Path) -> None:
    original = SAMPLE.read_bytes()
    (tmp_path / "in.pcap").write_bytes(original)
    (tmp_path / "link.pcap").symlink_to("in.pcap")
    (tmp_path / "sub").mkdir()
    result = xccos("messages", SAMPLE, tmp_path / "in.pcap", "-o", tmp_path / name)
    assert result.code == 2
    assert "would be overwritten" in result.err
    assert (tmp_path / "in.pcap").read_bytes() == original


def test_an_interrupted_run_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")

    def interrupted() -> None:
        with destination(str(path), ()) as write:
            write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_no_plain_file_is_written_directly(tmp_path: Path) -> None:
    assert xccos("messages", SAMPLE, "-o", os.devnull).code == 0
    result = xccos("messages", SAMPLE, "-o", tmp_path)
    assert result.code == 2
    assert "directory" in result.err


def test_lines_are_written_in_large_pieces() -> None:
    pieces: list[bytes] = []
    write_lines((f"{number:0600d}\n" for number in range(1000)), pieces.append)
    assert b"".join(pieces).count(b"\n") == 1000
    assert {piece.count(b"\n") for piece in pieces[:-1]} == {TOGETHER}


def test_what_an_encoding_lacks_is_spelt_out() -> None:
    pieces: list[bytes] = []
    write_lines(["naïve €\n"], pieces.append, "latin-1")
    assert b"".join(pieces) == b"na\xefve \\u20ac\n"


def test_blocks_of_lines_become_one_array() -> None:
    blocks = [b'{"a":1}\n{"a":"\\n"}\n', b'{"a":3}\n']
    text = b"".join(array_of_blocks(blocks))
    assert text == b'[\n{"a":1},\n{"a":"\\n"},\n{"a":3}\n]\n'
    assert b"".join(array_of_blocks([])) == b"[]\n"
