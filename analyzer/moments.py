"""Times of a report: in the zone that was chosen, with UTC at hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from analyzer.ladder.look import offset_text
from analyzer.markup import add

if TYPE_CHECKING:
    from analyzer.markup import Cell, Element

SHOWN_DIGITS = 6
"""Of a second: of more than microseconds nobody makes anything."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Writes the ISO times of records (UTC, ending in Z)."""

    zone: tzinfo = UTC

    def clock(self, time: str | None) -> Cell:
        """Return a cell with the time of day; date and UTC are in its tooltip."""
        return self._cell(time, dated=False)

    def moment(self, time: str | None) -> Cell:
        """Return a cell with date, time and zone."""
        return self._cell(time, dated=True)

    def span(self, first: str | None, last: str | None) -> str:
        """Return ``2026-11-22 07:20:06.541 to 07:20:14.123 UTC+01:00``."""
        if first is None or last is None:
            return ""
        begin, end = self.text(first), self.text(last)
        name = self.name(last)
        return f"{begin} to {end[11:] if end[:10] == begin[:10] else end} {name}"

    def text(self, time: str) -> str:
        """Return date and time in the zone, as precise as the capture."""
        moment, fraction = self._parted(time)
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M:%S}{fraction}"

    def name(self, time: str) -> str:
        """Return the zone at a time: ``UTC``, ``UTC+02:00``."""
        return offset_text(self._parted(time)[0].astimezone(self.zone).utcoffset())

    def heading(self, time: str | None) -> str:
        """Return what stands over a column of times of day."""
        return f"time ({self.name(time) if time else 'UTC'})"

    def _cell(self, time: str | None, *, dated: bool) -> Cell:
        if time is None:
            return None

        def fill(cell: Element) -> None:
            local, name = self.text(time), self.name(time)
            utc = Moments().text(time)
            made = add(cell, "time", "", f"{local} {name}" if dated else local[11:])
            made.set("datetime", f"{time[:10]}T{utc[11:23]}Z")
            made.set("title", f"{utc} UTC" if name == "UTC" else f"{local} {name}\n{utc} UTC")

        return fill

    @staticmethod
    def _parted(time: str) -> tuple[datetime, str]:
        """Return the whole second, and the fraction as it is written."""
        whole, point, fraction = time.removesuffix("Z").partition(".")
        return datetime.fromisoformat(f"{whole}+00:00"), point + fraction[:SHOWN_DIGITS]
