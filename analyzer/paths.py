"""Which of the two reading paths runs: the compiled twin where it is built, else pure Python.

The rule: a compiled module is used only when it was built from the sources that lie beside it.
Where a wheel was installed there are no sources, and nothing is compared.
"""

from __future__ import annotations

import os
import re
from functools import cache
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from zlib import crc32

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PACKAGES = ("dissectors/_speedups", "analyzer/_speedups")
"""Where the sources of the twin are, and its modules when they are built."""
RECORD = "dissectors/_speedups/built.txt"
"""What ``hatch_build.py`` leaves: on each line ``module-file digest``, or ``# reason`` why not."""
PROBE = "dissectors._speedups.strings"
"""Loaded to see whether this machine can: the modules are made together, and it needs no other."""
SUFFIX = EXTENSION_SUFFIXES[0]
"""How a file ends that is a module for this interpreter."""

_NAMED = re.compile(rb"\._speedups\.(\w+)")


def compiled() -> bool:
    """Tell whether the compiled twin is used; the answer does not change while a process runs."""
    return not why_pure()


def description() -> str:
    """Name the path that runs, and the reason where it is not the compiled one."""
    reason = why_pure()
    return f"pure Python path ({reason})" if reason else "compiled path"


@cache
def why_pure() -> str:
    """Return the reason why the compiled twin is not used; nothing when it is."""
    if os.environ.get("XCCOS_PURE") == "1":
        return "XCCOS_PURE=1"
    built, reason = recorded(ROOT)
    if not built:
        return reason
    now = digests(ROOT)
    for module in now:
        reason = why_stale(ROOT, module, built, now)
        if reason:
            return reason
    return _why_not_loaded()


def recorded(root: str) -> tuple[dict[str, str], str]:
    """Return the digest of each module built for this interpreter, and why where there is none."""
    try:
        with open(os.path.join(root, RECORD), encoding="utf-8") as file:
            lines = file.read().splitlines()
    except OSError:
        return {}, "the compiled twin is not built"
    reason = "the compiled twin is not built for this Python"
    built = {}
    for line in lines:
        if line.startswith("# "):
            reason = line[2:]
            continue
        name, _, digest = line.rpartition(" ")
        if name.endswith(SUFFIX):
            built[name.removesuffix(SUFFIX)] = digest
    return built, reason


def digests(root: str) -> dict[str, str]:
    """Return what tells one state of the sources of each module from another; empty without them.

    The declarations that a module includes belong to it: they lay out the structures it shares.
    """
    texts = _sources(root)
    named = {path: set(_NAMED.findall(text)) for path, text in texts.items()}
    found = {}
    for path in texts:
        if path.endswith(".pyx"):
            state = 0
            for used in sorted(_used(path, named)):
                state = crc32(texts[used], crc32(used.encode(), state))
            found[path.removesuffix(".pyx")] = f"{state:08x}"
    return found


def why_stale(root: str, module: str, built: dict[str, str], now: dict[str, str]) -> str:
    """Return why a module must not be used, given what is recorded and the sources' digests."""
    if module not in built or not os.path.exists(os.path.join(root, module + SUFFIX)):
        return f"{module}.pyx is not compiled"
    if built[module] != now[module]:
        return f"{module}.pyx has changed since it was compiled"
    return ""


def _sources(root: str) -> dict[str, bytes]:
    found = {}
    for package in PACKAGES:
        try:
            names = sorted(os.listdir(os.path.join(root, package)))
        except OSError:
            continue
        for name in names:
            if name.endswith((".pyx", ".pxd")):
                with open(os.path.join(root, package, name), "rb") as file:
                    found[f"{package}/{name}"] = file.read()
    return found


def _used(source: str, named: dict[str, set[bytes]]) -> set[str]:
    """Return a source with its own declarations and all those that are included from there."""
    used, waiting = {source}, {source.removesuffix("pyx") + "pxd"} | _declarations(named[source])
    while waiting := (waiting & named.keys()) - used:
        used |= waiting
        waiting = {path for at in waiting for path in _declarations(named[at])}
    return used


def _declarations(names: set[bytes]) -> set[str]:
    return {f"{package}/{name.decode()}.pxd" for package in PACKAGES for name in names}


def _why_not_loaded() -> str:
    try:
        import_module(PROBE)
    except Exception as error:  # noqa: BLE001  (whatever it is, the other path can do without)
        return f"{PROBE} cannot be loaded: {error}"
    return ""
