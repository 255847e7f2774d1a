"""Live traffic: dumpcap as a child, and bytes that come in their own time.

The one rule: whoever captures never waits for whoever looks. A thread of its own takes the bytes as
they come and writes them down; the analysis follows as fast as it can.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from analyzer.sources.files import SourceError
from analyzer.sources.programs import how_to_install, program
from analyzer.sources.spool import read_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_BEHIND = 64 << 20
"""Bytes that wait for the analysis; then whoever sends them has to wait, and dumpcap drops packets
and says how many."""
AT_ONCE = 1 << 18
"""Bytes of one read, and about so many that the analysis takes at a time."""
PIPE_SIZE = 1 << 20
"""Of the pipe from dumpcap, where the system lets us choose (Linux): what any user may ask for."""
LOOK_EVERY = 0.2
"""Seconds between two looks at the end of a file that another process writes."""
PATIENCE = 5.0
"""Seconds in which dumpcap ends when it is told to."""
MOST_SAID = 1 << 16
"""Bytes of what dumpcap says that are looked at: it says some lines, and a line an interface."""
MAX_WORDS = 600
"""Characters of what dumpcap says that are passed on."""

_DROPPED = re.compile(r"Packets received/dropped on interface '(.*)': (\d{1,18})/(\d{1,18})")
_GUARD = 'trap "" INT; "$@" & p=$!; exec >&-; read -r _; kill -TERM $p 2>/dev/null; wait $p'
"""Ends dumpcap when the pipe that it reads is closed. It stays root where we do not: a process that
gave up its privileges may not send signals to one that has them."""


class Interface(NamedTuple):
    """What can be captured on."""

    name: str
    title: str
    addresses: tuple[str, ...]
    loopback: bool


class Inflow:
    """Takes bytes in a thread of its own; ``take`` gives them to the analysis."""

    def __init__(
        self, read: Callable[[], bytes | None], keep: Callable[[bytes], None] | None = None
    ) -> None:
        """Begin.

        Args:
            read: gives the next bytes; none at the end, and None where there are none yet.
            keep: gets them at once, in that thread.
        """
        self._read, self._keep = read, keep
        self._waiting: deque[bytes] = deque()
        self._behind = 0
        self._changed = threading.Condition()
        self._ended = self._stop = False
        self.problem: str | None = None
        """Why the bytes ended early."""
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        """Begin to take bytes."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more; what came already can still be taken."""
        with self._changed:
            self._stop = True
            self._changed.notify_all()
        self._thread.join(2 * LOOK_EVERY)

    @property
    def behind(self) -> int:
        """Bytes that the analysis has not taken yet."""
        return self._behind

    @property
    def ended(self) -> bool:
        """No more bytes will come, and all were taken."""
        with self._changed:
            return self._ended and not self._waiting

    def take(self, seconds: float) -> bytes:
        """Return the bytes that came, about ``AT_ONCE`` of them; none when time is up."""
        with self._changed:
            if not self._waiting and not self._ended:
                self._changed.wait(seconds)
            parts, size = [], 0
            while self._waiting and size < AT_ONCE:
                parts.append(self._waiting.popleft())
                size += len(parts[-1])
            self._behind -= size
            if size:
                self._changed.notify_all()
        return b"".join(parts)

    def _run(self) -> None:
        try:
            self._take_all()
        except OSError as error:
            self.problem = f"reading failed: {error.strerror}"
        except Exception as error:  # noqa: BLE001  (nobody else would hear of it, and wait for ever)
            self.problem = f"a fault in xccos, please report it ({type(error).__name__}: {error})"
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _take_all(self) -> None:
        while not self._stop:
            data = self._read()
            if data is None:
                continue
            if not data:
                return
            if self._keep is not None:
                self._keep(data)
            self._add(data)

    def _add(self, data: bytes) -> None:
        with self._changed:
            while self._behind >= MAX_BEHIND and not self._stop:
                self._changed.wait()
            self._waiting.append(data)
            self._behind += len(data)
            self._changed.notify_all()


def reader_of(descriptor: int) -> Callable[[], bytes | None]:
    """Return what reads a pipe for an ``Inflow``; it looks up now and then, to be stopped."""
    can_wait = sys.platform != "win32"  # there only sockets can be waited for

    def read() -> bytes | None:
        if can_wait and not select.select([descriptor], [], [], LOOK_EVERY)[0]:
            return None
        return os.read(descriptor, AT_ONCE)

    return read


def follower_of(descriptor: int) -> Callable[[], bytes | None]:
    """Return what reads a file that another process writes: its end is not the end.

    It ends where the file becomes shorter than what was read: it was begun anew.
    """
    pause = threading.Event()
    done = 0

    def read() -> bytes | None:
        nonlocal done
        data = os.read(descriptor, AT_ONCE)
        done += len(data)
        if data:
            return data
        if os.fstat(descriptor).st_size < done:
            return b""
        pause.wait(LOOK_EVERY)
        return None

    return read


class Dumpcap:
    """dumpcap as a child that writes a pcapng into a pipe."""

    def __init__(
        self, interfaces: Sequence[str], capture_filter: str | None, *, promiscuous: bool = True
    ) -> None:
        """Start it. Raises ``SourceError`` where there is none."""
        command = [dumpcap_path(), "-q", "-w", "-"]
        for name in interfaces:
            command += ["-i", name]
            command += ["-f", capture_filter] if capture_filter else []
        command += [] if promiscuous else ["-p"]
        guarded = hasattr(os, "geteuid") and os.geteuid() == 0
        if guarded:
            command = ["/bin/sh", "-c", _GUARD, "xccos", *command]
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  (closed by close)
        try:
            self._process = subprocess.Popen(  # noqa: S603  (no shell but the one above)
                command,
                stdin=subprocess.PIPE if guarded else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._words,
                start_new_session=True,  # Ctrl-C is for us: it is told to end
                env=os.environ | {"LC_ALL": "C"},
            )
        except OSError as error:
            self._words.close()
            raise SourceError(f"dumpcap cannot be run: {error.strerror}") from None
        assert self._process.stdout is not None
        self.descriptor = self._process.stdout.fileno()
        _enlarge(self.descriptor)

    @property
    def capturing(self) -> bool:
        """It has opened its interfaces: what is sent from now on is captured."""
        return "\nFile: -" in self.said()

    @property
    def alive(self) -> bool:
        """It has not ended by itself."""
        return self._process.poll() is None

    def said(self) -> str:
        """Return what it wrote to its standard error."""
        # Not by seeking: the place where it writes next is shared with it.
        return read_at(self._words.fileno(), 0, MOST_SAID).decode("utf-8", "replace")

    def stop(self) -> None:
        """Tell it to end; what it still writes is to be read meanwhile."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        else:
            self._process.terminate()

    def close(self) -> None:
        """Wait for its end, or bring that about, and give everything back."""
        self.stop()
        assert self._process.stdout is not None
        self._process.stdout.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._words.close()

    def dropped(self) -> int | None:
        """Return how many packets it says were dropped; None before its end."""
        found = _DROPPED.findall(self.said())
        return sum(int(count) for _, _, count in found) if found else None

    def killed(self) -> str | None:
        """Return how it ended, after its end, where that was not in its own way."""
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return None  # ``close`` brings its end about
        # Told by a negative number, and by a shell between as 128 and the signal (POSIX 2.8.2).
        number = -code if code < 0 else code - 128 if 128 < code < 192 else 0
        if number == signal.SIGTERM:
            return None  # that is how it is told to end
        if number:
            return f"dumpcap was killed (signal {number}): what came after that is not captured"
        return f"dumpcap ended with code {code}" if code else None

    def complaint(self) -> str:
        """Return what it says went wrong, as one line."""
        said = self.said()
        begin = said.find("dumpcap: ")
        if begin < 0:
            return "dumpcap ended without a word"
        line = " ".join(said[begin:].split("\n\n")[0].split())
        more = re.search(r"\((?:can't parse filter|syntax error)[^\n]*\)", said)
        if more is not None and more[0] not in line:
            line = f"{line} {more[0]}"
        return line[:MAX_WORDS]


def _enlarge(descriptor: int) -> None:
    if sys.platform == "linux":
        import fcntl

        try:
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        except OSError:
            return  # the usual 64 KiB do as well, with less room for pauses


def dumpcap_path() -> str:
    """Return where dumpcap is. Raises ``SourceError`` with how to get it."""
    found = program("dumpcap")
    if found is None:
        raise SourceError(how_to_install("dumpcap"))
    return found


def interfaces() -> list[Interface]:
    """Return what can be captured on. Raises ``SourceError``."""
    command = [dumpcap_path(), "-D", "-M"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(f"dumpcap cannot list interfaces: {error}") from None
    found = [_interface(line) for line in done.stdout.decode("utf-8", "replace").splitlines()]
    return [one for one in found if one is not None]


def _interface(line: str) -> Interface | None:
    """Read ``3. lo<TAB>vendor<TAB>Loopback<TAB>0<TAB>127.0.0.1,::1<TAB>loopback``."""
    name, *more = line.split("\t")
    number, dot, name = name.partition(". ")
    if not dot or not number.isdecimal() or len(more) < 5:
        return None
    addresses = tuple(address for address in more[3].split(",") if address)
    return Interface(name, more[1] or more[0], addresses, more[4] == "loopback")
