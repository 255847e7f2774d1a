"""SIPp itself (Debian package ``sip-tester``), on loopback, in a folder of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.replay.sipp.files import SippFiles

PATIENCE = 60
"""Seconds after which SIPp gives up: far more than a busy machine takes for one call."""
_LISTENING = "0A"
_BETWEEN_LOOKS = 0.01


@dataclass(frozen=True)
class Ran:
    """What became of a run of SIPp."""

    code: int
    """0: all calls succeeded. 1: one failed."""
    errors: str
    """What SIPp did not expect, in its own words."""
    messages: str
    """Every message, as SIPp logs it."""

    def __str__(self) -> str:
        return f"sipp ended with {self.code}\n{self.errors}\n{self.messages[-4000:]}"


@dataclass
class Sipp:
    """One SIPp: a scenario that plays until its calls are through."""

    folder: Path
    name: str
    scenario: str
    options: tuple[str, ...] = ()
    calls: int = 1
    port: int = field(default_factory=lambda: free_port())
    log: bool = True

    def __post_init__(self) -> None:
        program = shutil.which("sipp")
        assert program, "sipp is not there: apt-get install sip-tester"
        file = self.folder / f"{self.name}.xml"
        file.write_bytes(self.scenario.encode())
        traces: tuple[str, ...] = ("-trace_err", "-error_file", f"{self.name}.err")
        if self.log:
            traces += ("-trace_msg", "-message_file", f"{self.name}.log")
        limits = ("-timeout", str(PATIENCE), "-timeout_error", "-m", str(self.calls))
        ends = ("-t", "t1", "-i", "127.0.0.1", "-p", str(self.port), "-nostdin")
        command = (program, "-sf", file.name, *ends, *limits, *traces, *self.options)
        self._process = subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def __enter__(self) -> Sipp:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    def listening(self) -> Sipp:
        """Wait until it listens; SIPp does not say so itself."""
        wait_for_port(self.port, self._process)
        return self

    def result(self) -> Ran:
        """Return what became of it, once it has ended."""
        code = self._process.wait(PATIENCE + 5)
        return Ran(code, self._text("err"), self._text("log"))

    def _text(self, kind: str) -> str:
        file = self.folder / f"{self.name}.{kind}"
        return file.read_bytes().decode("utf-8", "replace") if file.exists() else ""


def uas(folder: Path, files: SippFiles, *, calls: int = 1) -> Sipp:
    """Start the server's part, and return it once it listens."""
    return Sipp(folder, "uas", files.uas, calls=calls).listening()


def run_uac(folder: Path, files: SippFiles, address: str, *options: str, calls: int = 1) -> Ran:
    """Play the client's part against an address."""
    (folder / "users.csv").write_bytes(files.csv.encode())
    more = ("-inf", "users.csv", *options, address)
    with Sipp(folder, "uac", files.uac, more, calls=calls) as client:
        return client.result()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
        assert isinstance(port, int)
        return port


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until somebody listens on a port, without calling it; fail where the process ends."""
    end = time.monotonic() + PATIENCE
    while not _listens(port):
        assert process.poll() is None, f"{process.args!r} ended with {process.returncode}"
        assert time.monotonic() < end, f"nobody listens on {port}"
        time.sleep(_BETWEEN_LOOKS)


def _listens(port: int) -> bool:
    # A call would be a connection that the scenario does not know of.
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return any(row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port for row in rows)
