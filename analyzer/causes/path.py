"""The critical path of a sign-in: the chain of waits that decided how long it took.

From the message that completed it back to the first REGISTER: an answer waited for its request, a
request of the client for the answer before it. What went on beside that chain cost no time.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal, NamedTuple

from analyzer.causes.graph import cause, causes_of
from analyzer.causes.messages import Messages

if TYPE_CHECKING:
    from analyzer.causes.graph import Graph
    from analyzer.flows.values import FlowRun
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace

Party = Literal["client", "front end", "lookup", "channel"]
"""Who was waited for."""


class Wait(NamedTuple):
    """One wait of the chain."""

    party: Party
    what: str
    """What was waited for: ``rpl:bjoin to bjoin``, of the client its next request."""
    from_frame: int
    to_frame: int
    started: int
    """Nanoseconds since 1970 UTC."""
    ms: float
    share: float
    """Of the whole path, 0 to 1."""
    largest: bool


class Path(NamedTuple):
    """The critical path of a sign-in."""

    started: int | None
    """Nanoseconds since 1970 UTC; None where nothing of the sign-in is in the capture."""
    ms: float
    waits: tuple[Wait, ...]
    whole: bool
    """It begins with the first REGISTER; else what came before is not in the capture."""
    done: bool
    """All steps of the sign-in were done; else the path ends where it stopped."""


def critical_path(trace: Trace, view: SessionView, run: FlowRun) -> Path:
    """Return the critical path of a sign-in, from its run."""
    graph = causes_of(trace, view)
    messages = Messages(view)
    chain = _chain(graph, _last(graph, messages, run))
    if len(chain) < 2:
        return Path(None, 0.0, (), whole=False, done=False)
    nodes = graph.nodes
    spans = [max(0, nodes[b]["time"] - nodes[a]["time"]) for a, b in pairwise(chain)]
    total, most = sum(spans), max(spans)
    waits = tuple(
        Wait(
            _party(messages, before, after),
            _what(graph, messages, before, after),
            nodes[before]["frame"],
            nodes[after]["frame"],
            nodes[before]["time"],
            span / 1e6,
            span / total if total else 0.0,
            largest=span == most and span > 0,
        )
        for (before, after), span in zip(pairwise(chain), spans, strict=True)
    )
    begun = bool(view.registrations) and chain[0] == view.registrations[0].dialog.rows[0]
    done = run.outcome == "complete"
    return Path(nodes[chain[0]]["time"], total / 1e6, waits, whole=begun, done=done)


def _last(graph: Graph, messages: Messages, run: FlowRun) -> int | None:
    """Return the message that completed the last step that anything was seen of."""
    frames = {frame for step in run.steps for frame in step.frames}
    near = (messages.near(row) for row in messages.captured() if messages.frame(row) in frames)
    return max((row for row in near if row in graph.nodes), default=None)


def _chain(graph: Graph, last: int | None) -> list[int]:
    """Return the messages of the path, in order."""
    chain: list[int] = []
    seen: set[int] = set()
    while last is not None and last not in seen:
        seen.add(last)
        chain.append(last)
        last = cause(graph, last)
    return chain[::-1]


def _party(messages: Messages, before: int, after: int) -> Party:
    if messages.from_client(after):
        return "client"
    dialog = messages.dialog(before)
    if dialog is not None and dialog.role == "lookup":
        return "lookup"
    return "channel" if dialog is not None and dialog.role == "channel" else "front end"


def _what(graph: Graph, messages: Messages, before: int, after: int) -> str:
    text: str = graph.nodes[after]["text"]
    if messages.from_client(after):
        return f"before {text}"
    asked = graph.nodes[before]["text"]
    status = text.partition(" (")[0]
    return f"{asked}: {status}"
