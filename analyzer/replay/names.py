"""Names of XCCOS items, as they are compared."""

from __future__ import annotations

ALIASES = {"rpl:getservinfo": "rpl:getserverinfo"}
"""Names of one thing: servers of different ages call the reply differently."""


def canonical(name: str) -> str:
    """Return the name of an item by which it is compared: ids are so without regard to case."""
    lower = name.lower()
    return ALIASES.get(lower, lower)
