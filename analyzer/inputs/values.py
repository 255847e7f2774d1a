"""What is known of several inputs together, as values.

The one rule: a row belongs to its input. Nothing here changes a row; a message that was seen at
three places stays three rows, which a ``Match`` holds together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from analyzer.times import SECOND

Method = Literal["reference", "both ways", "one way", "order", "none"]
"""What a clock rests on: it is the one that others are measured by; messages that went both ways
past both places; messages of one way only; the order of requests, answers and copies of messages
that no two inputs share; nothing."""


MAX_TIME = (1 << 63) - 1
USUAL_DRIFT_PPB = 100_000
"""Crystals of computers are within 100 ppm of their frequency."""


class Sighting(NamedTuple):
    """One message at one place."""

    input: int
    """Number of the input, in the order in which they were given."""
    row: int


@dataclass(frozen=True, slots=True)
class Match:
    """One message on one hop, seen in two inputs or more."""

    sightings: tuple[Sighting, ...]
    """By input, at most one of each."""

    def row(self, number: int) -> int | None:
        """Return the row in an input; None where it was not seen."""
        return next((one.row for one in self.sightings if one.input == number), None)


class ConnectionLink(NamedTuple):
    """A connection of one input that is a connection of another one."""

    first: tuple[int, int]
    """Input, and number of the connection in it."""
    second: tuple[int, int]
    messages: int
    """Messages of it that both inputs have."""
    turned: bool
    """The two inputs take different sides for the opener: one of them did not see the SYN."""


class Step(NamedTuple):
    """A clock that was set while the input was taken."""

    frame: int
    """The first frame (of its own input) of which it is known to have the new time."""
    time_ns: int
    """The time of that frame, as the input has it."""
    by_ns: int
    """How far it was set; forward is positive."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How the time stamps of one input relate to those of the reference."""

    input: int
    reference: int
    method: Method
    offset_ns: int = 0
    """How far it is ahead of the reference, at ``at_ns``."""
    drift_ppb: int = 0
    """How much further it gets ahead; thousand millionths. 0 where the data do not show any."""
    at_ns: int = 0
    """By its own time, without its steps."""
    error_ns: int = 0
    """Largest error of a corrected time between the first and the last message that it rests on.
    With ``one way`` a transit time of at most ``bounds.ASSUMED_TRANSIT`` is presumed in it."""
    drift_error_ppb: int = 0
    since_ns: int = 0
    until_ns: int = 0
    """The first and last message that it rests on, by its own time without its steps."""
    matches: int = 0
    """Messages seen here and in ``against``; for ``order``, pairs of messages in a known order."""
    against: int = 0
    """The input that it was compared with, itself corrected: not the reference, where these two
    have nothing in common."""
    steps: tuple[Step, ...] = ()

    def ahead(self, time_ns: int, frame: int | None = None) -> int:
        """Return how far it is ahead, in nanoseconds, when it shows ``time_ns``.

        A clock that was set back shows the same times twice; the frame tells them apart.
        """
        was_set = self._was_set(time_ns, frame) if self.steps else 0
        elapsed = time_ns - was_set - self.at_ns
        return self.offset_ns + was_set + self.drift_ppb * elapsed // SECOND

    def _was_set(self, time_ns: int, frame: int | None) -> int:
        found = 0
        for step in self.steps:
            if time_ns >= step.time_ns if frame is None else frame >= step.frame:
                found += step.by_ns
        return found

    def unset(self, time_ns: int, frame: int | None = None) -> int:
        """Return what the clock would show had it never been set."""
        return time_ns - self._was_set(time_ns, frame)

    def error_at(self, time_ns: int, frame: int | None = None) -> int:
        """Return the largest error of a corrected time, also where no messages tell it.

        Beyond them it grows by the drift that they leave open, ``USUAL_DRIFT_PPB`` at most.
        """
        time = self.unset(time_ns, frame)
        beyond = max(0, self.since_ns - time, time - self.until_ns)
        return self.error_ns + beyond * min(self.drift_error_ppb, USUAL_DRIFT_PPB) // SECOND

    def corrected(self, time_ns: int, frame: int | None = None) -> int:
        """Return the time that the reference showed when this clock showed ``time_ns``.

        It fits into the 64 bits of a column, whatever a damaged file has for a time.
        """
        return max(-MAX_TIME, min(MAX_TIME, time_ns - self.ahead(time_ns, frame)))


@dataclass(frozen=True, slots=True)
class Joint:
    """What several inputs have in common."""

    matches: tuple[Match, ...]
    connections: tuple[ConnectionLink, ...]
    clocks: tuple[Clock, ...]
    """One for each input."""
