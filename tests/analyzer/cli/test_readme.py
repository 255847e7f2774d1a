"""What README.md shows is what the program prints.

``python -m tests.analyzer.cli.test_readme`` writes the examples anew.
"""

from __future__ import annotations

import os
import re
import shlex
from contextlib import chdir

from analyzer.cli.exits import EXIT_CODES
from analyzer.cli.main import COMMANDS
from tests.analyzer.cli.running import xccos
from tests.paths import ROOT

README = ROOT / "README.md"
_EXAMPLE = re.compile(r"```console\n\$ xccos (.*)\n(?:.*\n)*?```")


def _with_true_examples(text: str) -> str:
    def example(found: re.Match[str]) -> str:
        with chdir(ROOT):
            result = xccos(*shlex.split(found[1]), "--color", "never")
        assert result.code == 0, result.err
        return f"```console\n$ xccos {found[1]}\n{result.out}```"

    before = os.environ.pop("COLUMNS", None)
    try:
        return _EXAMPLE.sub(example, text)
    finally:
        if before is not None:
            os.environ["COLUMNS"] = before


def test_the_examples_are_what_the_program_prints() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(_EXAMPLE.findall(text)) >= 3
    assert text == _with_true_examples(text)


def test_every_command_and_exit_code_is_named() -> None:
    text = README.read_text(encoding="utf-8")
    manual = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"`xccos {name} " in text
        assert f"| `{name} " in manual
    for code in EXIT_CODES:
        assert f"| {code} | " in text
        assert f"| {code} | " in manual


if __name__ == "__main__":
    README.write_text(_with_true_examples(README.read_text(encoding="utf-8")), encoding="utf-8")
