"""The connections of a script: between whom, and how they began and ended."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from analyzer.replay.script import SERVER, Connection

if TYPE_CHECKING:
    from collections.abc import Container

    from analyzer.replay.derive.cast import Whose
    from analyzer.replay.derive.recording import Recording

PORTS = 1 << 16
FIRST_PORT = 1024
"""Below are the ports of services."""


class Wire(NamedTuple):
    """A connection while turns are made."""

    id: str
    number: int
    """Of the capture."""
    opener: str
    responder: str
    opener_address: str
    responder_address: str
    live: bool


class Wires:
    """The connections of a recording, each with its parties."""

    def __init__(self, recording: Recording, whose: Whose) -> None:
        self._recording = recording
        self._streams = recording.trace.streams
        self._of: dict[tuple[int, str | None], Wire] = {}
        self._made = 0
        self._shared: Counter[int] = Counter()
        """Clients of a connection so far."""
        self.hosts: dict[str, str] = {}
        """Address of each host behind the server, by party."""
        self._ips: dict[str, str] = {}
        stream = recording.trace.rows.stream
        for row in recording.rows:
            if row not in whose.hop:
                key = (stream[row] >> 1, whose.client[row])
                if key not in self._of:
                    own = whose.from_client[row] == self._streams[stream[row]].from_opener
                    self._of[key] = self._clients(key[0], whose.client[row], opener=own)
                self._of.setdefault((key[0], None), self._of[key])
        for row in recording.rows:
            number = stream[row] >> 1
            if (number, None) not in self._of:
                self._of[number, None] = self._between_hosts(number)

    def of(self, row: int, client: str) -> Wire:
        """Return the connection of a message of a client's conversation."""
        number = self._recording.trace.rows.stream[row] >> 1
        return self._of.get((number, client)) or self._of[number, None]

    def by_opener(self, row: int) -> bool:
        """Say whether the side that opened the connection sent a message."""
        return self._streams[self._recording.trace.rows.stream[row]].from_opener

    def all(self) -> list[Wire]:
        """Return the connections in the order of their first message."""
        return list({wire.id: wire for wire in self._of.values()}.values())

    @property
    def invented(self) -> int:
        """How many connections are there because several clients were on one."""
        return sum(count - 1 for count in self._shared.values())

    def hosts_of(self, parties: Container[str]) -> set[str]:
        """Return the IP addresses of some parties."""
        ends = (
            end
            for wire in self.all()
            for end in (
                (wire.opener, wire.opener_address),
                (wire.responder, wire.responder_address),
            )
        )
        return {address.rpartition(":")[0] for party, address in ends if party in parties}

    def connections(self) -> tuple[Connection, ...]:
        """Return the connections as a script has them, by number."""
        return tuple(
            self._connection(wire) for wire in sorted(self.all(), key=lambda one: int(one.id[1:]))
        )

    def _next(self) -> str:
        self._made += 1
        return f"c{self._made}"

    def _clients(self, number: int, client: str, *, opener: bool) -> Wire:
        """Return a client's connection; where a proxy carries several clients, each has one."""
        stream = self._streams[2 * number]
        ends = (client, SERVER) if opener else (SERVER, client)
        addresses = [stream.src, stream.dst]
        shared = self._shared[number]
        self._shared[number] += 1
        if shared:
            # Two connections of a capture must differ: another port stands for the other client.
            at = 0 if opener else 1
            host, _, port = addresses[at].rpartition(":")
            moved = FIRST_PORT + (int(port) - FIRST_PORT + shared) % (PORTS - FIRST_PORT)
            addresses[at] = f"{host}:{moved}"
        return Wire(self._next(), number, *ends, addresses[0], addresses[1], live=True)

    def _between_hosts(self, number: int) -> Wire:
        stream = self._streams[2 * number]
        hosts = [stream.src.rpartition(":")[0], stream.dst.rpartition(":")[0]]
        if hosts[0] == hosts[1]:
            hosts[1] = stream.dst  # two processes on one machine
        ends = [self._host(host) for host in hosts]
        return Wire(self._next(), number, ends[0], ends[1], stream.src, stream.dst, live=False)

    def _host(self, address: str) -> str:
        party = self._ips.get(address)
        if party is None:
            party = self._ips[address] = f"host{len(self._ips) + 1}"
            self.hosts[party] = address
        return party

    def _connection(self, wire: Wire) -> Connection:
        row = self._recording.trace.connections[wire.number]
        stream = self._streams[2 * wire.number]
        ms = self._recording.milliseconds
        by, how = _ending(row.ends)
        parties = {"opener": wire.opener, "responder": wire.responder}
        return Connection(
            id=wire.id,
            opener=wire.opener,
            responder=wire.responder,
            opener_address=wire.opener_address,
            responder_address=wire.responder_address,
            transport=_transport(stream.transport),
            live=wire.live,
            opened_ms=ms(row.first_time) if row.syn_seen else None,
            closed_ms=None if by is None else ms(row.last_time),
            closed_by=None if by is None else parties[by],
            closed_how=how,
        )


def _transport(text: str) -> Literal["tcp", "tls", "udp"]:
    return "udp" if text == "udp" else "tls" if text == "tls" else "tcp"


def _ending(
    ends: tuple[str, str],
) -> tuple[Literal["opener", "responder"] | None, Literal["fin", "rst"]]:
    """Return which side ended a connection first, as far as that is known, and how.

    A FIN stands before the RST that answers data sent in spite of it. Of two that both said FIN
    the opener is taken: clients leave, servers stay.
    """
    hows: tuple[Literal["fin", "rst"], ...] = ("fin", "rst")
    for how in hows:
        if how in ends:
            return ("opener" if ends[0] == how else "responder"), how
    return None, "fin"
