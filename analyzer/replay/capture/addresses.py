"""Who has which address in the capture that is written, and what the messages say of it.

The rule: an address is the same in the packets and in the slots of messages. Between hosts that
share one (loopback) the port tells them apart, else the party that says it.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from analyzer.replay.actions import Address
from analyzer.replay.capture.options import CaptureError, ScriptFaultError
from analyzer.replay.slot_values import host_and_port, is_ip

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analyzer.replay.script import Connection, Script, Slot

Ends = tuple[Address, Address]
"""Of a connection: opener and responder."""

LISTED = 20
"""Addresses that an error lists."""
EMBEDDED = frozenset({"contact", "uri", "host", "address"})
"""Kinds of slots that may have an address within a longer value."""
_IPV4 = r"(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\d)"
_IPV6 = r"\[[0-9A-Fa-f:.]{2,45}\]"
_WRITTEN = re.compile(rf"({_IPV4}|{_IPV6})(?::(\d{{1,5}})(?!\d))?")


def read_address(text: str, port: int | None = None) -> Address:
    """Read ``ip:port`` (``port``: also ``ip``, which then has this one).

    Raises:
        CaptureError: It is none.
    """
    parts = host_and_port(text)
    if port is not None and is_ip(text):
        parts = (text.strip("[]"), port)
    if parts is None:
        raise CaptureError(f"{text[:80]!r} is not an address such as 192.0.2.1:5060")
    try:
        return Address(str(ipaddress.ip_address(parts[0])), parts[1])
    except ValueError:
        raise CaptureError(f"{text[:80]!r} is not an IP address with a port") from None


class Addresses:
    """The addresses of a script, as recorded and as they are written."""

    def __init__(self, script: Script, wanted: Mapping[str, str]) -> None:
        """Raise ``CaptureError`` for what is no address, or stands for nothing in the script."""
        self._wanted = dict(wanted)
        self._used: set[str] = set()
        self._parties = {party.id for party in script.parties}
        self._full: dict[Address, set[Address]] = {}
        self._hosts: dict[str, set[str]] = {}
        self._ports: dict[tuple[str, str], set[int]] = {}
        self._own: dict[tuple[str, str], set[str]] = {}
        self._ends = {one.id: self._both(one) for one in script.connections}
        self._asides = tuple(
            (
                self._beside(read_address(one.opener_address)),
                self._beside(read_address(one.responder_address)),
            )
            for one in script.asides
        )
        unused = [text for text in self._wanted if text not in self._used]
        if unused:
            known = self._known(map(str, self._full))
            raise CaptureError(f"the script has no {unused[0][:80]!r} to move; there are: {known}")

    def _known(self, addresses: Iterable[str]) -> str:
        return ", ".join([*sorted(self._parties), *sorted(addresses)[:LISTED]])

    def ends(self, connection: Connection) -> Ends:
        """Return the addresses of a connection as they are written."""
        return self._ends[connection.id]

    def aside(self, position: int) -> Ends:
        """Return the addresses of an aside as they are written."""
        return self._asides[position]

    def macs(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """Return Ethernet addresses by IP address, of those wanted by it or by a party's id.

        Raises:
            CaptureError: One stands for nothing that is written.
        """
        written = {host for hosts in self._hosts.values() for host in hosts}
        found: dict[str, str] = {}
        for text, mac in wanted.items():
            plain = _plain(text.strip("[]"))
            if plain in written:
                found[plain] = mac
                continue
            own = [hosts for (party, _), hosts in self._own.items() if party == text]
            if not own:
                known = self._known(written)
                raise CaptureError(
                    f"the capture has no {text[:80]!r} with an Ethernet address; there are: {known}"
                )
            for host in set().union(*own):
                found.setdefault(host, mac)  # what is said of an address itself comes first
        return found

    @property
    def moved(self) -> tuple[str, ...]:
        """The recorded IP addresses that occur no more."""
        written = {host for hosts in self._hosts.values() for host in hosts}
        return tuple(host for host in self._hosts if host not in written)

    def said(self, slot: Slot) -> str:
        """Return what a slot with an address in it says in the capture."""
        if not self._wanted:
            return slot.value
        if slot.kind == "port":
            ports = self._ports.get((slot.said_by or "", slot.value), set())
            return str(*ports) if len(ports) == 1 else slot.value
        if slot.kind == "host" and is_ip(slot.value):
            return self._host(slot.value, slot.said_by)
        if slot.kind not in EMBEDDED:
            return slot.value
        return _WRITTEN.sub(lambda match: self._moved(match, slot.said_by), slot.value)

    def _moved(self, match: re.Match[str], party: str | None) -> str:
        host, port = match[1].strip("[]"), match[2]
        if port is not None and int(port) < 1 << 16:
            full = self._full.get(Address(_plain(host), int(port)), set())
            if len(full) == 1:
                return str(*full)
        new = self._host(host, party)
        text = f"[{new}]" if ":" in new else new
        return text if port is None else f"{text}:{port}"

    def _host(self, host: str, party: str | None) -> str:
        """Return where a host was put: the party's own, else the one that all agree upon."""
        plain = _plain(host)
        for hosts in (self._own.get((party or "", plain)), self._hosts.get(plain)):
            if hosts is not None and len(hosts) == 1 and hosts != {plain}:
                return str(*hosts)
        return host

    def _place(self, party: str, recorded: Address) -> Address:
        placed = self._wish(party, recorded) or recorded
        self._full.setdefault(recorded, set()).add(placed)
        self._hosts.setdefault(recorded.host, set()).add(placed.host)
        self._ports.setdefault((party, str(recorded.port)), set()).add(placed.port)
        self._own.setdefault((party, recorded.host), set()).add(placed.host)
        return placed

    def _beside(self, recorded: Address) -> Address:
        """Return where the end of an aside is: with its host, where connections name that."""
        wish = self._wish(None, recorded)
        placed = wish or Address(self._host(recorded.host, None), recorded.port)
        self._hosts.setdefault(recorded.host, set()).add(placed.host)
        return placed

    def _wish(self, party: str | None, recorded: Address) -> Address | None:
        keys = (party, str(recorded), recorded.host, f"[{recorded.host}]")
        fitting = [key for key in keys if key is not None and key in self._wanted]
        self._used.update(fitting)
        return read_address(self._wanted[fitting[0]], recorded.port) if fitting else None

    def _both(self, connection: Connection) -> Ends:
        opener = read_address(connection.opener_address)
        responder = read_address(connection.responder_address)
        ends = (
            self._place(connection.opener, opener),
            self._place(connection.responder, responder),
        )
        if len({":" in end.host for end in ends}) > 1:
            kind = CaptureError if self._wanted else ScriptFaultError
            raise kind(
                f"{connection.id}: {connection.opener} at {ends[0]} and {connection.responder} at "
                f"{ends[1]} have addresses of different IP versions"
            )
        return ends


def _plain(host: str) -> str:
    """Return an IP address as ``read_address`` writes it; other text as it is."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host
