"""The guide from a capture to a reproduced 503 is run as it is printed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from analyzer.cli.replay import replay
from tests.paths import ROOT, SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.untraced


GUIDE = (ROOT / "docs/replay.md").read_text(encoding="utf-8")
ADDRESS = "127.0.0.1:5060"
PROGRAM = [sys.executable, "-m", "analyzer.cli.main"]
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "COLUMNS": "100", "NO_COLOR": "1", "PATH": "/usr/bin:/bin"}


def _blocks() -> list[tuple[list[str], str]]:
    """Return the commands of the guide, each with what is printed below it."""
    found = re.findall(r"```console\n\$ xccos (.*)\n((?:.*\n)*?)```", GUIDE)
    return [(shlex.split(command), shown) for command, shown in found]


def _run(words: list[str], folder: Path) -> str:
    done = subprocess.run(
        [*PROGRAM, *words],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def _without_times(text: str) -> list[str]:
    """Return the lines of an output with the figures that differ from run to run left out."""
    kept = [re.sub(r"[\d.]+ (?:m?s|µs)\b", "T", line.strip()) for line in text.splitlines()]
    return [
        re.sub(r" +", " ", line) for line in kept if line and not re.match(r"[A-Z]+.* T T T", line)
    ]


def test_five_commands_lead_to_the_same_failure(tmp_path: Path) -> None:
    shutil.copy(SAMPLES / "fault-503.pcap", tmp_path)
    findings, script, server, client, again = _blocks()
    for words, shown in (findings, script):
        assert _without_times(_run(words, tmp_path)) == _without_times(shown)
    listening = [ADDRESS, "127.0.0.1:0"]
    command = [listening[1] if word == ADDRESS else word for word in server[0]]
    with subprocess.Popen(
        [*PROGRAM, *command], cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        address = line.removeprefix("xccos: listening on ").strip()
        assert line.replace(address, ADDRESS) == server[1]
        told = _run([address if word == ADDRESS else word for word in client[0]], tmp_path)
        assert process.wait(30) == 0
    assert "✓ client: all 27 turns held; 1 client" in told
    assert "✓ client: all 27 turns held; 1 client" in client[1]
    told = _run(again[0], tmp_path)
    assert "GC409 Post answered 503 and lost" in told
    assert "post of sip:ann@fabrikam.example" in told
    shrunk = _run(
        ["shrink", "case.json", "--until", "GC409", "--playable", "-o", "small.json"], tmp_path
    )
    assert "20 of 57 turns" in shrunk
    assert "20 of the 57 turns" in GUIDE.replace("\n", " ")


def test_the_manual_names_every_way_to_play() -> None:
    for name in replay.commands:
        assert f"**`xccos replay {name} SCRIPT" in GUIDE
