"""Many values worked out in shares: each further processor takes some of them, in a forked child.

The one rule: what comes out is what one process alone gives, in its order. A child sends plain
values back; whatever a child fails to send is worked out here.
"""

from __future__ import annotations

import gc
import marshal
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")
Plain = tuple[str | int | None, ...]
"""What a child can send: ``marshal`` writes it, a tenth as long as it takes to work out."""

MIN_SHARE = 500
"""Values that a child is worth: starting it and sending them takes as long as fifty."""


class _Child(NamedTuple):
    pid: int
    end: int
    """Where its values can be read."""
    share: slice


def worked_out(values: Sequence[T], of: Callable[[T], Plain], jobs: int) -> list[Plain]:
    """Return ``of`` of every value, worked out by up to ``jobs`` processes.

    Values must not depend on one another, and ``of`` must change nothing that is looked at later,
    but for what can be worked out again.
    """
    jobs = min(jobs, len(values) // MIN_SHARE)
    if jobs < 2 or not _may_fork():
        return list(map(of, values))
    bounds = [len(values) * part // jobs for part in range(jobs + 1)]
    children: list[_Child] = []
    try:
        for share in map(slice, bounds[1:-1], bounds[2:]):
            child = _forked(values, of, share)
            if child is None:
                break
            children.append(child)
        begun = children[0].share.start if children else len(values)
        found = list(map(of, values[:begun]))
        for child in children:
            found += _received(child) or map(of, values[child.share])
        found += map(of, values[len(found) :])
    finally:
        for child in children:
            _ended(child)
    return found


def _may_fork() -> bool:
    """Tell whether this process has no threads: a fork would leave their locks as they are."""
    threading = sys.modules.get("threading")
    return hasattr(os, "fork") and (threading is None or threading.active_count() == 1)


def _forked(values: Sequence[T], of: Callable[[T], Plain], share: slice) -> _Child | None:
    """Start a child on a share; None where the system has no room for one."""
    near, far = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(near)
        os.close(far)
        return None
    if pid:
        os.close(far)
        return _Child(pid, near, share)
    try:
        gc.disable()  # looking through what was inherited would copy it
        with os.fdopen(far, "wb") as pipe:
            marshal.dump([of(value) for value in values[share]], pipe)
    finally:  # never back into the caller's code: its output, its temporary files are not ours
        os._exit(0)


def _received(child: _Child) -> list[Plain]:
    """Return what a child sent; nothing where that is not all of it."""
    with (
        os.fdopen(child.end, "rb", closefd=False) as pipe,
        suppress(EOFError, ValueError, TypeError),
    ):
        found: list[Plain] = marshal.load(pipe)  # noqa: S302  (our own process wrote it)
        if len(found) == child.share.stop - child.share.start:
            return found
    return []


def _ended(child: _Child) -> None:
    os.close(child.end)
    with suppress(OSError):
        os.kill(child.pid, signal.SIGKILL)
    with suppress(OSError):
        os.waitpid(child.pid, 0)
