"""What the project says about itself is true: versions, commands in the documents, samples."""

from __future__ import annotations

import re
import struct
import tomllib
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

import analyzer
from tests.paths import ROOT, SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DISTRIBUTION = "xccos-analyzer"
DOCUMENTS = [name for name in ("README.md", "CONTRIBUTING.md") if (ROOT / name).is_file()]
SAMPLE_ROW = re.compile(r"(?m)^\| `([^`]+)` \|.*\| *(recorded|modelled) *\| *(\d+) *\| *(\d+) *\|$")
START_LINE = re.compile(rb"(?:[A-Z]+ sip:[^\r ]+ SIP/2\.0|SIP/2\.0 [1-6][0-9]{2} [^\r]+)\r\n")
SENT_AGAIN = {"callid-collision.pcap": 1}  # frame 124, a TCP retransmission


def test_the_version_has_one_source() -> None:
    assert PYPROJECT["project"]["name"] == DISTRIBUTION
    assert "version" in PYPROJECT["project"]["dynamic"]
    source = (ROOT / PYPROJECT["tool"]["hatch"]["version"]["path"]).read_text(encoding="utf-8")
    assert f'__version__ = "{analyzer.__version__}"' in source
    assert re.fullmatch(r"\d+\.\d+\.\d+(?:(?:a|b|rc|\.dev)\d+)?", analyzer.__version__)


def test_what_is_installed_is_this_version() -> None:
    installed = {found.version for found in metadata.distributions(name=DISTRIBUTION)}
    assert installed <= {analyzer.__version__}


def test_the_changelog_begins_with_what_is_not_released() -> None:
    titles = re.findall(r"(?m)^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert titles[0] == "Unreleased"
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_in_a_document_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    named = set(re.findall(r"(?m)(?:^\s*(?:\$ )?|`)make ([a-z][a-z-]*)", text))
    targets = set(re.findall(r"(?m)^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8")))
    assert "test" in named
    assert named - targets == set()


def test_every_help_line_of_the_makefile_is_a_phony_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"(?m)^\.PHONY: (.*)$", makefile)
    assert set(re.findall(r"(?m)^([a-z]+):.*##", makefile)) <= set(phony.split())


def test_the_gate_of_the_machines_can_be_run() -> None:
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111 == 0o111


def _sample_rows() -> dict[str, tuple[str, int, int]]:
    text = (SAMPLES / "README.md").read_text(encoding="utf-8")
    return {row[1]: (row[2], int(row[3]), int(row[4])) for row in SAMPLE_ROW.finditer(text)}


def test_the_samples_are_those_that_their_page_lists() -> None:
    present = {path.name for path in SAMPLES.iterdir()} - {"README.md"}
    traces = {name for name in present if name.endswith(".txt")}
    assert set(_sample_rows()) == present - traces
    text = (SAMPLES / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in traces)


@pytest.mark.parametrize("name", _sample_rows())
def test_a_sample_has_as_many_frames_and_messages_as_its_page_says(name: str) -> None:
    _origin, frames, messages = _sample_rows()[name]
    assert _frames(SAMPLES / name) == frames
    # No segment of the samples ends inside a start line, so they can simply be counted.
    started = len(START_LINE.findall((SAMPLES / name).read_bytes()))
    assert started - SENT_AGAIN.get(name, 0) == messages


def _frames(path: Path) -> int:
    """Count the records of a little-endian capture, without the code that is under test."""
    data = path.read_bytes()
    if data[:4] == struct.pack("<I", 0xA1B2C3D4):
        return _pcap_records(data)
    assert data[:4] == struct.pack("<I", 0x0A0D0D0A)
    return _enhanced_packets(data)


def _pcap_records(data: bytes) -> int:
    position, count = 24, 0
    while position < len(data):
        position += 16 + int(struct.unpack_from("<I", data, position + 8)[0])
        count += 1
    return count


def _enhanced_packets(data: bytes) -> int:
    position, count = 0, 0
    while position < len(data):
        kind, length = struct.unpack_from("<II", data, position)
        position += int(length)
        count += kind == 6
    return count
