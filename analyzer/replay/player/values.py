"""What the slots of a script stand for in one conversation.

The rule: whoever says a value first decides it. Ours are chosen by the user, made anew, or as
recorded; those of the peer are learned. A slot that was never learned keeps its recorded value, and
that is noted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.replay.player.fresh import Fresh

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random  # noqa: TID251  (the type of what is passed in)

    from analyzer.replay.actions import Address
    from analyzer.replay.player.plan import Plan
    from analyzer.replay.script import Slot

_IP = re.compile(r"[0-9.]+|\[?[0-9a-fA-F:]+\]?")


class Values:
    """Values of slots by name."""

    def __init__(
        self,
        plan: Plan,
        chosen: Mapping[str, str],
        rng: Random,
        wall: Callable[[], float],
    ) -> None:
        """Begin with what the user chose.

        ``wall``: seconds since 1970 UTC at which something is said now.
        """
        self._plan = plan
        self._fresh = Fresh(plan, rng, wall)
        self._known: dict[str, str] = dict(chosen)
        self._chosen = set(chosen)
        self.addresses: dict[str, tuple[Address, Address]] = {}
        """Of each client, where it is connected: its own address and the server's."""
        self.kept: dict[str, None] = {}
        """Slots that were used with their recorded value though the peer should have said them."""

    @property
    def known(self) -> Mapping[str, str]:
        """Return what is decided or learned so far."""
        return self._known

    def set(self, name: str, value: str) -> None:
        """Decide a value from outside; it stays."""
        self._known[name] = value
        self._chosen.add(name)

    def learn(self, name: str, value: str) -> None:
        """Take what the peer said; what the user chose stays."""
        if name not in self._chosen:
            self._known[name] = value

    def get(self, name: str) -> str:
        """Return the value of a slot."""
        slot = self._plan.slots.get(name)
        if slot is None or name in self._known or self._follows(slot):
            return self.peek(name)
        if slot.said_by is None or slot.said_by in self._plan.ours:
            value = self._known[name] = self.fresh(slot)
            return value
        if slot.kind not in ("secret", "cseq", "branch"):
            self.kept[name] = None
        return slot.value

    def fresh(self, slot: Slot) -> str:
        """Return another new value for a slot that is ours."""
        made = self._fresh.value(slot)
        return slot.value if made is None else made

    def peek(self, name: str) -> str:
        """Return the value of a slot as far as it is decided, else the recorded one."""
        value = self._known.get(name)
        if value is not None:
            return value
        slot = self._plan.slots.get(name)
        if slot is None:
            return ""
        if slot.kind == "domain" and slot.part_of:
            return self.peek(slot.part_of).rpartition("@")[2] or slot.value
        return self._of_address(slot) or slot.value

    def _follows(self, slot: Slot) -> bool:
        """Say whether a value follows from another one: of a user, or of a connection."""
        domain = slot.kind == "domain" and slot.part_of is not None
        return domain or self._of_address(slot) is not None

    def _of_address(self, slot: Slot) -> str | None:
        """Return a value that follows from a connection."""
        if slot.kind not in ("address", "host", "port"):
            return None
        pair = self._pair(slot)
        if pair is None or not self._is_numeric(slot):
            return None
        if slot.kind == "address":
            return str(pair)
        return pair.host if slot.kind == "host" else str(pair.port)

    def _pair(self, slot: Slot) -> Address | None:
        if slot.said_by in self.addresses:
            return self.addresses[slot.said_by][0]
        client = slot.name.partition(".")[0]
        if client in self.addresses:
            return self.addresses[client][0]
        if slot.name.startswith("server") and self.addresses:
            return next(iter(self.addresses.values()))[1]
        return None

    @staticmethod
    def _is_numeric(slot: Slot) -> bool:
        """Say whether the recorded value is an address, not a name that somebody relies on."""
        host = slot.value.rpartition(":")[0] if slot.kind == "address" else slot.value
        return slot.kind == "port" or _IP.fullmatch(host) is not None
