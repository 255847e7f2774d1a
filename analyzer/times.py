"""Times as text: ISO 8601 in UTC, as precise as the capture, and the times that people type.

Nanoseconds since 1970 UTC are whole numbers everywhere; no time ever passes through a float.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache

SECOND = 1_000_000_000
"""Nanoseconds of one second."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_TYPED = re.compile(
    r"""
    (?: (?P<date> \d{4}-\d{2}-\d{2} ) (?: [Tt ] (?=\d) | $ ) )?
    (?: (?P<hour> \d{2} ) : (?P<minute> \d{2} )
        (?: : (?P<second> \d{2} ) (?: [.,] (?P<fraction> \d{1,9} ) )? )?
    )?
    (?P<zone> [Zz] | [+-]\d{2}:?\d{2} )?
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class TypedTime:
    """A time as a person typed it: a date, a time of day, or both."""

    day: date | None
    """None for a time of day, which is then one of the capture's first day."""
    within: int
    """Nanoseconds after midnight in ``zone``."""
    unit: int
    """Nanoseconds of the smallest unit given: a day, a minute, a second, or a part of one."""
    zone: timezone

    def first(self, begin_ns: int) -> int:
        """Return the first nanosecond that is meant; ``begin_ns`` is when the capture begins."""
        day = self.day or _moment(begin_ns).astimezone(self.zone).date()
        midnight = datetime.combine(day, time(), self.zone)
        return (midnight - _EPOCH) // timedelta(seconds=1) * SECOND + self.within

    def last(self, begin_ns: int) -> int:
        """Return the last nanosecond that is meant: the end of the smallest unit given."""
        return self.first(begin_ns) + self.unit - 1


def parse_typed_time(text: str) -> TypedTime:
    """Read ``2026-11-22``, ``10:15[:06[.541]]`` or both, with ``Z`` or ``+02:00`` or UTC.

    Raises ValueError, with one line for people, when the text is not such a time.
    """
    found = _TYPED.fullmatch(text.strip())
    if not found or (found["date"] is None and found["hour"] is None):
        raise ValueError(
            f"{text!r} is not a time such as 2026-11-22T07:20:06Z, 2026-11-22 or 07:20"
        )
    try:
        day = date.fromisoformat(found["date"]) if found["date"] else None
        zone = _zone(found["zone"])
        if found["hour"] is None:
            return TypedTime(day, 0, 86_400 * SECOND, zone)
        clock = time(int(found["hour"]), int(found["minute"]), int(found["second"] or 0))
    except ValueError as error:
        raise ValueError(f"{text!r} is not a time: {error}") from None
    fraction = found["fraction"] or ""
    within = (clock.hour * 3600 + clock.minute * 60 + clock.second) * SECOND
    unit = 60 * SECOND if found["second"] is None else SECOND // 10 ** len(fraction)
    return TypedTime(day, within + int(fraction.ljust(9, "0") or 0), unit, zone)


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 23 or minutes > 59:
        raise ValueError("the zone must be within 24 hours of UTC")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(offset if text[0] == "+" else -offset)


def _moment(ns: int) -> datetime:
    """Return the whole second of a time; signed 64-bit nanoseconds end in 2262, no overflow."""
    return _EPOCH + timedelta(seconds=ns // SECOND)


@lru_cache(maxsize=4096)
def second_text(seconds: int) -> str:
    """Return ``2026-11-22T07:20:06`` for seconds since 1970 UTC, without zone.

    Kept for the seconds seen last: a capture has thousands of messages in one second.
    """
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


def time_text(ns: int, digits: int) -> str:
    """Return ISO 8601 UTC with that many digits of a second (0 to 9), cut and not rounded."""
    seconds, fraction = divmod(ns, SECOND)
    if digits <= 0:
        return second_text(seconds) + "Z"
    return f"{second_text(seconds)}.{f'{fraction:09d}'[:digits]}Z"


def clock_text(ns: int, digits: int) -> str:
    """Return the time of day, ``07:20:06.541``, in UTC."""
    return time_text(ns, digits)[11:-1]


def duration_text(ns: int) -> str:
    """Return a span: ``0.541 s``, ``12.4 s``, ``3 min 7 s``, ``2 h 5 min``, ``3 d 4 h``."""
    seconds = ns / SECOND
    if seconds < 10:
        return f"{seconds:.3f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def latency_text(milliseconds: float | None) -> str:
    """Return ``0.42 ms``, ``18.4 ms``, ``180 ms``, ``9.02 s``; empty for None."""
    if milliseconds is None:
        return ""
    if milliseconds < 10:
        return f"{milliseconds:.2f} ms"
    if milliseconds < 100:
        return f"{milliseconds:.1f} ms"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.2f} s"
