"""The real client: a driver of the SIPE plug-in, built once, run as often as wanted and at once.

Its programme lies in the corpus (``realclient``) and is copied before it is built. It needs the
Debian packages in ``PACKAGES``; without them the tests fail: whether an independent client gets
along with us cannot be left untested.

``python -m tests.support.realclient`` exits with 1 where it cannot be built.
"""

from __future__ import annotations

import atexit
import shutil
import subprocess
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Self

from tests.paths import SHARED

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGES = ("libpurple-dev", "pidgin-sipe", "pkg-config", "gcc", "make", "libc6-dev")
ROOM = "ma-chan://contoso.com/be1f1c53-1f5c-4a9c-9c0e-5c8b1f3d2a11"
"""The room of the recorded sessions."""
BUILD_SECONDS = 120.0
GRACE_SECONDS = 15.0
"""What starting, signing off and a busy machine may take beyond the steps of a script."""

Level = Literal["online", "gc", "rooms", "join", "post"]
Transport = Literal["tcp", "tls"]


class CannotBuildError(Exception):
    """There is no compiler, library or plug-in; the text says what to install."""


class ClientRun(NamedTuple):
    """How a client fared."""

    code: int
    """0: it did all that it was told to."""
    lines: tuple[str, ...]
    """What it told, one event a line: ``text room="Sales EMEA" from=... text="..."``."""
    log: str
    """What the plug-in wrote for its programmers: every message, and why it refused one."""

    def told(self, event: str) -> tuple[str, ...]:
        """Return the events that begin with these words."""
        return tuple(line for line in self.lines if line.startswith(event))

    def explain(self) -> str:
        """Return what a failed test should show."""
        return "\n".join([f"exit code {self.code}", *self.lines[-25:], self.log[-3000:]])


@cache
def program() -> Path:
    """Return the built driver.

    Raises:
        CannotBuildError: A package is missing, or the build fails.
    """
    folder = Path(tempfile.mkdtemp(prefix="realclient-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in ("Makefile", "purpleclient.c"):
        shutil.copyfile(SHARED / "realclient" / name, folder / name)
    wanted = f"install with: apt-get install {' '.join(PACKAGES)}"
    try:
        made = subprocess.run(
            ["make", "purpleclient"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
    except OSError as error:
        raise CannotBuildError(f"{error}; {wanted}") from error
    built = folder / "purpleclient"
    if made.returncode or not built.is_file():
        raise CannotBuildError(f"{made.stderr[-800:]}\n{wanted}")
    return built


def actions(level: Level, room: str = ROOM, text: str = "Hello from a real client") -> list[str]:
    """Return the steps that lead to a level; ``post`` waits for the echo of its own text."""
    post = ["online", "gc", "list", "join", room, "say", text, "expect", text]
    return post[: {"online": 1, "gc": 2, "rooms": 3, "join": 5, "post": 9}[level]]


class RealClient:
    """A client that is running, in a process and a folder of its own.

    ``wait`` for its end; leaving the ``with`` block ends it where nobody did.
    """

    def __init__(
        self,
        address: str,
        steps: Sequence[str],
        *,
        user: str = "user1@contoso.com",
        transport: Transport = "tcp",
        **options: str,
    ) -> None:
        """Start a client.

        Args:
            address: ``HOST:PORT`` of the server.
            steps: What it does (``actions``); it signs off by itself afterwards.
            user: Its address of record; it signs in as ``CONTOSO`` and the user's name.
            transport: ``tls`` trusts the certificate in the option ``cert`` (a PEM file).
            options: ``password``, ``seed``, ``timeout`` (seconds for each step), ``cert``.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="realclient-user-"))
        atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        host = address.rpartition(":")[0]
        if "cert" in options:
            trusted = self._folder / "certificates" / "x509" / "tls_peers"
            trusted.mkdir(parents=True)
            shutil.copyfile(options["cert"], trusted / host)
        name, _, domain = user.partition("@")
        login = f"{domain.partition('.')[0].upper()}\\{name}"
        timeout = options.get("timeout", "10")
        seed = ["--seed", options["seed"]] if "seed" in options else []
        self._limit = float(timeout) * len(steps) + GRACE_SECONDS
        self._debug = self._folder / "debug"
        command = [str(program()), "--name", name, "--user", f"{user},{login}"]
        command += ["--password", options.get("password", "secret"), "--dir", str(self._folder)]
        command += ["--server", address, "--transport", transport, "--debug", str(self._debug)]
        command += ["--timeout", timeout, *seed, "--", *steps, "sleep", "0.2", "off"]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace"
        )
        self._told: list[str] = []
        self._ended = False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._reader.join()

    def until(self, event: str) -> bool:
        """Wait until it tells an event; False when it ends without."""
        with self._news:
            self._news.wait_for(
                lambda: self._ended or any(line.startswith(event) for line in self._told),
                self._limit,
            )
            return any(line.startswith(event) for line in self._told)

    def sign_off(self) -> None:
        """End the step ``hang``: it signs off."""
        self._process.terminate()

    def wait(self) -> ClientRun:
        """Wait for its end; a client that hangs is ended."""
        try:
            self._process.wait(self._limit)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        log = self._debug.read_text(errors="replace") if self._debug.is_file() else ""
        shutil.rmtree(self._folder, ignore_errors=True)
        return ClientRun(self._process.returncode, tuple(self._told), log)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                parts = line.rstrip("\n").split(" ", 3)  # EVT TIME WHO EVENT ...
                if len(parts) == 4 and parts[0] == "EVT":
                    with self._news:
                        self._told.append(parts[3])
                        self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


def run_client(
    address: str,
    *,
    level: Level = "post",
    room: str = ROOM,
    text: str = "Hello from a real client",
    transport: Transport = "tcp",
    **options: str,
) -> ClientRun:
    """Run one client up to a level, and off again (see ``RealClient`` for the options)."""
    steps = actions(level, room, text)
    with RealClient(address, steps, transport=transport, **options) as client:
        return client.wait()


def main() -> int:
    """Say whether it can be built."""
    try:
        print(program())  # noqa: T201
    except (CannotBuildError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
