"""What an analysis says of a capture, without the identifiers, frames and times in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from analyzer.diagnostics.table import diagnose
from analyzer.flows.runs import flows_of

if TYPE_CHECKING:
    from analyzer.flows.values import FlowRun
    from analyzer.model import Analysis, Session
    from analyzer.trace import Trace

_FRAMES = re.compile(r"\bframes? [\d, ]+(?:(?:and|to) \d+)?")
_NUMBERS = re.compile(r"\d+(?:\.\d+)?(?: (?:ms|s|min|h))?\b")


def meaning(trace: Trace, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return what must be the same of a recording and of what was regenerated from it.

    ``without``: ids of rules whose findings are left out.
    """
    analysis = trace.analysis()
    return {
        "sessions": [_session(one) for one in analysis.sessions],
        "dialogs": [
            (one.role, one.state, one.ended_by, one.method, one.client, one.service)
            for one in analysis.dialogs
        ],
        "pairs": _pairs(analysis),
        "copies of rows": len(analysis.copy_of),
        "flows": [_flow(one) for one in flows_of(trace)],
        "findings": sorted(
            (one.rule, one.severity, one.user or "", one.confidence)
            for one in diagnose(trace)
            if one.rule not in without
        ),
    }


def _session(one: Session) -> tuple[Any, ...]:
    return (
        one.user,
        one.user_agent,
        one.server,
        [(step.id, step.status) for step in one.steps],
        _words(one.verdict),
        [_words(text) for text in one.problems],
        [
            (
                *(room.uri, room.name, room.posts, room.received),
                *(row is None for row in (room.joined, room.refused, room.left)),
            )
            for room in one.rooms
        ],
        len(one.posts),
        len(one.joins),
        one.signed_in is None,
        one.signed_off is None,
    )


def _pairs(analysis: Analysis) -> list[tuple[Any, ...]]:
    return [
        (
            *(one.kind, one.command, one.outcome, one.paired_by, one.sip_status, one.user),
            *(one.rooms, one.name_mismatch, one.dialog),
            [(reply.id, reply.code, reply.text) for reply in one.replies],
        )
        for one in analysis.pairs
    ]


def _flow(one: FlowRun) -> tuple[Any, ...]:
    return (
        *(one.flow, one.session, one.user, one.variant, one.outcome, one.room),
        [(step.id, step.status) for step in one.steps],
        [
            (copy.user, copy.echo, copy.row is None, copy.captured, copy.status)
            for copy in one.copies
        ],
    )


def _words(text: str) -> str:
    """Return a sentence without its frame numbers and durations."""
    return _NUMBERS.sub("#", _FRAMES.sub("frame #", text))
