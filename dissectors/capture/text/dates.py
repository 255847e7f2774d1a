"""Dates and times of traces, whatever the country of the machine that wrote them.

The one rule: a trace is written with the month first (tracefmt and UCCAPI have no other way), so
another order is taken only where the separator or the numbers say so. A line whose time cannot be
read is somebody's text, and not the beginning of a record.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

DATE = r"(\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4})"
"""``11/22/2026``; ``22.11.2026`` and ``2026-11-22`` from tools that wrote the trace anew."""
CLOCK = r"(\d\d?):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?:\s?([AaPp])\.?[Mm]\b\.?)?"
"""``18:08:26.540``, ``6:08:26.540 PM``"""
_SECOND = 1_000_000_000
_TWELVE, _DAY = 12, 86_400  # 86,400 is the leap second of a day


def time_ns(day: str, clock: tuple[str, str, str, str | None, str | None]) -> int | None:
    """Return nanoseconds since 1970 of the groups of ``DATE`` and ``CLOCK``, read as UTC.

    None where there is no such time.
    """
    hour, minute, second, fraction, half = clock
    hours = int(hour)
    if half:
        if not 1 <= hours <= _TWELVE:
            return None
        hours = hours % _TWELVE + (_TWELVE if half in "Pp" else 0)
    midnight = _midnight_ns(day)
    seconds = hours * 3600 + int(minute) * 60 + int(second)
    if midnight is None or seconds > _DAY:
        return None
    return midnight + seconds * _SECOND + int((fraction or "").ljust(9, "0"))


@lru_cache(maxsize=64)
def _midnight_ns(day: str) -> int | None:
    """Return the beginning of a day in nanoseconds since 1970, None where there is no such day."""
    parts = re.split(r"[/.-]", day)
    first, second, third = map(int, parts)
    if len(parts[0]) == 4:
        year, month, day_of_month = first, second, third
    elif first > _TWELVE or ("." in day and second <= _TWELVE):
        year, month, day_of_month = third, second, first
    else:
        year, month, day_of_month = third, first, second
    if len(parts[2]) == 2 and len(parts[0]) != 4:
        year += 2000
    try:
        midnight = datetime(year, month, day_of_month, tzinfo=UTC)
    except ValueError:
        return None
    seconds = int(midnight.timestamp())
    return seconds * _SECOND if seconds >= 0 else None
