"""Names to addresses, by the resolver of the system."""

from __future__ import annotations

import socket

MAX_ADDRESSES = 16
"""Of one name; only the first is connected to."""


def addresses_of(name: str) -> list[str]:
    """Return the addresses of a name in the order that the system prefers; raise OSError."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))[:MAX_ADDRESSES]
