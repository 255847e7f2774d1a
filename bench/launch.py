"""Start one program, wait for it, and tell what it took.

A process of its own, because the kernel counts the peak memory of a child (``ru_maxrss``) from no
less than that of the process which starts it: up to the ``exec`` they share their pages. This one
imports next to nothing, and says how large it was itself. The clock runs from the start of the
program to its end, so that what this process costs is not in it.

``python -I -S launch.py FD LIMIT SAMPLED PROGRAM ARGUMENT...`` writes into the descriptor FD:
seconds, wait status, peak of the largest process, peak of this launcher, largest sum over all
processes that was seen (0 when not SAMPLED), most processes at a time. Memory is in KiB. After
LIMIT seconds the program and its children are killed.
"""

from __future__ import annotations

import os
import signal
import sys
from time import perf_counter, sleep

INTERVAL = 0.05  # seconds between two looks at the memory; each stops a large process for 10 ms


def main(answer: int, limit: float, *, sampled: bool, line: list[str]) -> None:
    """Run the program of ``line``, whose first word is a path, and write what it took."""
    own = in_kib("self", b"VmHWM:", "status")
    start = perf_counter()
    # The interpreter ignores SIGPIPE; the program must not inherit that.
    child = os.posix_spawn(line[0], line, os.environ, setpgroup=0, setsigdef=[signal.SIGPIPE])

    def stop(*_: object) -> None:
        os.killpg(child, signal.SIGKILL)

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        together, processes = watch(child) if sampled else (0, 0)
        _, status, usage = os.wait4(child, 0)
        seconds = perf_counter() - start
    except KeyboardInterrupt:
        stop()
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    told = f"{seconds} {status} {usage.ru_maxrss} {own} {together} {processes}"
    os.write(answer, told.encode())


def in_kib(process: str, name: bytes, table: str) -> int:
    """Return a figure from one of the tables that the kernel keeps of a process."""
    # Not from getrusage: that counts from no less than who started the launcher.
    with open(f"/proc/{process}/{table}", "rb") as file:  # noqa: PTH123 - pathlib is large
        return next((int(line.split()[1]) for line in file if line.startswith(name)), 0)


def watch(child: int) -> tuple[int, int]:
    """Return the most memory in KiB and the most processes that were seen until the child ended."""
    together = processes = 0
    # WNOWAIT leaves the child to wait4, which alone tells what it used.
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        memory, number = tree(child)
        together, processes = max(together, memory), max(processes, number)
        sleep(INTERVAL)
    return together, processes


def tree(process: int) -> tuple[int, int]:
    """Return the KiB of a process and all below it, shared pages counted once; and how many."""
    memory, number = 0, 1
    try:
        memory = in_kib(str(process), b"Pss:", "smaps_rollup")
        children_file = f"/proc/{process}/task/{process}/children"
        with open(children_file, "rb") as file:  # noqa: PTH123
            children = file.read().split()
    except OSError:  # it has ended meanwhile, or the kernel does not tell
        return memory, number
    for child in children:
        below, more = tree(int(child))
        memory, number = memory + below, number + more
    return memory, number


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sampled=sys.argv[3] == "1", line=sys.argv[4:])
