"""A play as a server: connections that peers open are its connections, numbered from 1."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

from analyzer.replay.actions import Address
from analyzer.replay.transport.carrier import Carrier
from analyzer.replay.transport.complaints import noting, problem
from analyzer.replay.transport.connection import Link
from analyzer.replay.transport.descriptors import allow_files
from analyzer.replay.transport.errors import TransportError
from analyzer.replay.transport.run import Run
from analyzer.replay.transport.tls import TlsSession, TlsSettings, server_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from analyzer.replay.actions import Play
    from analyzer.replay.results import Outcome

MAX_CONNECTIONS = 2000
"""At the same time, twice as many as clients are played by default; further ones are broken."""
BACKLOG = 1024
"""Connections that the system holds until they are accepted: 500 clients may come at once."""


async def run_server(
    play: Play,
    listen: Address,
    *,
    ready: Callable[[Address], None] | None = None,
    tls: TlsSettings | None = None,
    run: Run | None = None,
    max_connections: int = MAX_CONNECTIONS,
) -> Outcome:
    """Play for whoever connects, until the play ends, the limit, or somebody asks to stop.

    ``ready`` is told the address when connections are accepted (port 0 in ``listen``: a free one).
    Raises TransportError when it cannot listen.
    """
    context = None if tls is None else server_context(tls)
    carrier = Carrier(play, run or Run())
    door = _Door(carrier, context, max_connections)
    allow_files(max_connections)
    try:
        server = await carrier.loop.create_server(
            door.enter, listen.host, listen.port, backlog=BACKLOG, reuse_address=True
        )
    except OSError as error:
        raise TransportError(f"cannot listen on {listen}: {problem(error)}") from error
    with noting(carrier.note):
        try:
            if ready is not None:
                ready(Address(*server.sockets[0].getsockname()[:2]))
            await carrier.play()
        finally:
            server.close()
            await carrier.close()
            await server.wait_closed()
    return carrier.outcome()


class _Door:
    """Lets peers in."""

    def __init__(
        self, carrier: Carrier, context: ssl.SSLContext | None, max_connections: int
    ) -> None:
        self._carrier = carrier
        self._context = context
        self._max = max_connections
        self._numbers = count(1)

    def enter(self) -> asyncio.Protocol:
        """Return who speaks on a new connection."""
        if len(self._carrier.links) >= self._max:
            self._carrier.note(f"more than {self._max} connections at once: one was broken")
            return _Closed()
        session = None if self._context is None else TlsSession(self._context, server_side=True)
        link = Link(self._carrier, next(self._numbers), session, outgoing=False)
        self._carrier.links[link.number] = link
        return link


class _Closed(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """End it."""
        assert isinstance(transport, asyncio.Transport)
        transport.abort()
