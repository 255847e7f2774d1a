"""IP addresses and ports of the parties, wherever a message names them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.replay.script import SERVER, Slot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.replay.derive.book import Book
    from analyzer.replay.derive.marks import Marks
    from analyzer.replay.derive.said import Said
    from analyzer.replay.derive.wires import Wire
    from analyzer.replay.script import SlotKind

_IP = re.compile(
    r"(?<![\w.-])(?:(\d{1,3}(?:\.\d{1,3}){3})|\[([0-9A-Fa-f:.]{2,45})\])(?::(\d{1,5}))?(?![\w.-]|:\d)",
    re.ASCII,
)
_BARE_IP6 = re.compile(
    r"(?<![\w:.\[])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:.\]])", re.ASCII
)


class Addresses:
    """Marks the addresses of a recording's connections."""

    def __init__(self, book: Book, wires: Iterable[Wire]) -> None:
        self._book = book
        self._ends: dict[tuple[str, str], tuple[str, str]] = {}
        """Connection and party to party of the slots, and address."""
        self._any: dict[str, tuple[str, str]] = {}
        self._hosts: dict[str, tuple[str, str]] = {}
        for wire in wires:
            for party, address in (
                (wire.opener, wire.opener_address),
                (wire.responder, wire.responder_address),
            ):
                self._ends[wire.id, party] = (party, address)
                self._any.setdefault(address, (party, address))
                self._hosts.setdefault(_host(address), (party, address))

    def mark(self, marks: Marks, one: Said, where: str) -> None:
        """Mark the addresses of a text."""
        for match in _IP.finditer(marks.text):
            host = match[1] or match[2]
            address = f"{match[0].partition(']')[0]}]" if match[2] else host
            if match[3] and self._is_known(f"{address}:{match[3]}", one):
                end = self._whose(f"{address}:{match[3]}", one)
                marks.claim(*match.span(), self._slot("address", end, where))
                continue
            group = 1 if match[1] else 2
            marks.claim(*match.span(group), self._slot("host", self._of_host(host, one), where))
        if marks.text.count(":") > 1:
            for match in _BARE_IP6.finditer(marks.text):
                name = self._slot("host", self._of_host(match[0], one), where)
                marks.claim(*match.span(), name)

    def mark_port(
        self, marks: Marks, span: tuple[int, int], one: Said, where: str, *, own: bool = False
    ) -> None:
        """Mark a number that is the port of one of the two parties, or the speaker's own."""
        for party in (one.by,) if own else (one.client, SERVER):
            end = self._ends.get((one.voice.connection, party))
            if end is not None and end[1].rpartition(":")[2] == marks.text[slice(*span)]:
                marks.claim(*span, self._slot("port", end, where))
                return

    def _near(self, one: Said) -> Iterable[tuple[str, str]]:
        """Yield the ends of a message's own connection, its speaker first."""
        for party in (one.voice.speaker, one.voice.listener):
            end = self._ends.get((one.voice.connection, party))
            if end is not None:
                yield end

    def _is_known(self, address: str, one: Said) -> bool:
        return address in self._any or any(end[1] == address for end in self._near(one))

    def _whose(self, address: str, one: Said) -> tuple[str, str]:
        return next(
            (end for end in self._near(one) if end[1] == address), self._any.get(address, ("", ""))
        )

    def _of_host(self, host: str, one: Said) -> tuple[str, str] | None:
        return next(
            (end for end in self._near(one) if _host(end[1]) == host), self._hosts.get(host)
        )

    def _slot(self, kind: SlotKind, end: tuple[str, str] | None, where: str) -> str | None:
        if end is None:
            return None
        party, address = end
        port = address.rpartition(":")[2]
        value = {"address": address, "host": _host(address), "port": port}[kind]
        owner = party if not party.startswith("host") else SERVER
        slot = Slot("", kind, value, owner, None, where)
        return self._book.said((kind, party, value), slot, f"{party}.{kind}")


def _host(address: str) -> str:
    """Return the host of ``ip:port``, without brackets."""
    return address.rpartition(":")[0].strip("[]")
