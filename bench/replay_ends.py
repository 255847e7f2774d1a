"""The two ends of the replay contest as processes: our own command, and SIPp.

The clock runs from the start of the client's process to its end; the server is up before. Memory is
the peak of each process (``VmHWM``), read while it runs.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal

    from bench.replay_case import Case

XCCOS = [sys.executable, "-m", "analyzer.cli.main"]
RATE = 5000
"""Clients started a second: more than either can do, so that all are under way at once."""
LIMIT = 120
LOOK = 0.005
_LISTENING = "0A"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process took."""

    seconds: float
    cpu: float
    """Seconds of processor time."""
    peak_kib: int
    code: int


class End:
    """A process that is watched."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._begun = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        )
        self._peak = 0

    def wait(self) -> Spent:
        """Watch it until it ends."""
        while True:
            self._look()
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(LOOK)
        seconds = time.perf_counter() - self._begun
        self.process.returncode = code = os.waitstatus_to_exitcode(status)
        return Spent(seconds, usage.ru_utime + usage.ru_stime, self._peak, code)

    def stop(self, by: signal.Signals) -> Spent:
        """End it, where it does not end by itself."""
        self._look()
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, by)
        return self.wait()

    def _look(self) -> None:
        with suppress(OSError):
            for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self._peak = max(self._peak, int(line.split()[1]))


class Ours:
    """``xccos replay``."""

    name = "xccos"

    @staticmethod
    def server(case: Case, port: int) -> End:
        """Start the server."""
        line = [*XCCOS, "replay", "server", str(case.script), "--listen", f"127.0.0.1:{port}"]
        return End([*line, "--for", f"{LIMIT}s", "-q"], case.folder)

    @staticmethod
    def client(case: Case, port: int, clients: int) -> End:
        """Start the clients."""
        line = [*XCCOS, "replay", "client", str(case.script), "--target", f"127.0.0.1:{port}"]
        load = ["--clients", str(clients), "--rate", f"{RATE}/s", "--no-limits"]
        told = ["--users", str(case.users), "--json", "client.json", "-q"]
        return End([*line, *load, *told], case.folder)

    @staticmethod
    def latencies(case: Case) -> dict[str, tuple[float, float, float]]:
        """Return the 50th, 95th and 99th percentile in milliseconds by request."""
        (end,) = json.loads((case.folder / "client.json").read_text())["ends"]
        return {
            one["what"].split()[0]: (one["p50_ms"], one["p95_ms"], one["p99_ms"])
            for one in end["latencies"]
            if not one["what"].startswith("cmd:")
        }


class Sipp:
    """SIPp with the exported scenarios."""

    name = "SIPp"

    @staticmethod
    def server(case: Case, port: int) -> End:
        """Start the server; a REGISTER of another client is a call of its own."""
        line = [*_sipp(case.uas, "t1"), "-p", str(port), "-deadcall_wait", "0"]
        return End(line, case.folder)

    @staticmethod
    def client(case: Case, port: int, clients: int) -> End:
        """Start the clients, each with a connection of its own."""
        load = ["-m", str(clients), "-l", str(clients), "-r", str(RATE), "-max_socket", "5000"]
        told = ["-trace_rtt", "-rtt_freq", "1", "-p", str(free_port())]
        # One connection for each call, as each of our clients has one.
        line = [*_sipp(case.uac, "tn"), "-inf", str(case.sipp_users), *load, *told]
        for old in case.folder.glob("uac_*_rtt.csv"):
            old.unlink()
        return End([*line, f"127.0.0.1:{port}"], case.folder)

    @staticmethod
    def latencies(case: Case) -> dict[str, tuple[float, float, float]]:
        """Return the 50th, 95th and 99th percentile in milliseconds by request."""
        found: dict[str, list[float]] = {}
        for file in case.folder.glob("uac_*_rtt.csv"):
            for line in file.read_text().splitlines()[1:]:
                _, milliseconds, name = line.split(";")[:3]
                found.setdefault(name, []).append(float(milliseconds))
        return {name: percentiles(values) for name, values in found.items()}


def _sipp(scenario: Path, transport: str) -> list[str]:
    program = shutil.which("sipp") or "sipp"
    ends = [
        "-t",
        transport,
        "-i",
        "127.0.0.1",
        "-nostdin",
        "-timeout",
        str(LIMIT),
        "-timeout_error",
    ]
    return [program, "-sf", str(scenario), *ends]


def percentiles(values: list[float]) -> tuple[float, float, float]:
    """Return the 50th, 95th and 99th percentile (nearest rank)."""
    ordered = sorted(values)
    last = len(ordered) - 1
    p50, p95, p99 = (ordered[min(last, int(len(ordered) * p))] for p in (0.5, 0.95, 0.99))
    return p50, p95, p99


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
        assert isinstance(port, int)
        return port


def wait_for_port(port: int, end: End) -> None:
    """Wait until a server listens, without calling it: SIPp would take that for a client."""
    for _ in range(int(LIMIT / LOOK)):
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            local, state = line.split()[1], line.split()[3]
            if state == _LISTENING and int(local.rpartition(":")[2], 16) == port:
                return
        if os.waitid(os.P_PID, end.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            break
        time.sleep(LOOK)
    raise RuntimeError(f"the server did not start: {end.process.args!r}")
