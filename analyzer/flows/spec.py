"""Flows as data: steps with a name, who sends to whom, what shows them, and what they build on.

``analyzer.flows.signin`` and ``posting`` are written in it; a flow of one's own is too
(docs/flows.md). A flow says nothing about captures: what can be seen of a step is judged by
``analyzer.flows.evidence``, what becomes of it by ``analyzer.flows.engine``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analyzer.model import Role  # noqa: TC001  (a flow from a file is checked against it)

Party = Literal["client", "front end", "lookup", "channel", "web service", "members"]


@dataclass(frozen=True, slots=True)
class Request:
    """A SIP request of the client and its final answer."""

    method: str
    role: Role | None = None
    """Of the dialog; None: any, or none at all."""


@dataclass(frozen=True, slots=True)
class Command:
    """An XCCOS command and its reply."""

    name: str
    """``join``, without prefix, in lower case."""


@dataclass(frozen=True, slots=True)
class Post:
    """A chat message of the client; what acknowledges it is the SIP answer."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A connection of the client to the URI that a token came with."""


@dataclass(frozen=True, slots=True)
class Copies:
    """The copy of a post that every member of the room gets."""


Match = Request | Command | Post | Upload | Copies


@dataclass(frozen=True, slots=True)
class Need:
    """What a step builds on."""

    step: str
    """Id of the earlier step."""
    what: str
    """What it took from there, in words: ``the URI of the Channel service``."""
    firm: bool = True
    """It cannot begin before the other is done. False: a client may have it from elsewhere."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a flow."""

    id: str
    title: str
    sender: Party
    receiver: Party
    match: tuple[Match, ...]
    """What shows it; of several the first decides, and the others add their frames."""
    phase: int
    """Steps of one phase come in any order, those of a later one begin after them."""
    optional: bool = False
    """Not missing where it is not seen: a client that has no reason for it does without."""
    repeatable: bool = False
    """More than once is normal."""
    needs: tuple[Need, ...] = ()
    without: tuple[str, ...] = ()
    """Variants that do without it."""
    slow_ms: float = 3000.0
    """It is slow from here on; servers that are well answer within milliseconds."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A documented sequence of steps."""

    name: str
    title: str
    begins: Literal["session", "post", "first step"]
    """There is one run for each session, for each post, or for each time its first step is seen."""
    steps: tuple[Step, ...]
    source: str
    """Where it is documented."""
