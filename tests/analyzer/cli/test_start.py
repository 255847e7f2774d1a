"""What a command loads before it is of use: counted, since time depends on the machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from analyzer.cli.main import COMMANDS
from tests.paths import ROOT, SAMPLES

SAMPLE = str(SAMPLES / "twousers-post.pcap")
HEAVY = {
    *("_hashlib", "bz2", "lzma", "multiprocessing", "shutil", "tempfile", "zstandard"),
    *("asyncio", "duckdb", "http", "logging", "lxml", "numpy", "pandas", "pyarrow", "rich", "ssl"),
}
"""What takes milliseconds to load, and only compressed captures, digests, progress bars, indexes
or other commands need."""

# Modules in all, those of Python and click among them, at about 0.3 ms each; a few more than now.
MAX_HELP = 125
MAX_TRIAGE = 342

CODE = """
import json, sys
from analyzer.cli.main import run
run(sys.argv[1:])
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


HELPS = """
import json, sys
from analyzer.cli.main import run
found = {}
for command in sys.argv[1:]:
    run([command, "--help"])
    found[command] = sorted(sys.modules)
print(json.dumps(found), file=sys.stderr)
"""


def said(code: str, *arguments: str) -> Any:  # noqa: ANN401 - JSON
    command = [sys.executable, "-c", code, *arguments]
    # What measures coverage is loaded as well, and is no part of the program.
    own = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=True)
    return json.loads(done.stderr.splitlines()[-1])


@cache
def loaded(*arguments: str) -> set[str]:
    """Return the modules that a run has loaded at its end."""
    return set(said(CODE, *arguments))


@pytest.mark.parametrize("arguments", [("triage", SAMPLE), ("--version",)])
def test_nothing_heavy_is_loaded(arguments: tuple[str, ...]) -> None:
    assert loaded(*arguments) & HEAVY == set()


@pytest.mark.parametrize("command", ["messages", "commands", "dialogs", "sessions"])
def test_nothing_heavy_is_loaded_by_a_list_but_what_digests_take(command: str) -> None:
    assert loaded(command, SAMPLE) & HEAVY <= {"_hashlib"}


def test_triage_loads_no_filter_and_no_decryption() -> None:
    unneeded = {
        "analyzer.cli.lists",
        "analyzer.decryption",
        "analyzer.query",
        "analyzer.sources.tls",
    }
    assert loaded("triage", SAMPLE) & unneeded == set()


def test_few_modules_are_loaded() -> None:
    assert len(loaded("--help")) <= MAX_HELP
    assert len(loaded("triage", SAMPLE)) <= MAX_TRIAGE


def test_help_of_a_command_loads_nothing_heavy() -> None:
    width = {"bz2", "lzma", "shutil"}  # click asks shutil for the width of the terminal
    # In one process, one after the other: what none of them has loaded, no one has.
    loaded_by = said(HELPS, *COMMANDS)
    assert list(loaded_by) == list(COMMANDS)
    assert {
        command: heavy
        for command, modules in loaded_by.items()
        if (heavy := (set(modules) & HEAVY) - {"_hashlib", *width})
    } == {}
