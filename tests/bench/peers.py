"""Programs that stand in for those that are measured: scripts that print what they are told to."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.programs import Tools

# Finds the capture among its arguments and takes the number of messages from the truth beside it.
HEAD = """#!/bin/sh
if [ "$1" = --version ]; then echo "made up 1.0"; exit; fi
for word; do
    word=${word#if=}
    [ -f "$word.truth.json" ] && truth="$word.truth.json"
done
number=$(sed -n 's/.*"msgs": \\([0-9]*\\).*/\\1/p' "$truth" /dev/null)
"""
XCCOS = 'case $1 in triage) echo "9 frames, $number SIP messages" ;; *) seq "$number" ;; esac\n'
TSHARK = """case "$*" in
    *"-T fields"*) seq -f '%g	1	a	b	INFO		x	1	f	t' "$number" ;;
    *"-T ek"*) seq "$number" | sed 's/.*/{"layers": {"sip": {}}}/' ;;
    *) seq 2 "$number" | sed 's/.*/        "sip": {/' ;;
esac
"""


def script(path: Path, body: str) -> str:
    """Write an executable script and return its path."""
    path.write_text(HEAD + body, encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def fakes(directory: Path, *, xccos: str = XCCOS, tshark: str = TSHARK) -> Tools:
    """Return tools of which sngrep and pyshark are not installed; tshark -T json misses one."""
    directory.mkdir()
    return Tools(
        xccos=script(directory / "xccos", xccos),
        tshark=script(directory / "tshark", tshark),
        sngrep=None,
        dd=script(directory / "dd", "exit 0\n"),
        dpkt=True,
        pyshark=False,
        path="xccos 0, compiled path",
    )


def real_tools() -> Tools:
    """Return our own program, and nothing to compare it with."""
    xccos = str(Path(sys.executable).with_name("xccos"))
    return Tools(xccos, None, None, None, dpkt=True, pyshark=False, path="")
