"""How a ladder is shown: times, width, paging, theme. The same options for every renderer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Literal

from analyzer.times import SECOND

if TYPE_CHECKING:
    from analyzer.ladder.values import Ladder

TimeMode = Literal["absolute", "relative", "delta"]
Theme = Literal["auto", "light", "dark"]
PAGE = 5000
"""Arrows of one page: a browser still scrolls an SVG of so many smoothly."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Look:
    """What someone wants to see of a ladder; every renderer heeds what its format can show."""

    times: TimeMode = "absolute"
    """``absolute``: time of day. ``relative``: seconds since ``Ladder.began``. ``delta``: since
    the event before."""
    zone: tzinfo = UTC
    """Of absolute times; where it is not UTC, UTC is at hand (tooltip, second column)."""
    theme: Theme = "auto"
    """``auto``: light, or dark where the reader's system is dark (SVG, HTML); else light."""
    width: int | None = None
    """Of text, in columns."""
    unicode: bool = True
    """Text may use characters beyond ASCII."""
    page: int = PAGE
    """Events of one page; a ladder of more becomes several documents."""
    label: int = 60
    """Characters of a label; what is longer is cut, and whole in the tooltip or table."""


Detail = Callable[[int], dict[str, Any]]
"""Gives the record of a message by its row: headers, XCCOS tree (``analyzer.views.detail``)."""
Renderer = Callable[["Ladder", Look], Iterator[bytes]]
"""Yields the pages, each a whole document."""


def offset_text(offset: timedelta | None) -> str:
    """Return ``UTC``, ``UTC+02:00``."""
    minutes = round((offset or timedelta()).total_seconds() / 60)
    if not minutes:
        return "UTC"
    sign, whole = "-" if minutes < 0 else "+", abs(minutes)
    return f"UTC{sign}{whole // 60:02d}:{whole % 60:02d}"


class Clock:
    """Writes the times of one ladder."""

    def __init__(self, ladder: Ladder, look: Look) -> None:
        self._ladder, self._look = ladder, look
        self._shown = min(max(ladder.digits, 3), 6)
        """Digits of a second: of more than six nobody makes anything, and they take room."""

    @property
    def heading(self) -> str:
        """What stands over the times: ``time (UTC)``, ``seconds``, ``since before``."""
        if self._absolute:
            return f"time ({self.zone(self._ladder.began)})"
        return "since before" if self._look.times == "delta" else "seconds"

    @property
    def _absolute(self) -> bool:
        return self._ladder.dated and self._look.times == "absolute"

    def zone(self, time: int) -> str:
        """Return the zone at a time: ``UTC``, ``UTC+02:00``."""
        return offset_text(self._moment(time).utcoffset())

    def text(self, time: int, before: int | None) -> str:
        """Return a time as it is shown; ``before`` is that of the event before, if there is one."""
        if self._absolute:
            return self.absolute(time)
        since = before if self._look.times == "delta" else self._ladder.began
        return self.seconds(0 if since is None else time - since)

    def absolute(self, time: int) -> str:
        """Return the time of day in the chosen zone: ``09:14:02.120345``."""
        return f"{self._moment(time):%H:%M:%S}.{self._fraction(time % SECOND)}"

    def utc(self, time: int) -> str:
        """Return date and time in UTC: ``2026-11-22 07:20:06.541123 UTC``.

        Of a ladder without dates these are the seconds since its beginning.
        """
        if not self._ladder.dated:
            return f"{self.seconds(time - self._ladder.began)} s"
        moment = _EPOCH + timedelta(seconds=time // SECOND)
        return f"{moment:%Y-%m-%d %H:%M:%S}.{self._fraction(time % SECOND)} UTC"

    def local(self, time: int) -> str:
        """Return date and time in the chosen zone, the zone named; see ``utc``."""
        if not self._ladder.dated:
            return self.utc(time)
        moment = self._moment(time)
        return f"{moment:%Y-%m-%d %H:%M:%S}.{self._fraction(time % SECOND)} {self.zone(time)}"

    def seconds(self, span: int) -> str:
        """Return a span as ``+0.001234``."""
        sign, span = "-" if span < 0 else "+", abs(span)
        return f"{sign}{span // SECOND}.{self._fraction(span % SECOND)}"

    def _fraction(self, nanoseconds: int) -> str:
        return f"{nanoseconds:09d}"[: self._shown]

    def _moment(self, time: int) -> datetime:
        try:
            return (_EPOCH + timedelta(seconds=time // SECOND)).astimezone(self._look.zone)
        except OverflowError:  # the ends of what datetime can hold
            return _EPOCH + timedelta(seconds=time // SECOND)


def pages(ladder: Ladder, size: int) -> Iterator[Ladder]:
    """Yield a ladder in parts of at most ``size`` events; what spans two parts is cut in both.

    Each part has all lanes; of a ladder that fits one part this is the ladder itself.
    """
    total = max(1, -(-len(ladder.events) // size))
    if total == 1:
        yield ladder
        return
    for number in range(total):
        first, end = number * size, min((number + 1) * size, len(ladder.events))
        groups = tuple(
            replace(
                one,
                first=max(one.first, first) - first,
                last=min(one.last, end - 1) - first,
                continued=one.continued or one.first < first,
            )
            for one in ladder.groups
            if one.last >= first and one.first < end
        )
        brackets = tuple(
            replace(one, first=max(one.first, first) - first, last=min(one.last, end - 1) - first)
            for one in ladder.brackets
            if one.last >= first and one.first < end
        )
        yield replace(
            ladder,
            title=f"{ladder.title} (page {number + 1} of {total})",
            events=ladder.events[first:end],
            groups=groups,
            brackets=brackets,
        )


def cut(text: str, length: int, sign: str = "…") -> str:
    """Return a text of at most ``length`` characters, cut at its end with a sign."""
    if len(text) <= length:
        return text
    return text[: max(0, length - len(sign))] + sign
