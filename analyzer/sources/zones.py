"""Time zones of text traces that do not say their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo

_SECOND = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = 60
_LATE = 1800 * _SECOND
"""Lines of several threads are out of order by seconds; an hour that comes twice by an hour."""
_LAST = 253_402_300_799 - 86_400 * 2
"""Seconds that ``datetime`` knows in any zone: to the end of the year 9999."""


def corrected(time_ns: int, zone: tzinfo | None, after: int | None = None) -> int:
    """Return the UTC of a local time.

    Args:
        time_ns: of a clock on the wall, read as if it were UTC; nanoseconds since 1970.
        zone: where the clock hung; None takes it as UTC.
        after: the UTC of what was written before it. An hour that comes twice, when summer time
            ends, is the second one where the first would lie before that.
    """
    if zone is None or zone is UTC:
        return time_ns
    minutes = time_ns // (_MINUTE * _SECOND)
    if not 0 <= minutes * _MINUTE <= _LAST:
        return time_ns
    first = time_ns - _offset(minutes, zone, 0)
    if after is None or first >= after - _LATE:
        return first
    second = time_ns - _offset(minutes, zone, 1)
    return second if second >= after - _LATE else first


@lru_cache(maxsize=1024)
def _offset(minutes: int, zone: tzinfo, fold: int) -> int:
    """Return the nanoseconds that a zone was ahead of UTC at a minute of its own clock."""
    wall = (_EPOCH + timedelta(minutes=minutes)).replace(tzinfo=zone, fold=fold)
    ahead = wall.utcoffset() or timedelta()
    return int(ahead.total_seconds()) * _SECOND
