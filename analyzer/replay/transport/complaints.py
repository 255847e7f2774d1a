"""What asyncio complains of instead of raising: a peer that broke a connection in the wrong moment.

The rule: what the system refuses is a note of the run; anything else is a mistake of ours and is
shown as asyncio shows it.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def problem(error: OSError) -> str:
    """Return in a few words what the system says."""
    text = error.strerror or str(error)
    if error.errno is not None and not isinstance(error, socket.gaierror):
        text = os.strerror(error.errno)  # asyncio's own text repeats the address
    return text[:1].lower() + text[1:]


@contextmanager
def noting(note: Callable[[str], None]) -> Iterator[None]:
    """Note complaints of the running loop while the block lasts."""
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()

    def complain(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, OSError):
            note(f"{context.get('message', 'a connection')}: {problem(error)}")
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(complain)
    try:
        yield
    finally:
        loop.set_exception_handler(before)
