"""A play as a client: the connections that it asks for are opened to one target."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from analyzer.replay.transport.carrier import Carrier
from analyzer.replay.transport.complaints import noting, problem
from analyzer.replay.transport.connection import Link
from analyzer.replay.transport.errors import TransportError
from analyzer.replay.transport.run import Run
from analyzer.replay.transport.tls import TlsSession, TlsSettings, client_context

if TYPE_CHECKING:
    import ssl

    from analyzer.replay.actions import Address, Play
    from analyzer.replay.results import Outcome

CONNECT_SECONDS = 10.0
"""Three SYNs (RFC 6298: after 1 and 3 s); who does not answer these is not there."""


async def run_client(
    play: Play,
    target: Address,
    *,
    tls: TlsSettings | None = None,
    source: Address | None = None,
    run: Run | None = None,
) -> Outcome:
    """Play against a target; ``source`` is where connections come from (port 0: any).

    Raises TransportError for TLS settings that cannot be used. Everything that the peer or the
    network does is told to the play and noted in its outcome.
    """
    carrier = Carrier(play, run or Run(), Dialler(target, tls, source))
    with noting(carrier.note):
        await carry(carrier)
    return carrier.outcome()


async def carry(carrier: Carrier) -> None:
    """Play to the end and leave nothing open."""
    try:
        await carrier.play()
    finally:
        await carrier.close()


class Dialler:
    """Opens connections to one target."""

    def __init__(
        self, target: Address, tls: TlsSettings | None = None, source: Address | None = None
    ) -> None:
        """Raise TransportError for TLS settings that cannot be used."""
        self._target, self._source = target, source
        self._context: ssl.SSLContext | None = None
        self._name = target.host
        if tls is not None:
            self._context = client_context(tls)
            self._name = tls.server_name or target.host
            self._session()

    def _session(self) -> TlsSession | None:
        if self._context is None:
            return None
        try:
            return TlsSession(self._context, server_side=False, server_name=self._name)
        except ValueError as error:
            raise TransportError(f"no name of a server: {self._name!r}") from error

    def link(self, carrier: Carrier, number: int) -> Link:
        """Return a connection that is not open yet."""
        return Link(carrier, number, self._session(), outgoing=True)

    async def connect(self, carrier: Carrier, link: Link) -> None:
        """Open it; what goes wrong is told to the play."""
        target = self._target
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await carrier.loop.create_connection(lambda: link, *target, local_addr=self._source)
        except TimeoutError:
            carrier.ended(link, "timeout", f"{target}: no answer within {CONNECT_SECONDS:g} s")
        except OSError as error:
            carrier.ended(link, "refused", f"{target}: {problem(error)}")
