"""Running a command of the user's, with a bound on its time.

The rule: the command is a list of words and never passes a shell; whatever it started ends with it.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_SECONDS = 600.0
"""Of one run: a play that takes longer is no case that anybody shrinks."""


class CommandError(ValueError):
    """The command cannot be started; the text is one line."""


def run_command(words: Sequence[str], *, seconds: float = MAX_SECONDS) -> int | None:
    """Run a command without input and output; return its exit status, None where time ran out.

    The status of a command that a signal ended is negative.

    Raises:
        CommandError: there is no such program, or it may not be run.
    """
    try:
        process = subprocess.Popen(  # noqa: S603  (the user's own command, without a shell)
            list(words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # so that it can be ended with all that it started
        )
    except (OSError, ValueError, IndexError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CommandError(f"{' '.join(words)[:200]!r} cannot be run: {reason}") from None
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
