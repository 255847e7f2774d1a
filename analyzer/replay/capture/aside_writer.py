"""Asides into the capture: DNS as datagrams, HTTP and TLS as the beginning of a connection."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from analyzer.replay.capture.asides import (
    Question,
    dns_answer,
    dns_query,
    dns_question,
    http_message,
    tls_message,
)
from analyzer.replay.capture.conversation import Conversation
from analyzer.replay.capture.plan import OPENING
from analyzer.replay.template import fill

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.replay.capture.addresses import Ends
    from analyzer.replay.capture.links import Links
    from analyzer.replay.capture.plan import Event
    from analyzer.replay.script import Aside


class AsideWriter:
    """Writes the asides of one script."""

    def __init__(
        self, asides: tuple[Aside, ...], ends: tuple[Ends, ...], links: Links,
        value: Callable[[str], str],
    ) -> None:  # fmt: skip
        """``ends``: of each aside its addresses; ``value``: of slots in what is said."""
        self._asides = asides
        self._ends = ends
        self._links = links
        self._value = value
        self._asked: dict[int, Question] = {}

    def write(self, event: Event, step_ns: int) -> None:
        """Write an exchange, or open the connection; ``step_ns`` as of a handshake."""
        number = int(event.what)
        aside = self._asides[number]
        name = f"aside {number + 1}"
        link = self._links.link(name, self._ends[number], datagrams=aside.protocol == "dns")
        if event.step != OPENING:
            text = fill(aside.exchanges[event.step][2], self._value)
            link.send(event.side, self._said(number, text, event.side), event.at)
        elif isinstance(link, Conversation):
            link.handshake(event.at, step_ns)

    def _said(self, number: int, text: str, side: int) -> bytes:
        protocol = self._asides[number].protocol
        if protocol == "http":
            return http_message(text)
        seed = f"{self._asides[number].opener_address} {number}"
        if protocol == "tls":
            return tls_message(text, opener=side == 0, seed=seed)
        identifier = int.from_bytes(
            hashlib.sha256(seed.encode("utf-8", "backslashreplace")).digest()[:2], "big"
        )
        if side == 0:
            question = self._asked[number] = dns_question(text)
            return dns_query(question, identifier)
        return dns_answer(self._asked.get(number) or dns_question(text), text, identifier)
