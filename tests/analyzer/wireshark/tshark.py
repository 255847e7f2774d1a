"""tshark with the plug-in: the fields of each frame, and what it complained about."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from tests.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PLUGIN = ROOT / "analyzer/wireshark/xccos.lua"
FIELD, VALUE = "\x1f", "\x1e"
HARMLESS = ("Running as user",)


def tshark(capture: Path, *arguments: str, plugin: bool = True) -> str:
    """Return what tshark prints of a capture; it must have no complaint."""
    command = ["tshark", "-r", str(capture), "-o", "tcp.reassemble_out_of_order:TRUE"]
    command += ["-X", f"lua_script:{PLUGIN}"] if plugin else []
    keys = capture.with_suffix(".keylog")
    command += ["-o", f"tls.keylog_file:{keys}"] if keys.is_file() else []
    done = subprocess.run(
        [*command, *arguments],
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    said = done.stderr.decode("utf-8", "replace").splitlines()
    assert [line for line in said if line and not line.startswith(HARMLESS)] == []
    assert done.returncode == 0
    return done.stdout.decode("utf-8", "replace")


def fields(capture: Path, names: Sequence[str], *arguments: str) -> dict[int, dict[str, list[str]]]:
    """Return the values of the fields of each frame that has some; two passes."""
    asked = [part for name in ("frame.number", *names) for part in ("-e", name)]
    form = ("-T", "fields", "-E", f"separator={FIELD}", "-E", f"aggregator={VALUE}")
    found: dict[int, dict[str, list[str]]] = {}
    for line in tshark(capture, "-2", *form, *asked, *arguments).split("\n"):
        number, *values = line.split(FIELD)
        if any(values):
            pairs = zip(names, values, strict=True)
            found[int(number)] = {name: one.split(VALUE) if one else [] for name, one in pairs}
    return found


def shown(capture: Path, display_filter: str) -> list[int]:
    """Return the frames that a display filter shows."""
    out = tshark(capture, "-Y", display_filter, "-T", "fields", "-e", "frame.number", plugin=False)
    return [int(line) for line in out.split()]
