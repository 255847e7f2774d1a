"""Times that people type and that may leave the zone to where they are read."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

from analyzer.times import SECOND, parse_typed_time

if TYPE_CHECKING:
    from datetime import tzinfo

    from analyzer.times import TypedTime

_ZONE = re.compile(
    r"(?:[Zz]|:\d{2}(?:[.,]\d+)?[+-]\d{2}:?\d{2}|^\d{4}-\d{2}-\d{2}[+-]\d{2}:?\d{2})$"
)
"""At the end of a time, where ``-22`` may also be the day of a date."""
UNSAID = timezone(timedelta(0), "unsaid")
"""Of a typed time without a zone: UTC, where nobody asks for another one."""


def parse_time(text: str) -> TypedTime:
    """Read a time as ``parse_typed_time`` does; without a zone it has ``UNSAID``."""
    typed = parse_typed_time(text)
    return typed if _ZONE.search(text.strip()) else replace(typed, zone=UNSAID)


def placed(typed: TypedTime, zone: tzinfo, began: int) -> TypedTime:
    """Return a time as the clocks of a zone showed it; of a time of day the capture's first day."""
    if typed.zone is not UNSAID:
        return typed
    begin = datetime.fromtimestamp(began // SECOND, UTC).astimezone(zone)
    day = typed.day or begin.date()
    noted = datetime.combine(day, time(), zone) + timedelta(microseconds=typed.within // 1000)
    return replace(typed, day=day, zone=timezone(noted.utcoffset() or timedelta(0)))
