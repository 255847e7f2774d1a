"""The slots of a script while they are found: one for each key, named once.

The rule: a key says in which scope a value is one and the same (a client, a dialog, a turn), so
that two clients with identical identifiers have slots of their own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from analyzer.replay.script import Slot

if TYPE_CHECKING:
    from analyzer.replay.derive.said import Said
    from analyzer.replay.script import SlotKind

Key = tuple[object, ...]
MAX_SLOTS = 200_000
"""More than any script of the greatest length has use for; beyond, values stay literal."""
_NO_NAME = re.compile(r"[^\w.-]", re.ASCII)
MAX_NAME = 60
LEARNED = ("uri", "contact", "opaque")


class Book:
    """The slots found so far."""

    def __init__(self) -> None:
        self._by_key: dict[Key, str] = {}
        self._slots: dict[str, Slot] = {}
        self._next: dict[str, int] = {}

    def find(self, key: Key) -> str | None:
        """Return the name of the slot of a key."""
        return self._by_key.get(key)

    def __contains__(self, name: str) -> bool:
        """Say whether there is a slot of that name."""
        return name in self._slots

    def slot(self, name: str) -> Slot:
        """Return a slot."""
        return self._slots[name]

    def slots(self) -> tuple[Slot, ...]:
        """Return all slots in the order in which they were found."""
        return tuple(self._slots.values())

    def alias(self, key: Key, name: str) -> None:
        """Let another key stand for a slot too."""
        self._by_key[key] = name

    def numbered(self, key: Key, slot: Slot, stem: str) -> str | None:
        """Return the slot of a key, a new one named ``stem`` with a number, from 1."""
        known = self._by_key.get(key)
        return known or self._new(key, slot, stem, first=True)

    def said(self, key: Key, slot: Slot, name: str) -> str | None:
        """Return the slot of a key, a new one like ``slot`` where there is none yet.

        ``name`` gets a number when it is taken.
        """
        known = self._by_key.get(key)
        return known or self._new(key, slot, name)

    def _new(self, key: Key, slot: Slot, stem: str, *, first: bool = False) -> str | None:
        if not slot.value or len(self._slots) >= MAX_SLOTS:
            return None
        stem = _NO_NAME.sub("_", stem)[:MAX_NAME]
        number = self._next.get(stem, 0) + 1
        name = f"{stem}{number}" if first or number > 1 else stem
        while name in self._slots:
            number += 1
            name = f"{stem}{number}"
        self._next[stem] = number
        self._slots[name] = Slot(
            name, slot.kind, slot.value, slot.said_by, slot.turn, slot.where, slot.part_of
        )
        self._by_key[key] = name
        return name


def said(kind: SlotKind, value: str, one: Said, where: str, owner: str | None = None) -> Slot:
    """Return a slot, not named yet, that is said in a message.

    ``owner``: who decides it, where that is not the speaker: it was then said before.
    """
    if owner is None or owner == one.by:
        return Slot("", kind, value, one.by, one.turn, where)
    # What was learned before the recording began nobody will say in a play.
    return Slot("", kind, value, None if kind in LEARNED else owner, None, where)
