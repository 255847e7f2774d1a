"""How the dashboard is served: on this machine alone, and silent towards everybody else."""

from __future__ import annotations

import io
import ipaddress
import os
import sys
import webbrowser
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from analyzer.extras import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_UPLOAD = 200
"""Megabytes of one file that is dropped into the page: it passes through memory twice."""
SETTINGS: dict[str, str | int | bool | list[str]] = {
    "server.address": "127.0.0.1",  # captures hold people's words
    "server.allowedHosts": ["127.0.0.1", "localhost"],  # against DNS rebinding
    "server.maxUploadSize": MAX_UPLOAD,
    "server.fileWatcherType": "none",
    "server.showEmailPrompt": False,
    "runner.postScriptGC": False,  # after each click through all messages of all cases: seconds
    "browser.gatherUsageStats": False,  # nothing leaves the machine
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "theme.light.primaryColor": "#0b5cad",  # Streamlit's red looks like an error
    "theme.dark.primaryColor": "#2a78c6",  # white on it is read: 4.5 to 1
}
ANYWHERE = "XCCOS_DASHBOARD_ANYWHERE"
"""Set to 1 by who knows that others may reach the page: in a container, behind a proxy."""
TURN_S = 0.05
SCRIPT = Path(__file__).with_name("entry") / "script.py"


def is_loopback(address: str | None) -> bool:
    """Tell whether only this machine can reach an address; None is every address."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address((address or "").strip("[]")).is_loopback
    except ValueError:
        return False


def may_serve(address: str | None) -> bool:
    """Tell whether captures may be shown on this address."""
    return is_loopback(address) or os.environ.get(ANYWHERE) == "1"


def serve(files: Sequence[str], *, port: int | None, browser: bool) -> None:
    """Serve until interrupted.

    Args:
        files: captures and directories that the page offers.
        port: None: 8501, or the next one that is free; 0: any.
        browser: open one.

    Raises:
        MissingExtra: Streamlit is not installed.
    """
    if find_spec("streamlit") is None:
        raise MissingExtra("Streamlit, which the dashboard is written with,", "dashboard")
    from streamlit.web import cli

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # the address is told at once, in a pipe too
    # What Streamlit says of itself is for who writes pages, not for who looks at captures.
    options = ["--server.headless=true", "--logger.hideWelcomeMessage=true"]
    for name, value in SETTINGS.items():
        values = value if isinstance(value, list) else [value]
        options += [f"--{name}={_text(one)}" for one in values]
    if port is not None:
        options.append(f"--server.port={port}")
    shown = [os.path.abspath(file) for file in files]  # noqa: PTH100  (members of archives too)
    Thread(target=_announce, kwargs={"browser": browser}, daemon=True).start()
    cli.main(["run", str(SCRIPT), *options, "--", *shown], standalone_mode=False)


def _announce(*, browser: bool) -> None:
    """Say where the page is as soon as it is served, and open it."""
    from streamlit import config, runtime
    from streamlit.runtime import RuntimeState

    pause = Event()
    while not runtime.exists() or runtime.get_instance().state is RuntimeState.INITIAL:
        pause.wait(TURN_S)
    address = f"http://{SETTINGS['server.address']}:{config.get_option('server.port')}"
    sys.stdout.write(f"The dashboard is at {address} for this machine alone; Ctrl-C ends it.\n")
    sys.stdout.flush()
    if browser:
        webbrowser.open(address)


def _text(value: str | int) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
