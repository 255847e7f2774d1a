"""Programs of Wireshark: where tshark, dumpcap and editcap are, and how one gets them.

The one rule: a program is taken from where its owner installed it, never from the directory one
happens to stand in, which may be that of a capture somebody sent. So relative entries of ``PATH``
are passed over, and so is a ``config.ini`` in the working directory, which pyshark would obey.

pyshark knows best where tshark is: its own ``config.ini`` may name it. It does not read for us,
though. Of a packet with several SIP messages it shows the first and hides the others, it is some
fifty times slower than tshark itself, and it breaks on Python 3.14.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

# What PATH may lack: under cron, from the Dock, after the installer for Windows, which leaves PATH
# as it is.
PLACES = {
    "linux": ("/usr/local/bin", "/usr/sbin", "/usr/local/sbin", "/opt/wireshark/bin"),
    "darwin": (
        "/Applications/Wireshark.app/Contents/MacOS",
        "/opt/homebrew/bin",
        "/usr/local/bin",
        "/opt/local/bin",
    ),
    "win32": (r"%ProgramFiles%\Wireshark", r"%ProgramFiles(x86)%\Wireshark"),
}

# All three come together but for Debian's ``wireshark-common``, which ``tshark`` brings along.
_PACKAGES = {
    "linux": "Debian, Ubuntu: apt install tshark; RHEL, Fedora: dnf install wireshark-cli",
    "darwin": "macOS: brew install wireshark, or the package of wireshark.org",
    "win32": "Windows: winget install WiresharkFoundation.Wireshark, with TShark chosen",
}


def program(name: str) -> str | None:
    """Return the path of ``tshark``, ``dumpcap`` or ``editcap``; None where it is not installed."""
    return _known_to_pyshark(name) or _found(name)


def how_to_install(name: str) -> str:
    """Return the sentence for somebody who lacks a program, without a full stop."""
    package = _PACKAGES.get(sys.platform, "it is a part of Wireshark, wireshark.org")
    return f"{name} is not installed ({package})"


def _known_to_pyshark(name: str) -> str | None:
    """Return what pyshark says; None where it is absent, at a loss, or led astray."""
    try:
        from pyshark.config import fp_config_path
        from pyshark.tshark.tshark import get_process_path

        # Of the directory in which pyshark was loaded.
        if Path("config.ini").exists() or Path(fp_config_path).exists():
            return None
        path = get_process_path(process_name=name)
    except Exception:  # noqa: BLE001  (whatever it is: the search goes on without it)
        return None
    return _usable(Path(path)) if isinstance(path, str) else None


def _found(name: str) -> str | None:
    """Return what ``PATH`` and the usual places of the platform have."""
    file = f"{name}.exe" if sys.platform == "win32" else name
    places = map(os.path.expandvars, PLACES.get(sys.platform, PLACES["linux"]))
    for place in (*os.environ.get("PATH", os.defpath).split(os.pathsep), *places):
        found = _usable(Path(place, file))
        if found is not None:
            return found
    return None


def _usable(path: Path) -> str | None:
    try:
        usable = path.is_absolute() and path.is_file() and os.access(path, os.X_OK)
    except (OSError, ValueError):  # a name with a NUL in it
        return None
    return str(path) if usable else None
