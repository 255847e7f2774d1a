"""Older versions of script files, converted step by step when they are read.

The rule: a converter takes the JSON values of its version to the next one and judges nothing: what
does not have the expected shape it passes on as it is, for the reader to name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.replay.script import VERSION
from analyzer.replay.script_values import ScriptError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Values = dict[str, Any]
Converter = "Callable[[Values], Values]"


def _from_draft(values: Values) -> Values:
    """0, the draft: times were ``at`` in seconds, and what a turn waits for was ``needs``."""
    turns = values.get("turns")
    if not isinstance(turns, list):
        return values
    return {**values, "turns": [_draft_turn(turn) for turn in turns]}


def _draft_turn(turn: object) -> object:
    if not isinstance(turn, dict):
        return turn
    names = {"at": "at_ms", "needs": "after"}
    found = {names.get(key, key): value for key, value in turn.items()}
    seconds = turn.get("at")
    if isinstance(seconds, float) or (isinstance(seconds, int) and abs(seconds) < 1 << 53):
        found["at_ms"] = round(seconds * 1000.0, 6)
    return found


CONVERTERS: Mapping[int, Callable[[Values], Values]] = {0: _from_draft}
"""By the version that they start from."""


def current(
    values: Values,
    file: str,
    converters: Mapping[int, Callable[[Values], Values]] = CONVERTERS,
    newest: int = VERSION,
) -> Values:
    """Return the values of a file as those of the newest version. Raises ScriptError."""
    version = values.get("version")
    if isinstance(version, bool) or not isinstance(version, int):
        raise ScriptError(file, "version", "must be a whole number")
    if version > newest:
        told = f"is {str(version)[:20]}, and this program reads up to {newest}: update it"
        raise ScriptError(file, "version", told)
    while version < newest:
        convert = converters.get(version)
        if convert is None:
            raise ScriptError(file, "version", f"is {str(version)[:20]}, which never was one")
        values = {**convert(values), "version": version + 1}
        version += 1
    return values
