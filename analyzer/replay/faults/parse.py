"""A rule from its words: ``503 cmd=join nth=1 retry-after=2``.

The rule: the first word is the fault, the others say which messages and how; a word that is not
known is an error that names it, never passed over.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.faults.kinds import KINDS, Kind
from analyzer.replay.faults.rules import Rule
from analyzer.replay.faults.selecting import FLAGS, SELECTING, Words, selection
from analyzer.replay.faults.words import WordError, did_you_mean, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_TEXT = 4096
"""Characters of a rule: one fits on a line."""
_REPEATED = frozenset({"header"})
_STATUS = re.compile(r"[2-6][0-9]{2}")


class Word(NamedTuple):
    """A word of a rule."""

    name: str
    value: str | None
    """None: a word without ``=``."""


def parse_rule(text: str) -> Rule:
    """Read one rule as it stands on a command line.

    Raises:
        ValueError: one line that names the word and says what it should be.
    """
    if len(text) > MAX_TEXT:
        raise WordError(f"a fault of more than {MAX_TEXT} characters")
    try:
        first, *rest = shlex.split(text)
    except ValueError:  # a quotation that does not end, or nothing at all
        reason = "a quotation does not end" if text.strip() else f"it is empty, {_known()}"
        raise WordError(f"fault {shown(text)}: {reason}") from None
    parts = (word.partition("=") for word in rest)
    words = [Word(name, value if equals else None) for name, equals, value in parts]
    return rule_of(first, words, " ".join(text.split()))


def rule_of(name: str, words: Iterable[Word], text: str) -> Rule:
    """Return the rule of a fault's name and its words; ``text`` tells it to people.

    Raises:
        ValueError: as ``parse_rule``.
    """
    given = list(words)
    if _STATUS.fullmatch(name):  # "503 cmd=join" is "answer status=503 cmd=join"
        name, given = "answer", [*given, Word("status", name)]
    try:
        kind = _kind(name)
        return _rule(kind, _collected(given, kind), text)
    except WordError as error:
        raise WordError(f"fault {shown(text)}: {error}") from None


def _kind(name: str) -> Kind:
    kind = KINDS.get(name.lower())
    if kind is None:
        raise WordError(f"there is no such fault, {did_you_mean(name, KINDS)}")
    return kind


def _rule(kind: Kind, words: Words, text: str) -> Rule:
    """Make the fault of its own words; what is left says which messages."""
    fault = kind.make(words)
    selecting = {word: values for word, values in words.items() if word not in kind.words}
    return Rule(fault, selection(selecting, kind.direction), text)


def _collected(given: list[Word], kind: Kind) -> Words:
    known, words = (*kind.words, *SELECTING), Words()
    for name, value in given:
        name_ = name.lower()
        if name_ not in known:
            raise WordError(f"{shown(name)} is no word of it, {did_you_mean(name_, known)}")
        if value is None and name_ not in FLAGS:
            raise WordError(f"{name_} wants a value: {name_}=…")
        if name_ in words and name_ not in _REPEATED:
            raise WordError(f"{name_} stands there twice")
        words.setdefault(name_, []).append(value or "")
    return words


def _known() -> str:
    return f"known: a status, {', '.join(KINDS)}"
