"""One record per session, everything one client did: the contract of ``xccos sessions``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.views.commands import pair_row
from analyzer.views.dialogs import span_ms, span_time
from analyzer.views.messages import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.model import CommandPair, Outcome, Post, Room, Session, Step
    from analyzer.trace import Trace
    from analyzer.views.messages import Record

OUTCOMES: tuple[Outcome, ...] = ("answered", "accepted", "rejected", "unanswered", "unknown")
SLOWEST = 5
"""As many slow commands as fit under a session without hiding what failed."""


def frame_of(trace: Trace, row: int | None) -> int | None:
    """Return the frame that completes a message; None for None."""
    return None if row is None else trace.rows.frame[row]


def _event(trace: Trace, row: int | None) -> Record | None:
    if row is None:
        return None
    return {"frame": trace.rows.frame[row], "time": moment(trace, row), "message": row}


def step_record(step: Step) -> Record:
    """Return one step of the sign-in."""
    return {
        "id": step.id,
        "title": step.title,
        "status": step.status,
        "frames": list(step.frames),
        "latency_ms": step.latency_ms,
        "detail": step.detail,
    }


def room_record(trace: Trace, room: Room) -> Record:
    """Return one room as the session saw it."""
    return {
        "uri": room.uri,
        "name": room.name,
        "joined_frame": frame_of(trace, room.joined),
        "refused_frame": frame_of(trace, room.refused),
        "left_frame": frame_of(trace, room.left),
        "posts": room.posts,
        "received": room.received,
    }


def post_record(trace: Trace, post: Post) -> Record:
    """Return one post with what became of it."""
    pair = trace.analysis().pairs[post.pair]
    return {
        "room": post.room,
        "user": post.user,
        "frame": trace.rows.frame[post.row],
        "time": moment(trace, post.row),
        "outcome": pair.outcome,
        "sip_status": pair.sip_status,
        "sip_latency_ms": pair.sip_latency_ms,
        "detail": pair.detail,
        "command": pair.index,
    }


def slowest_pairs(
    trace: Trace, session: Session, count: int = SLOWEST
) -> list[tuple[CommandPair, int]]:
    """Return the commands that took longest to their reply (or to SIP's answer where none came).

    Commands of one name in one message (eleven getpref) are one entry, with their number.
    """
    together: dict[tuple[str, int | None], list[tuple[float, CommandPair]]] = {}
    for index in session.pairs:
        pair = trace.analysis().pairs[index]
        taken = None if pair.row is None else total_ms(pair)
        if taken is not None:
            together.setdefault((pair.command, pair.row), []).append((taken, pair))
    slowest = [(*max(found, key=lambda one: one[0]), len(found)) for found in together.values()]
    slowest.sort(key=lambda one: (-one[0], one[1].index))
    return [(pair, number) for _, pair, number in slowest[:count]]


def total_ms(pair: CommandPair) -> float | None:
    """Return how long a command took to its first reply, or to the SIP answer without one."""
    known = [reply.latency_ms for reply in pair.replies if reply.latency_ms is not None]
    return known[0] if known else pair.sip_latency_ms


def slow_record(trace: Trace, pair: CommandPair, number: int) -> Record:
    """Return one of the slowest commands; ``number`` of that name were in its message."""
    row = pair_row(pair)
    return {
        "command": pair.command,
        "sip_latency_ms": pair.sip_latency_ms,
        "reply_latency_ms": pair.replies[0].latency_ms if pair.replies else None,
        "frame": frame_of(trace, row),
        "reply_frames": sorted({trace.rows.frame[reply.row] for reply in pair.replies}),
        "index": pair.index,
        "number": number,
    }


def outcome_counts(trace: Trace, session: Session) -> dict[str, int]:
    """Return how many of a session's commands and posts ended in each outcome."""
    counts = dict.fromkeys(OUTCOMES, 0)
    for index in session.pairs:
        counts[trace.analysis().pairs[index].outcome] += 1
    return {str(name): count for name, count in counts.items()}


def _joins(trace: Trace, session: Session) -> list[Record]:
    dialogs = trace.analysis().dialogs
    return [
        {
            "dialog": join.dialog,
            "role": dialogs[join.dialog].role,
            "call_id": dialogs[join.dialog].call_id,
            "reason": join.reason,
        }
        for join in session.joins
    ]


FIELDS: dict[str, Callable[[Trace, Session], Any]] = {
    "index": lambda _, session: session.index,
    "user": lambda _, session: session.user,
    "epid": lambda _, session: session.epid,
    "user_agent": lambda _, session: session.user_agent,
    "server": lambda _, session: session.server,
    "client_address": lambda _, session: session.client_address,
    "front_end": lambda _, session: session.front_end,
    "transport": lambda _, session: session.transport,
    "connections": lambda _, session: list(session.connections),
    "started": lambda trace, session: span_time(trace, session.started),
    "ended": lambda trace, session: span_time(trace, session.ended),
    "duration_ms": lambda _, session: span_ms(session.started, session.ended),
    "signed_in": lambda trace, session: _event(trace, session.signed_in),
    "signed_off": lambda trace, session: _event(trace, session.signed_off),
    "verdict": lambda _, session: session.verdict,
    "steps": lambda _, session: [step_record(step) for step in session.steps],
    "rooms": lambda trace, session: [room_record(trace, room) for room in session.rooms],
    "posts": lambda trace, session: [post_record(trace, post) for post in session.posts],
    "outcomes": outcome_counts,
    "slowest": lambda trace, session: [
        slow_record(trace, pair, number) for pair, number in slowest_pairs(trace, session)
    ],
    "problems": lambda _, session: list(session.problems),
    "doubts": lambda _, session: list(session.doubts),
    "dialogs": _joins,
    "services": lambda _, session: list(session.services),
    "commands": lambda _, session: list(session.pairs),
}


class SessionRecord(dict[str, Any]):
    """The record of one session, each field worked out when it is asked for."""

    def __init__(self, trace: Trace, session: Session) -> None:
        super().__init__()
        self._trace = trace
        self._session = session

    def __missing__(self, name: str) -> Any:  # noqa: ANN401  (as FIELDS)
        value = self[name] = FIELDS[name](self._trace, self._session)
        return value


def session_record(trace: Trace, session: Session, fields: Sequence[str] = tuple(FIELDS)) -> Record:
    """Return the record of one session, restricted to ``fields`` in their order."""
    return {name: FIELDS[name](trace, session) for name in fields}
