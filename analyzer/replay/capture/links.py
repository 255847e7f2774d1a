"""The connections of a capture that is being written.

The rule: what has the same addresses and ports at the same time is one connection to whoever reads
the capture, so two of them are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.replay.capture.conversation import Conversation, Datagrams
from analyzer.replay.capture.options import CaptureError

if TYPE_CHECKING:
    from analyzer.replay.capture.addresses import Ends
    from analyzer.replay.capture.medium import Medium

Link = Conversation | Datagrams


class Links:
    """Opens connections when they are first used."""

    def __init__(self, medium: Medium, mss: int, seed: int) -> None:
        self._medium = medium
        self._mss = mss
        self._seed = seed
        self._links: dict[str, tuple[Link, frozenset[object]]] = {}
        self._owners: dict[frozenset[object], str] = {}

    def link(self, name: str, ends: Ends, *, datagrams: bool) -> Link:
        """Return a connection by its name, made anew when it is first asked for.

        Raises:
            CaptureError: Another one was made since that has the same addresses.
        """
        known = self._links.get(name)
        if known is None:
            link: Link
            if datagrams:
                link = Datagrams(self._medium, *ends)
            else:
                link = Conversation(self._medium, *ends, self._mss, seed=f"{self._seed} {name}")
            # SIP and DNS between the same ports over TCP and UDP are two.
            known = self._links[name] = (link, frozenset((*ends, datagrams)))
            self._owners[known[1]] = name
        owner = self._owners[known[1]]
        if owner != name and not datagrams:
            raise CaptureError(f"{name} and {owner} have the same addresses and ports: {ends[0]}")
        return known[0]
