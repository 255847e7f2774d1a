"""Rules from a file: JSON or TOML, as lines or as tables.

``["drop rpl=getpref", {"fault": "503", "cmd": "join", "nth": 1}]`` in JSON, also under the key
``faults``; in TOML ``faults = ["drop rpl=getpref"]`` or tables ``[[faults]]``. The rule: the keys
of a table are the words of the line, and ``true`` stands for a word without a value.
"""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

from analyzer.replay.faults.parse import Word, parse_rule, rule_of
from analyzer.replay.faults.words import WordError, shown

if TYPE_CHECKING:
    from analyzer.replay.faults.rules import Rule

MAX_FILE = 256 << 10
"""Bytes: thousands of rules."""
MAX_RULES = 1000
_NAME = "fault"
_LIST = "faults"


def read_rules(text: str, name: str) -> tuple[Rule, ...]:
    """Read the rules of a file whose name tells its format: ``.json``, else TOML.

    Raises:
        ValueError: one line that names the file, the rule and the word.
    """
    if len(text) > MAX_FILE:
        raise WordError(f"{name}: more than {MAX_FILE >> 10} KiB")
    values = _values(text, name)
    if isinstance(values, dict):
        strange = sorted(set(values) - {_LIST})
        if strange:
            raise WordError(f"{name}: unknown key {shown(str(strange[0]))}, known: {_LIST}")
        values = values.get(_LIST, [])
    if not isinstance(values, list):
        raise WordError(f"{name}: a list of faults is wanted")
    if len(values) > MAX_RULES:
        raise WordError(f"{name}: more than {MAX_RULES} faults")
    return tuple(_rule(value, f"{name}: {number}.") for number, value in enumerate(values, 1))


def _values(text: str, name: str) -> object:
    plain = text.removeprefix("\ufeff")
    try:
        return json.loads(plain) if name.lower().endswith(".json") else tomllib.loads(plain)
    except RecursionError:
        raise WordError(f"{name}: nested too deep") from None
    except ValueError as error:  # both libraries derive theirs from it
        raise WordError(f"{name}: {' '.join(str(error).split())[:200]}") from None


def _rule(value: object, where: str) -> Rule:
    try:
        if isinstance(value, str):
            return parse_rule(value)
        if isinstance(value, dict):
            return _of_table(value)
    except ValueError as error:
        raise WordError(f"{where} {error}") from None
    raise WordError(f"{where} fault: a line or a table is wanted")


def _of_table(table: dict[object, object]) -> Rule:
    kind = table.get(_NAME)
    if not isinstance(kind, str | int) or isinstance(kind, bool):
        raise WordError(f'which one? {_NAME} = "drop"')
    words = [
        word
        for key, value in table.items()
        if key != _NAME
        for one in (value if isinstance(value, list) else [value])
        for word in _word(str(key), one)
    ]
    told = [word.name if word.value is None else f"{word.name}={word.value}" for word in words]
    return rule_of(str(kind), words, " ".join([str(kind), *told]))


def _word(name: str, value: object) -> list[Word]:
    match value:
        case bool():
            return [Word(name, None)] if value else []
        case str() | int() | float():
            return [Word(name, str(value))]
        case _:
            raise WordError(f"{shown(name)} wants a word or a number")
