"""From when on something is too slow, too often, too old: numbers that a person may change."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Defaults with their reasons; ``--threshold slow_ms=5000`` sets one."""

    slow_ms: float = 3000.0
    """A step of a flow, or a command, that takes longer is slow. Servers that are well answer
    within milliseconds, and people notice a second."""
    slow_copy_ms: float = 2000.0
    """A copy of a post that takes longer is late: people who write to one another notice."""
    clock_skew_ms: float = 60_000.0
    """Clocks further apart than a minute; from five on Kerberos refuses ([MS-SIP])."""
    auth_cycles: int = 2
    """Complete rounds of challenges of one sign-in; more are a loop. NTLM needs two 401 a round."""
    token_minutes: float = 30.0
    """Lifetime of a file token (database schema of Persistent Chat)."""
    overload_burst: int = 3
    """Refusals with 503 in one session that make a burst."""
    duplicate_ms: float = 5000.0
    """The same text from the same author so soon after is a duplicate, not a repetition."""
