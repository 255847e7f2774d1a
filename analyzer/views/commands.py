"""One record per command or post with its two answers: the contract of ``xccos commands``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.views.messages import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.model import CommandPair, Reply
    from analyzer.trace import Trace
    from analyzer.views.messages import Record


def pair_row(pair: CommandPair) -> int | None:
    """Return the row that a pair is first seen in: the command's, else that of its first reply."""
    if pair.row is not None or not pair.replies:
        return pair.row
    return pair.replies[0].row


def reply_record(trace: Trace, reply: Reply) -> Record:
    """Return one ``rpl`` element of a pair."""
    return {
        "id": reply.id,
        "frame": trace.rows.frame[reply.row],
        "time": moment(trace, reply.row),
        "code": reply.code,
        "text": reply.text,
        "latency_ms": reply.latency_ms,
        "message": reply.row,
    }


def refused_by_reply(pair: CommandPair) -> bool:
    """Say whether a reply's code is not a success (2xx)."""
    return any(reply.code is not None and reply.code[:1] != "2" for reply in pair.replies)


def _session(trace: Trace, pair: CommandPair) -> int | None:
    return None if pair.dialog is None else trace.analysis().dialogs[pair.dialog].session


def _reply_frames(trace: Trace, pair: CommandPair) -> list[int]:
    return sorted({trace.rows.frame[reply.row] for reply in pair.replies})


FIELDS: dict[str, Callable[[Trace, CommandPair], Any]] = {
    "command": lambda _, pair: pair.command,
    "kind": lambda _, pair: pair.kind,
    "envid": lambda _, pair: pair.envid,
    "seqid": lambda _, pair: pair.seqid,
    "call_id": lambda _, pair: pair.call_id,
    "user": lambda _, pair: pair.user,
    "room": lambda _, pair: pair.rooms[0] if pair.rooms else None,
    "frame": lambda trace, pair: None if pair.row is None else trace.rows.frame[pair.row],
    "time": lambda trace, pair: None if pair.row is None else moment(trace, pair.row),
    "sip_status": lambda _, pair: pair.sip_status,
    "sip_latency_ms": lambda _, pair: pair.sip_latency_ms,
    "reply": lambda _, pair: pair.replies[0].id if pair.replies else None,
    "reply_frames": _reply_frames,
    "reply_code": lambda _, pair: pair.replies[0].code if pair.replies else None,
    "reply_latency_ms": lambda _, pair: pair.replies[0].latency_ms if pair.replies else None,
    "outcome": lambda _, pair: pair.outcome,
    "paired_by": lambda _, pair: pair.paired_by,
    "index": lambda _, pair: pair.index,
    "rooms": lambda _, pair: list(pair.rooms),
    "replies": lambda trace, pair: [reply_record(trace, reply) for reply in pair.replies],
    "detail": lambda _, pair: pair.detail,
    "name_mismatch": lambda _, pair: pair.name_mismatch,
    "message": lambda _, pair: pair.row,
    "dialog": lambda _, pair: pair.dialog,
    "session": _session,
}


def command_record(
    trace: Trace, pair: CommandPair, fields: Sequence[str] = tuple(FIELDS)
) -> Record:
    """Return the record of one command or post, restricted to ``fields`` in their order."""
    return {name: FIELDS[name](trace, pair) for name in fields}
