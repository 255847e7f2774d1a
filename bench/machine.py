"""What the figures depend on besides the programs: the machine, and the versions of all tools."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from bench.programs import first_line

if TYPE_CHECKING:
    from bench.programs import Tools

LIBRARIES = ("dpkt", "pyshark")
BUSY = 0.5  # load a processor above which the figures are not worth much


def facts(tools: Tools) -> dict[str, str | int | float]:
    """Return names and versions; a tool that is absent has an empty version."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": processor(),
        "processors": processors(),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        "system": system(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "xccos": tools.path,
        "tshark": first_line([tools.tshark, "--version"]) if tools.tshark else "",
        "sngrep": first_line([tools.sngrep, "--version"]) if tools.sngrep else "",
        "sipp": first_line(["sipp", "-v"]),
        **{name: version(name) for name in LIBRARIES},
    }


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor(table: Path = Path("/proc/cpuinfo")) -> str:
    """Return the name of the processor; its architecture where the kernel does not tell."""
    if table.is_file():
        for line in table.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.machine()


def system() -> str:
    """Return the distribution, or the kernel where there is none."""
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def version(library: str) -> str:
    """Return the version of an installed distribution."""
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return ""


def warning(found: dict[str, str | int | float]) -> str:
    """Return a remark where other programs were at work when the measuring began."""
    load, number = float(found.get("load", 0)), int(found.get("processors", 1))
    if load <= BUSY * number:
        return ""
    return f"the machine was busy: a load of {load} on {number} processors"
