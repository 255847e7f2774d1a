"""New values for a play: identifiers, times, tokens.

The rule: a new value has the form of the recorded one, so that whoever parses it notices nothing.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random  # noqa: TID251  (the type of what is passed in)

    from analyzer.replay.player.plan import Plan
    from analyzer.replay.script import Slot

_BOTTOM_64 = 1 << 32
"""Recorded envids above it are a server's: 64-bit values (clients count 32 bits)."""
_ISO = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?")
BRANCH = "z9hG4bK"
"""RFC 3261 section 8.1.1.7."""
LONGEST = 40
"""Hexadecimal digits of an identifier: more make no collision less likely."""


class Fresh:
    """Makes values of slots."""

    def __init__(self, plan: Plan, rng: Random, wall: Callable[[], float]) -> None:
        """Make values of a script's slots; ``wall`` gives seconds since 1970 UTC."""
        self._plan = plan
        self._rng = rng
        self._wall = wall
        self._envids: dict[str, int] = {}

    def value(self, slot: Slot) -> str | None:
        """Return a new value; None for a kind that keeps the recorded one."""
        match slot.kind:
            case "call-id" | "tag" | "epid":
                return self.digits(slot.value)
            case "branch":
                return BRANCH + self.digits(slot.value)[:20]
            case "envid":
                return self._envid(slot)
            case "instance" | "token":
                made = str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
                return made.upper() if slot.value.isupper() else made
            case "time":
                return self._time(slot)
            case "date":
                now = datetime.fromtimestamp(self._wall(), UTC)
                return format_datetime(now, usegmt=True)
            case _:
                return None

    def digits(self, like: str) -> str:
        """Return hexadecimal digits, as many and in the case of a recorded value."""
        length = max(8, min(len(like), LONGEST))
        made = f"{self._rng.getrandbits(4 * length):0{length}x}"
        return made.upper() if like.isupper() else made

    def _envid(self, slot: Slot) -> str:
        speaker = slot.said_by or ""
        if slot.value.isdecimal() and int(slot.value[:20]) >= _BOTTOM_64:
            return str(self._rng.randrange(1 << 60, 1 << 63))
        last = self._envids.get(speaker)
        number = self._rng.randrange(1 << 28, 1 << 31) if last is None else last + 1
        self._envids[speaker] = number
        return str(number)

    def _time(self, slot: Slot) -> str:
        match = _ISO.fullmatch(slot.value)
        if match is None:
            return slot.value
        try:
            when = datetime.fromisoformat(match[1]).replace(tzinfo=UTC) + self._shift(slot)
        except (ValueError, OverflowError):
            return slot.value
        digits = len(match[2] or "")
        fraction = f".{when.microsecond:06d}".ljust(digits + 1, "0")[: digits + 1] if digits else ""
        return f"{when:%Y-%m-%dT%H:%M:%S}{fraction}{match[3] or ''}"

    def _shift(self, slot: Slot) -> timedelta:
        """Return how much later than in the recording this is said."""
        began = self._plan.began
        if began is None:
            return timedelta()
        recorded = began + timedelta(milliseconds=self._plan.at_ms.get(slot.turn or "", 0.0))
        return datetime.fromtimestamp(self._wall(), UTC) - recorded
