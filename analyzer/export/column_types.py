"""The types of the columns of each table, as Parquet has them."""

from __future__ import annotations

from typing import Any

Kind = Any
"""``text``, ``int``, ``float``, ``bool``, ``time``, ``counts`` (a number by name); a list of one
kind; or a dictionary of kinds by name, which is a structure."""

FILE: Kind = "text"
_ITEM: Kind = {
    "element": "text",
    "id": "text",
    "seqid": "text",
    "envid": "text",
    "commandid": {"seqid": "text", "envid": "text"},
    "code": "text",
    "text": "text",
}
_EVENT: Kind = {"frame": "int", "time": "time", "message": "int"}
_STEP: Kind = {
    "id": "text",
    "title": "text",
    "status": "text",
    "frames": ["int"],
    "latency_ms": "float",
    "detail": "text",
}

COLUMNS: dict[str, dict[str, Kind]] = {
    "messages": {
        "index": "int",
        "frame": "int",
        "frames": ["int"],
        "time": "time",
        **dict.fromkeys(("src", "dst", "transport", "kind", "method"), "text"),
        "status": "int",
        **dict.fromkeys(("reason", "uri", "call_id"), "text"),
        "cseq": {"number": "int", "method": "text"},
        **dict.fromkeys(("from_uri", "from_tag", "to_uri", "to_tag", "content_type"), "text"),
        "content_length": "int",
        "length": "int",
        "sha1": "text",
        "xccos": [_ITEM],
        "notes": ["text"],
    },
    "commands": {
        **dict.fromkeys(("command", "kind", "envid", "seqid", "call_id", "user", "room"), "text"),
        "frame": "int",
        "time": "time",
        "sip_status": "int",
        "sip_latency_ms": "float",
        "reply": "text",
        "reply_frames": ["int"],
        "reply_code": "text",
        "reply_latency_ms": "float",
        "outcome": "text",
        "paired_by": "text",
        "index": "int",
        "rooms": ["text"],
        "replies": [
            {
                "id": "text",
                "frame": "int",
                "time": "time",
                "code": "text",
                "text": "text",
                "latency_ms": "float",
                "message": "int",
            }
        ],
        "detail": "text",
        "name_mismatch": "bool",
        **dict.fromkeys(("message", "dialog", "session"), "int"),
    },
    "dialogs": {
        "index": "int",
        **dict.fromkeys(
            (
                *("role", "evidence", "call_id", "method", "caller", "caller_tag", "callee"),
                *("callee_tag", "client", "service", "state", "ended_by"),
            ),
            "text",
        ),
        "began_in_capture": "bool",
        "started": "time",
        "ended": "time",
        "duration_ms": "float",
        **dict.fromkeys(("opener", "responder", "transport"), "text"),
        "connection": "int",
        "legs": ["int"],
        "xccos": "counts",
        "messages": ["int"],
        "copies": ["int"],
        "frames": ["int"],
        "session": "int",
    },
    "sessions": {
        "index": "int",
        **dict.fromkeys(
            (
                *("user", "epid", "user_agent", "server", "client_address", "front_end"),
                "transport",
            ),
            "text",
        ),
        "connections": ["int"],
        "started": "time",
        "ended": "time",
        "duration_ms": "float",
        "signed_in": _EVENT,
        "signed_off": _EVENT,
        "verdict": "text",
        "steps": [_STEP],
        "rooms": [
            {
                "uri": "text",
                "name": "text",
                "joined_frame": "int",
                "refused_frame": "int",
                "left_frame": "int",
                "posts": "int",
                "received": "int",
            }
        ],
        "posts": [
            {
                "room": "text",
                "user": "text",
                "frame": "int",
                "time": "time",
                "outcome": "text",
                "sip_status": "int",
                "sip_latency_ms": "float",
                "detail": "text",
                "command": "int",
            }
        ],
        "outcomes": dict.fromkeys(
            ("answered", "accepted", "rejected", "unanswered", "unknown"), "int"
        ),
        "slowest": [
            {
                "command": "text",
                "sip_latency_ms": "float",
                "reply_latency_ms": "float",
                "frame": "int",
                "reply_frames": ["int"],
                "index": "int",
                "number": "int",
            }
        ],
        "problems": ["text"],
        "doubts": ["text"],
        "dialogs": [{"dialog": "int", "role": "text", "call_id": "text", "reason": "text"}],
        "services": ["int"],
        "commands": ["int"],
    },
    "flows": {
        **dict.fromkeys(("flow", "user", "variant", "outcome"), "text"),
        "started": "time",
        "duration_ms": "float",
        "steps": [
            {
                "id": "text",
                "title": "text",
                "status": "text",
                "frames": ["int"],
                "time": "time",
                "latency_ms": "float",
                "detail": "text",
            }
        ],
        "session": "int",
        "room": "text",
        "copies": [
            {
                "user": "text",
                "session": "int",
                "echo": "bool",
                "frame": "int",
                "latency_ms": "float",
                "captured": "bool",
                "status": "int",
            }
        ],
        "frame": "int",
    },
    "findings": {
        **dict.fromkeys(("rule", "severity", "title", "detail", "advice"), "text"),
        "frames": ["int"],
        **dict.fromkeys(("user", "call_id", "confidence"), "text"),
        "session": "int",
        "time": "time",
    },
}
"""By table and field; in the order of the fields of JSON."""
