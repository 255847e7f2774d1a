"""When things happen in the capture that is written, and the times that messages speak of.

The rule: the order of turns is the script's. A turn is never before the one in front of it, so a
turn that somebody moved or added by hand comes when its turn is.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING

from analyzer.replay.capture.options import CaptureError, ScriptFaultError
from analyzer.replay.capture.sink import END, LAST_NS
from analyzer.times import SECOND, parse_typed_time

if TYPE_CHECKING:
    from analyzer.replay.capture.options import CaptureOptions
    from analyzer.replay.script import Script, Slot

UNDATED = 946_684_800 * SECOND
"""When a script without a date begins: 2000-01-01."""
MAX_MS = 2**63 / 1_000_000
"""Milliseconds from the first turn that pcapng can say: its nanoseconds end in 2262."""
MILLISECOND = 1_000_000
ENDED = "ended"
"""What ``Script.origin`` calls the time of the recording's last frame."""
_ISO = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Schedule:
    """Recorded times to those that are written."""

    def __init__(self, script: Script, options: CaptureOptions) -> None:
        """Raise ``CaptureError`` for a script whose times are none."""
        self._scale = options.scale
        self._form = options.format
        self._last = LAST_NS[options.format]
        self._recorded = _started(script)
        self._start = self._recorded if options.start_ns is None else options.start_ns
        self._turns: dict[str, tuple[int, int]] = {}
        latest = -math.inf
        for turn in script.turns:
            latest = max(latest, _checked(turn.at_ms, turn.id))
            recorded = self._recorded + _ns(_checked(turn.at_ms, turn.id))
            self._turns[turn.id] = self.at(latest, turn.id), recorded
        self.ended = self._ended(script, latest)
        """When the recording ended, where it went on after the last turn."""

    def at(self, milliseconds: float, what: str) -> int:
        """Return the time of something that is so long after the first turn; ``what`` for errors.

        Raises:
            CaptureError: It is no time.
        """
        time = self._start + _ns(_checked(milliseconds, what) * self._scale)
        if not 0 <= time < self._last:
            moved = self._scale != 1.0 or self._start != self._recorded
            end = END[self._form]
            said = f"{what}: the times of a {self._form} file lie between 1970 and {end}"
            raise CaptureError(said) if moved else ScriptFaultError(said)
        return time

    def _ended(self, script: Script, latest: float) -> int | None:
        told = script.origin.get(ENDED)
        if told is None:
            return None
        after = (_moment(told) - self._recorded) / MILLISECOND
        return self.at(after, ENDED) if after > latest else None

    def turn(self, number: str) -> int:
        """Return the time of a turn."""
        return self._turns[number][0]

    def said(self, slot: Slot) -> str:
        """Return what a slot with a time says: moved as the turn is that says it first."""
        written, recorded = self._turns.get(slot.turn or "", (self._start, self._recorded))
        shift = written - recorded
        if not shift:
            return slot.value
        return (
            shifted_date(slot.value, shift) if slot.kind == "date" else shifted(slot.value, shift)
        )


def shifted(text: str, shift: int) -> str:
    """Return an ISO 8601 time so many nanoseconds later, as precise and in the same zone."""
    found = _ISO.fullmatch(text)
    if found is None:
        return text
    fraction = found[2] or ""
    try:
        moment = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
        whole = (moment - _EPOCH) // timedelta(seconds=1) * SECOND
        seconds, rest = divmod(whole + int(fraction.ljust(9, "0")) + shift, SECOND)
        moved = (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19]
    except (ValueError, OverflowError):
        return text
    digits = f"{rest:09d}"[: len(fraction)]
    return moved + (f".{digits}" if digits else "") + (found[3] or "")


def shifted_date(text: str, shift: int) -> str:
    """Return an RFC 1123 date so many nanoseconds later, in whole seconds."""
    try:
        moment = parsedate_to_datetime(text)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
        return format_datetime(moment + timedelta(seconds=shift // SECOND), usegmt=True)
    except (ValueError, TypeError, IndexError, OverflowError):
        return text


def _started(script: Script) -> int:
    return _moment(script.started) if script.started else UNDATED


def _moment(text: str) -> int:
    try:
        return parse_typed_time(text).first(0)
    except (ValueError, OverflowError):
        raise ScriptFaultError(f"the script has no time in {text[:60]!r}") from None


def _checked(milliseconds: float, what: str) -> float:
    if not math.isfinite(milliseconds) or abs(milliseconds) > MAX_MS:
        raise ScriptFaultError(f"{what} is at no time that a capture can say")
    return milliseconds


def _ns(milliseconds: float) -> int:
    return round(milliseconds * MILLISECOND)
