"""What a play found: a verdict for each expectation, with the difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Status = Literal["held", "differs", "missing", "unsaid", "unexpected"]
"""``held``: came, as expected. ``differs``: came, and something in it is not as expected.
``missing``: never came. ``unsaid``: our own turn that could not be said. ``unexpected``: came, and
the script has nothing like it."""


class Difference(NamedTuple):
    """One field that is not as expected."""

    path: str
    """As of ``Expectation``."""
    expected: str | None
    found: str | None


class Verdict(NamedTuple):
    """What became of one turn in one play."""

    turn: str | None
    """None for what was unexpected."""
    client: str | None
    """Party whose conversation it is."""
    user: str | None
    """Who plays it: the live address of record."""
    what: str
    """In words: ``200 OK to INFO cmd:join``."""
    status: Status
    differences: tuple[Difference, ...] = ()
    detail: str = ""
    """One sentence, where there is more to say (why it was not said)."""
    at: float | None = None
    """Seconds since the play began."""

    @property
    def good(self) -> bool:
        """Whether it is as the script wants it. What was unexpected and got an answer is a note."""
        return self.status in ("held", "unexpected")


class Latency(NamedTuple):
    """How long one answer took."""

    what: str
    """``REGISTER``, ``INVITE``, ``INFO cmd:join`` (SIP answer), ``cmd:join`` (its reply)."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a play (or many) came to."""

    verdicts: tuple[Verdict, ...] = ()
    notes: tuple[str, ...] = ()
    """Sentences: retries, challenges, slots that kept their recorded value, defaults given."""
    latencies: tuple[Latency, ...] = ()
    complete: bool = True
    """The play came to its end, not to a time limit or an abort."""
    played: int = 1
    """Conversations: clients that were played, or that came."""

    @property
    def held(self) -> bool:
        """Whether everything is as the script wants it."""
        return self.complete and all(verdict.good for verdict in self.verdicts)
