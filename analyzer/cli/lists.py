"""``xccos messages``, ``dialogs``, ``commands`` and ``sessions``: lists with filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from analyzer.cli.fail import judge_of
from analyzer.cli.listing import Listed, Listing
from analyzer.cli.options import (
    fail_option,
    files_argument,
    filter_options,
    output_options,
    wireshark_option,
)
from analyzer.cli.table import Column
from analyzer.export.messages import MessageWriter
from analyzer.query import Selection
from analyzer.times import latency_text
from analyzer.views import commands as command_view
from analyzer.views import dialogs as dialog_view
from analyzer.views import messages as message_view
from analyzer.views import sessions as session_view
from analyzer.wireshark import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.trace import Trace

Record = dict[str, Any]


def clock(time: str | None) -> str:
    """Return the time of day of an ISO time, to the millisecond; the date is in ``triage``."""
    return (time or "")[11:23].removesuffix("Z")


def what(record: Record) -> str:
    """Return ``INFO`` for a request, ``200 OK (INFO)`` for a response."""
    if record["status"] is None:
        return record["method"] or "?"
    answer = f"{record['status']} {record['reason'] or ''}".rstrip()
    return f"{answer} ({record['method']})" if record["method"] else answer


def _message_cells(record: Record) -> list[str]:
    ids = [item["id"] or item["element"] for item in record["xccos"]]
    return [
        str(record["index"]),
        str(record["frame"]),
        clock(record["time"]),
        record["src"],
        record["dst"],
        what(record),
        " ".join([*ids, *(f"!{note}" for note in record["notes"])]),
    ]


def _message_record(trace: Trace, row: int, fields: Sequence[str]) -> Record:
    return message_view.message_record(trace, row, fields)


def _status_style(text: str) -> str:
    return {"2": "good", "4": "bad", "5": "bad", "6": "bad"}.get(text[:1], "plain")


_MESSAGES = Listing(
    "message",
    tuple(message_view.FIELDS),
    Selection.messages,
    _message_record,
    (
        Column("#", right=True),
        Column("frame", right=True),
        Column("time", least=12),
        Column("from", least=11, rank=1),
        Column("to", least=11, rank=1),
        Column("message", least=14, style=_status_style),
        Column("XCCOS", least=10),
    ),
    ("index", "frame", "time", "src", "dst", "method", "status", "reason", "xccos", "notes"),
    _message_cells,
    MessageWriter,
    message_view.FULL_FIELDS,
    frames=shown.of_message,
)


def outcome_style(outcome: str) -> str:
    """Return the style of a command's outcome."""
    return {
        "answered": "good",
        "accepted": "good",
        "rejected": "bad",
        "unanswered": "bad",
        "unknown": "doubtful",
    }.get(outcome, "plain")


def _command_cells(record: Record) -> list[str]:
    status = "" if record["sip_status"] is None else str(record["sip_status"])
    return [
        str(record["index"]),
        "" if record["frame"] is None else str(record["frame"]),
        clock(record["time"]),
        (record["user"] or "").removeprefix("sip:"),
        record["command"],
        " ".join([status, latency_text(record["sip_latency_ms"])]).strip(),
        " ".join([record["reply_code"] or "", latency_text(record["reply_latency_ms"])]).strip(),
        " ".join(map(str, record["reply_frames"])),
        record["outcome"],
        " ".join(uri.rpartition("/")[2] for uri in record["rooms"]),
    ]


_COMMANDS = Listing(
    "command",
    tuple(command_view.FIELDS),
    Selection.pairs,
    command_view.command_record,
    (
        Column("#", right=True),
        Column("frame", right=True),
        Column("time", least=12),
        Column("user", least=8, rank=1),
        Column("command", least=9),
        Column("SIP", least=11),
        Column("reply", least=11),
        Column("frames", least=6),
        Column("outcome", least=10, style=outcome_style),
        Column("room", least=8, rank=2),
    ),
    (
        *("index", "frame", "time", "user", "command", "sip_status", "sip_latency_ms"),
        *("reply_code", "reply_latency_ms", "reply_frames", "outcome", "rooms"),
    ),
    _command_cells,
    frames=shown.of_pair,
)


def _span(record: Record) -> str:
    return f"{record['duration_ms'] / 1000:.3f} s"


def _dialog_cells(record: Record) -> list[str]:
    return [
        str(record["index"]),
        record["role"],
        record["method"],
        clock(record["started"]),
        _span(record),
        (record["caller"] or "").removeprefix("sip:"),
        (record["callee"] or "").removeprefix("sip:"),
        record["state"],
        record["ended_by"] or "",
        str(len(record["messages"])),
        record["call_id"],
    ]


_DIALOGS = Listing(
    "dialog",
    tuple(dialog_view.FIELDS),
    Selection.dialogs,
    dialog_view.dialog_record,
    (
        Column("#", right=True),
        Column("role", least=12),
        Column("method", least=9, rank=3),
        Column("started", least=12),
        Column("lasted", right=True, least=7),
        Column("caller", least=10),
        Column("callee", least=10),
        Column("state", least=10),
        Column("ended by", least=10, rank=1),
        Column("messages", right=True, least=8, rank=4),
        Column("Call-ID", least=8, rank=2),
    ),
    (
        *("index", "role", "method", "started", "duration_ms", "caller", "callee", "state"),
        *("ended_by", "messages", "call_id"),
    ),
    _dialog_cells,
    frames=shown.of_dialog,
)


def _session_cells(record: Record) -> list[str]:
    return [
        str(record["index"]),
        (record["user"] or "unknown").removeprefix("sip:"),
        clock(record["started"]),
        _span(record),
        record["client_address"],
        str(len(record["commands"])),
        str(len(record["posts"])),
        str(len(record["problems"])),
        record["verdict"],
    ]


_SESSIONS = Listing(
    "session",
    tuple(session_view.FIELDS),
    Selection.sessions,
    session_view.session_record,
    (
        Column("#", right=True),
        Column("user", least=10),
        Column("started", least=12),
        Column("lasted", right=True, least=7),
        Column("client", least=11, rank=1),
        Column("commands", right=True, least=8, rank=3),
        Column("posts", right=True, rank=3),
        Column("problems", right=True, least=8, rank=2),
        Column("verdict", least=12),
    ),
    (
        *("index", "user", "started", "duration_ms", "client_address", "commands", "posts"),
        *("problems", "verdict"),
    ),
    _session_cells,
    frames=shown.of_session,
)


@click.command(epilog="Example: xccos messages capture.pcap --command join --format jsonl")
@files_argument
@filter_options
@output_options
@wireshark_option
@click.option(
    "--full",
    is_flag=True,
    help="Add start line, headers and body of each message (json, jsonl).",
)
def messages(**options: Any) -> int:  # noqa: ANN401  (click gives them by name)
    """List SIP messages in capture order.

    --user is in From or To; --status is of an answer; --command and --room are in the XCCOS body.
    The number in the first column is what `xccos show` takes.
    """
    return Listed(_MESSAGES, options).run()


@click.command(epilog="Example: xccos dialogs capture.pcap --status '>=400'")
@files_argument
@filter_options
@output_options
@wireshark_option
def dialogs(**options: Any) -> int:  # noqa: ANN401
    """List SIP dialogs, and registrations.

    --user is the client or either party; the times overlap the dialog; --method, --status,
    --command and --room are met together by one message of it.
    """
    return Listed(_DIALOGS, options).run()


@click.command(epilog="Example: xccos commands capture.pcap --room ops --fail-on rejected")
@files_argument
@filter_options
@output_options
@wireshark_option
@fail_option
def commands(**options: Any) -> int:  # noqa: ANN401
    """List commands and posts, each with the SIP answer and the reply.

    --user sent it; --method carried it; --status is the SIP answer or the code of a reply; the
    times are those of the command. --fail-on looks at the commands that the filters select.
    """
    listed = Listed(_COMMANDS, options)
    listed.judge = judge_of(options["fail_on"])
    return listed.run()


@click.command(epilog="Example: xccos sessions capture.pcap --user ann -o sessions.json")
@files_argument
@filter_options
@output_options
@wireshark_option
def sessions(**options: Any) -> int:  # noqa: ANN401
    """List sessions: all that one client did from sign-in to sign-off.

    --user signed in; the times overlap the session; --call-id is of one of its dialogs; --method,
    --status, --command and --room are met together by one message of such a dialog.
    """
    return Listed(_SESSIONS, options).run()
