"""What the system still holds of a connection that broke while we wrote.

Who says goodbye and closes without reading our answers breaks the connection with RST; the loop
then closes the socket because a write failed, with the goodbye unread in it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Iterator

PIECE, MOST = 1 << 16, 4 << 20
"""Bytes of one read, and of all."""


def unread(transport: asyncio.Transport) -> Iterator[bytes]:
    """Yield what was received and not read, before the loop closes the socket."""
    raw: socket.socket = transport.get_extra_info("socket")
    for _ in range(MOST // PIECE):
        try:
            data = os.read(raw.fileno(), PIECE)
        except OSError:
            return
        if not data:
            return
        yield data
