"""Start-up, exit codes, interrupts, completion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from analyzer import __version__
from analyzer.cli.exits import EXIT_CODES
from analyzer.cli.main import COMMANDS
from analyzer.cli.reading import Reading
from analyzer.paths import description
from tests.analyzer.cli.running import xccos
from tests.paths import ROOT, SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLE = SAMPLES / "twousers-post.pcap"
MODULE = [sys.executable, "-m", "analyzer.cli.main"]


def test_help_names_every_command_and_exit_code_and_gives_examples() -> None:
    result = xccos("--help")
    assert result.code == 0
    assert all(name in result.out for name in COMMANDS)
    assert all(f"{code}" in result.out and text in result.out for code, text in EXIT_CODES.items())
    assert "xccos triage capture.pcapng" in result.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = xccos(command, "--help")
    assert result.code == 0
    assert "Example" in result.out
    assert COMMANDS[command][1].split()[0] in result.out


def test_help_imports_no_reading_code_and_no_command() -> None:
    code = (
        "import json, sys\nfrom analyzer.cli.main import run\nrun(['--help'])\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = json.loads(done.stderr)
    assert not [name for name in loaded if name.startswith(("dissectors", "rich", "lxml"))]
    assert {name for name in loaded if name.startswith("analyzer")} == {
        "analyzer", "analyzer.cli", "analyzer.cli.exits", "analyzer.cli.main",
        "analyzer.cli.terminal",
    }  # fmt: skip


def test_version_says_which_python_and_which_path_run() -> None:
    result = xccos("--version")
    python = ".".join(map(str, sys.version_info[:3]))
    assert result.out == f"xccos-analyzer {__version__}, Python {python}, {description()}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("nothing",),
        ("--nothing",),
        ("messages",),
        ("messages", str(SAMPLE), "--format", "xml"),
        ("messages", str(SAMPLE), "--status", "9x"),
        ("messages", str(SAMPLE), "--from-time", "soon"),
        ("messages", str(SAMPLE), "--limit", "-1"),
        ("messages", str(SAMPLE), "--fields", "index,nothing"),
        ("messages", str(SAMPLE), "--fields", ","),
        ("triage", str(SAMPLE), "-o", "/nowhere/triage.json"),
        ("triage", str(SAMPLE), "-o", "triage.csv"),
        ("show", str(SAMPLE)),
        ("show", str(SAMPLE), "1", "--frame", "2"),
        ("show", str(SAMPLE), "100000"),
        ("show", str(SAMPLE), "--frame", "100000"),
        ("completion", "tcsh"),
    ],
)
def test_a_wrong_command_line_exits_with_2_and_says_why(arguments: tuple[str, ...]) -> None:
    result = xccos(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert "Error: " in result.err or "Usage: " in result.err
    assert "Traceback" not in result.err


def test_an_interrupted_run_exits_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Reading, of: object) -> Iterator[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(Reading, "each", interrupted)
    result = xccos("messages", SAMPLE)
    assert result.code == 130
    assert "interrupted" in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize("command", ["messages", "triage"])
def test_a_reader_that_goes_away_is_no_error(command: str) -> None:
    arguments = [*MODULE, command, *[str(SAMPLE)] * 8]
    process = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    said = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(60) == 0
    assert said == ""


def test_the_installed_command_gives_its_exit_code_to_the_shell() -> None:
    done = subprocess.run(
        [*MODULE, "messages", "nowhere.pcap"], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 3


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str) -> None:
    result = xccos("completion", shell)
    assert result.code == 0
    assert "_XCCOS_COMPLETE" in result.out


def test_the_shell_completes_commands_and_options() -> None:
    def complete(words: str) -> str:
        asked = {
            "_XCCOS_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        }
        code = "import sys; from analyzer.cli.main import run; sys.argv = ['xccos']; run()"
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT, env={**os.environ, **asked}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout

    assert "plain,messages" in complete("xccos me")
    assert "plain,--fail-on" in complete("xccos triage --fa")
