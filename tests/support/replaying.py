"""``xccos replay`` in processes of its own, as people run it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.paths import ROOT, SHARED

if TYPE_CHECKING:
    from pathlib import Path

XCCOS = [sys.executable, "-m", "analyzer.cli.main"]
LISTENING = "xccos: listening on "
PATIENCE = 60.0
"""Seconds after which a server gives up: far more than a busy machine takes."""


@cache
def script_file(name: str, folder: Path) -> Path:
    """Write the script of a recorded capture, once."""
    case = folder / f"{name}.json"
    capture = SHARED / "captures" / f"{name}.pcap"
    subprocess.run([*XCCOS, "script", str(capture), "-o", str(case)], cwd=ROOT, check=True)
    return case


@dataclass
class Served:
    """A server that plays a script in another process."""

    folder: Path
    process: subprocess.Popen[str]
    address: str = ""
    said: list[str] = field(default_factory=list)

    @property
    def certificate(self) -> str:
        return str(self.folder / "server.pem")

    def result(self) -> dict[str, Any]:
        """Return what it found, once it has ended by itself."""
        self.process.wait(PATIENCE)
        assert self.process.stderr is not None
        self.said += self.process.stderr.read().splitlines()
        found = json.loads((self.folder / "result.json").read_text())["ends"][0]
        assert isinstance(found, dict)
        return found

    def explain(self) -> str:
        """Return what it does not find as it should be."""
        found = self.result()
        wrong = [verdict for verdict in found["verdicts"] if not verdict["good"]]
        return "\n".join([*map(str, wrong), *found["notes"], *self.said])


class Server:
    """``xccos replay server`` on a free port."""

    def __init__(self, case: Path, folder: Path, *options: str) -> None:
        command = [*XCCOS, "replay", "server", str(case), "--listen", "127.0.0.1:0", "--once"]
        command += ["--for", f"{PATIENCE:g}s", "--json", str(folder / "result.json"), *options]
        if "--tls" in options:
            command += ["--write-cert", str(folder / "server.pem")]
        self._command = command
        self._folder = folder

    def __enter__(self) -> Served:
        process = subprocess.Popen(
            self._command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self._served = Served(self._folder, process)
        assert process.stderr is not None
        for line in process.stderr:
            self._served.said.append(line.rstrip())
            if line.startswith(LISTENING):
                self._served.address = line.removeprefix(LISTENING).split()[0]
                return self._served
        self.__exit__()
        raise AssertionError("\n".join(["the server did not start", *self._served.said]))

    def __exit__(self, *_: object) -> None:
        process = self._served.process
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
        assert process.stderr is not None
        process.stderr.close()


def play_clients(case: Path, folder: Path, address: str, *options: str) -> dict[str, Any]:
    """Play the clients of a script against a server, and return what they found."""
    result = folder / "client.json"
    command = [*XCCOS, "replay", "client", str(case), "--target", address]
    command += ["--json", str(result), "--for", f"{PATIENCE:g}s", *options]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=2 * PATIENCE
    )
    found = json.loads(result.read_text())["ends"][0]
    assert isinstance(found, dict)
    found["code"], found["said"] = done.returncode, done.stdout + done.stderr
    return found
