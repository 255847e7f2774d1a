"""Script files: JSON that a person can read, edit and keep in a repository (docs/script.md).

The rule: reading what was written gives the same script, and a file can hold nothing that raises
anything but ``ScriptError`` with one line.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from analyzer.replay.script_layout import layout
from analyzer.replay.script_reading import is_script, script_of
from analyzer.replay.script_record import FORMAT, script_record
from analyzer.replay.script_values import ScriptError
from analyzer.replay.versions import current

if TYPE_CHECKING:
    from analyzer.replay.script import Script

__all__ = ["MAX_FILE", "ScriptError", "read_script", "write_script"]

MAX_FILE = 64 << 20
"""Bytes. A turn has some 2 kB, so that this is a day of a busy front end."""
MAX_BRACKETS = 4_000_000
"""Lists and objects: a turn has about eight. Each takes a hundred bytes once it is read, which in
a file of nothing else would be gigabytes."""


def write_script(script: Script) -> str:
    """Return the text of a script file; it ends with a line break."""
    return layout(script_record(script))


def read_script(data: str | bytes, name: str = "script") -> Script:
    """Return the script that a file holds; older versions are converted.

    Raises:
        ScriptError: it is none; the line says where (``turns[3].message.headers[2]``) and why.
    """
    values = _values(data, name)
    if not is_script(values):
        raise ScriptError(name, "", f'no script: it does not say "format": "{FORMAT}"')
    return script_of(current(values, name), name)


def _values(data: str | bytes, name: str) -> Any:  # noqa: ANN401  (any JSON value)
    if len(data) > MAX_FILE:
        raise ScriptError(name, "", f"longer than {MAX_FILE} bytes")
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data.removeprefix("\ufeff")
        return _parsed(text)
    except UnicodeDecodeError as error:
        raise ScriptError(name, "", f"byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ScriptError(name, where, f"no JSON: {error.msg}") from None
    except RecursionError:
        raise ScriptError(name, "", "nested too deep for a script") from None
    except (
        ValueError
    ) as error:  # too many brackets, a key twice, NaN, a number of more digits than Python reads
        raise ScriptError(name, "", f"no JSON: {str(error)[:100]}") from None


def _parsed(text: str) -> Any:  # noqa: ANN401  (any JSON value)
    if text.count("[") + text.count("{") > MAX_BRACKETS:
        raise ValueError(f"more than {MAX_BRACKETS} lists and objects")
    return json.loads(text, object_pairs_hook=_members, parse_constant=_no_number)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; a key that is there twice would hide what its first value says."""
    found = dict(pairs)
    if len(found) < len(pairs):
        left = iter(found)  # in the order of their first occurrence
        twice = next(name for name, _ in pairs if name != next(left, None))
        raise ValueError(f"the key {twice[:40]!r} is there twice in one object")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")
