"""Time zones as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo


def parse_zone(text: str) -> tzinfo:
    """Read ``UTC``, ``local``, ``+02:00``, ``UTC+2`` or a name as in ``Europe/Berlin``.

    Raises ValueError with one line for people.
    """
    plain = text.strip()
    if plain.upper() in {"UTC", "Z"}:
        return UTC
    if plain.lower() == "local":
        return LocalZone()
    # "UTC+1" is what people call it; the names "Etc/GMT-1" of the database are the other way round.
    offset = plain[3:].lstrip() if plain[:3].upper() in {"UTC", "GMT"} else plain
    if offset[:1] in {"+", "-"} and offset[1:]:
        return _offset(offset)
    import zoneinfo  # only where a zone is named

    try:
        return zoneinfo.ZoneInfo(plain)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = "UTC, local, +02:00 or a name such as Europe/Berlin"
        raise ValueError(f"{text!r} is not a time zone: {known} (names need tzdata)") from None


class LocalZone(tzinfo):
    """The zone of this computer: what its clock showed at the time, summer time or not."""

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        """Return how far ahead of UTC the clock was."""
        if moment is None:
            return None
        try:
            return moment.replace(tzinfo=None).astimezone().utcoffset()
        except (OverflowError, ValueError):  # the ends of what datetime can hold
            return timedelta(0)

    def dst(self, moment: datetime | None) -> timedelta | None:  # noqa: ARG002  (tzinfo's)
        """Return None: nobody asks how much of it is summer time."""
        return None

    def tzname(self, moment: datetime | None) -> str | None:  # noqa: ARG002  (tzinfo's)
        """Return ``local``."""
        return "local"

    def fromutc(self, moment: datetime) -> datetime:
        """Return what the clock showed."""
        return moment.replace(tzinfo=UTC).astimezone().replace(tzinfo=self)


def _offset(text: str) -> tzinfo:
    hours, colon, minutes = text[1:].partition(":")
    if len(text) == 5 and not colon:
        hours, minutes = text[1:3], text[3:]
    digits = hours + minutes
    if not (digits.isascii() and digits.isdigit() and len(text) < 7 and int(minutes or 0) < 60):
        raise ValueError(f"{text!r} is no offset from UTC; one is written as +02:00")
    span = timedelta(hours=int(hours), minutes=int(minutes or 0))
    if span >= timedelta(days=1):
        raise ValueError(f"{text!r}: the zone must be within 24 hours of UTC")
    return timezone(-span if text[0] == "-" else span)
