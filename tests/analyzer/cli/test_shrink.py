"""``xccos shrink``: a smaller script that still shows what is looked for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from analyzer.replay.script_json import read_script
from tests.analyzer.cli.running import xccos
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = SAMPLES / "fault-503.pcap"


def test_the_finding_is_still_there_in_a_much_smaller_script(tmp_path: Path) -> None:
    small, again = tmp_path / "small.json", tmp_path / "small.pcapng"
    result = xccos("shrink", REFUSED, "--until", "GC409", "-o", small)
    assert (result.code, result.out) == (0, "")
    script = read_script(small.read_bytes(), "small")
    assert 0 < len(script.turns) <= 12
    assert result.err.startswith(f"xccos: {len(script.turns)} of ")
    assert xccos("replay", "pcap", small, "-o", again).code == 0
    assert "GC409" in xccos("findings", again).out


def test_a_finding_that_is_not_there_exits_with_1_and_writes_nothing(tmp_path: Path) -> None:
    small = tmp_path / "small.json"
    result = xccos("shrink", SAMPLES / "signin-tcp.pcap", "--until", "GC301", "-o", small)
    assert result.code == 1
    assert "it does not show GC301" in result.err
    assert not small.exists()


def test_a_command_decides_by_its_exit_code(tmp_path: Path) -> None:
    small, program = tmp_path / "small.json", tmp_path / "look.py"
    program.write_text("import sys\nsys.exit(b'cmd:join' not in open(sys.argv[1], 'rb').read())\n")
    command = f"{sys.executable} -S {program} {{}}"
    result = xccos("shrink", SAMPLES / "signin-tcp.pcap", "--until-exit", command, "-o", small)
    assert result.code == 0
    assert "cmd:join" in small.read_text(encoding="utf-8")
    assert len(read_script(small.read_bytes(), "small").turns) <= 8


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "say what is to show"),
        (("--until", "GC409", "--until-exit", "true {}"), "say what is to show"),
        (("--until", "XX1"), "`xccos rules` lists the rules"),
        (("--until-exit", "true"), "{} says where the script is named"),
        (("--until-exit", "'{}"), "--until-exit: "),
        (("--until-exit", "./no-such-program {}"), "cannot be run"),
    ],
)
def test_a_wrong_command_line_exits_with_2(arguments: tuple[str, ...], reason: str) -> None:
    result = xccos("shrink", REFUSED, *arguments)
    assert (result.code, result.out) == (2, "")
    assert reason in result.err
