"""A script as plain JSON values, in the order that people read them in.

The rule: what is as it is by default is not written, and nothing is lost: whoever reads the values
(``analyzer.replay.script_reading``) gets the same script.
"""

from __future__ import annotations

import base64
import dataclasses
import re
from typing import TYPE_CHECKING, Any

from analyzer.replay.script import VERSION
from dissectors.sip.grammar import TOKEN_RE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.replay.script import Aside, Expectation, Script, Turn
    from analyzer.replay.template import Template

FORMAT = "xccos-script"
SHORT_BODY = 100
"""Characters of a body that is left on one line."""
BASE64_LINE = 76
"""Characters (RFC 2045 6.8)."""
_TAGS = re.compile(r"(?<=>)(?=<[^/!])")
"""Between a tag and an element that begins: where a long XML body is broken into pieces."""
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def script_record(script: Script) -> dict[str, Any]:
    """Return a script as JSON values."""
    record: dict[str, Any] = {"format": FORMAT, "version": VERSION, "title": script.title}
    if script.started:
        record["started"] = script.started
    if script.origin:
        record["origin"] = dict(script.origin)
    for name in ("parties", "connections", "dialogs", "slots"):
        record[name] = [plain_record(one) for one in getattr(script, name)]
    record["turns"] = [turn_record(turn) for turn in script.turns]
    if script.asides:
        record["asides"] = [_aside(one) for one in script.asides]
    return record


def plain_record(value: Any) -> dict[str, Any]:  # noqa: ANN401  (any of the flat value types)
    """Return a flat dataclass without the fields that are as they are by default."""
    return {
        field.name: getattr(value, field.name)
        for field in dataclasses.fields(value)
        if field.default is dataclasses.MISSING or getattr(value, field.name) != field.default
    }


def turn_record(turn: Turn) -> dict[str, Any]:
    """Return a turn as JSON values."""
    record = plain_record(turn)
    record["at_ms"] = turn.at_ms
    record["message"] = message_record(turn.message)
    if turn.after:
        record["after"] = list(turn.after)
    if turn.expect:
        record["expect"] = [_expectation(one) for one in turn.expect]
    return record


def message_record(message: Template) -> dict[str, Any]:
    """Return a message: its start line, headers as lines, the body in pieces to be joined."""
    record: dict[str, Any] = {
        "start": message.start,
        "headers": [_header(name, value) for name, value in message.headers],
    }
    if message.body:
        pieces = list(_pieces(message.body))
        record["body"] = pieces[0] if len(pieces) == 1 else pieces
    if message.binary:
        text = base64.b64encode(message.binary).decode()
        record["binary"] = [
            text[at : at + BASE64_LINE] for at in range(0, len(text), BASE64_LINE)
        ]  # fmt: skip
    return record


def _header(name: str, value: str) -> str | list[str]:
    """Return ``Name: value``; a pair where the name is no token, which only damage brings."""
    return f"{name}: {value}" if TOKEN_RE.fullmatch(name) else [name, value]


def _pieces(body: str) -> Iterator[str]:
    """Yield the lines of a body with their ends; a long XML line is broken before its elements."""
    for line in _LINE.findall(body):
        if len(line) > SHORT_BODY and body.lstrip()[:1] == "<":
            yield from _TAGS.split(line)
        else:
            yield line


def _expectation(one: Expectation) -> dict[str, str]:
    return {"path": one.path, "equals": one.equals}


def _aside(aside: Aside) -> dict[str, Any]:
    record = plain_record(aside)
    record["exchanges"] = [
        {"at_ms": at_ms, "speaker": "opener" if opener else "responder", "text": text}
        for at_ms, opener, text in aside.exchanges
    ]
    return record
