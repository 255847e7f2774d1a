"""How a script file looks: one small thing a line, one turn a block.

The rule: the look depends on nothing but the values, so that two versions of a case differ in the
lines of what differs, and reading ignores it altogether.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

WIDTH = 100
"""Columns that a list or object may take before it is broken, as those of the source files."""
TURN_LINES = (
    ("id", "speaker", "listener"),
    ("connection", "dialog", "at_ms", "frame"),
    ("answers", "cause", "copy_of", "optional", "live"),
    ("after",),
    ("message",),
    ("expect",),
)
"""Keys of a turn that stand on one line."""
_UNSEEN = re.compile(
    "[\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
"""What steers a terminal or reorders a line is written as an escape: who reviews a case in a diff
sees what it holds."""


def layout(record: Mapping[str, Any]) -> str:
    """Return the text of a script file, with a line break at its end."""
    return "\n".join(_object(record, "", _top)) + "\n"


def compact(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    """Return a JSON value on one line."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _top(key: str, value: Any, indent: str) -> Iterator[str]:  # noqa: ANN401
    if key == "turns":
        yield from _list([list(_turn(turn, indent + "  ")) for turn in value], indent)
    elif isinstance(value, list):
        yield from _list([[compact(one)] for one in value], indent)
    else:
        yield from _value(value, indent)


def _object(
    record: Mapping[str, Any],
    indent: str,
    write: Any = None,  # noqa: ANN401  (a function as _top)
) -> Iterator[str]:
    yield "{"
    last = len(record) - 1
    for at, (key, value) in enumerate(record.items()):
        lines = list((write or _member)(key, value, indent + "  "))
        lines[0] = f"{indent}  {compact(key)}: {lines[0]}"
        lines[-1] += "," if at < last else ""
        yield from lines
    yield indent + "}"


def _list(items: Sequence[list[str]], indent: str) -> Iterator[str]:
    """Yield a list whose items are lines already; the first of them is not indented."""
    if not items:
        yield "[]"
        return
    yield "["
    for at, lines in enumerate(items):
        lines[0] = f"{indent}  {lines[0]}"
        lines[-1] += "," if at < len(items) - 1 else ""
        yield from lines
    yield indent + "]"


def _turn(turn: Mapping[str, Any], indent: str) -> Iterator[str]:
    groups = [[key for key in keys if key in turn] for keys in TURN_LINES]
    present = [keys for keys in groups if keys]
    yield "{"
    for at, keys in enumerate(present):
        lines = list(_group(turn, keys, indent + "  "))
        lines[-1] += "," if at < len(present) - 1 else ""
        yield from lines
    yield indent + "}"


def _group(turn: Mapping[str, Any], keys: Sequence[str], indent: str) -> Iterator[str]:
    if len(keys) > 1 or keys[0] not in ("after", "message", "expect"):
        yield indent + ", ".join(f"{compact(key)}: {compact(turn[key])}" for key in keys)
        return
    lines = list(_member(keys[0], turn[keys[0]], indent))
    lines[0] = f"{indent}{compact(keys[0])}: {lines[0]}"
    yield from lines


def _member(key: str, value: Any, indent: str) -> Iterator[str]:  # noqa: ANN401
    if key == "message":
        yield from _object(value, indent)
    elif isinstance(value, list) and (key in ("headers", "expect") or not _fits(value, indent)):
        yield from _list([[compact(one)] for one in value], indent)
    else:
        yield from _value(value, indent)


def _value(value: Any, indent: str) -> Iterator[str]:  # noqa: ANN401
    if isinstance(value, dict) and not _fits(value, indent):
        yield from _object(value, indent)
    else:
        yield compact(value)


def _fits(value: Any, indent: str) -> bool:  # noqa: ANN401
    return len(indent) + len(compact(value)) + 20 <= WIDTH
