"""From the text of a filter to its terms, each with the place where it stands.

The rule: what is wrong is one sentence and a place in the text; where something comes near to what
was meant, it is offered in its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from analyzer.filters.words import BARE, BY_NAME, KINDS_OF_COMMANDS, SCHEMES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analyzer.filters.words import Word

MAX_LENGTH = 2_000
"""Characters of a filter: as many as an address of the page keeps."""
MAX_TERMS = 100
"""More than anybody types; each is tried on every message."""
MAX_VALUES = 200
"""Of one term: a list of frames or users that was pasted."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_SIGN = re.compile(r"\s*(==|!=|>=|<=|=|>|<)\s*")
_ALWAYS = ("and", "&&")
_NEVER = ("or", "||")
_BLANK = re.compile(r"\s*")
_BARE = re.compile(r"[^\s\"][^\s]*")
_CLOSED = {"(": ")", "{": "}"}


class FilterError(ValueError):
    """What is wrong with a filter, and where."""

    def __init__(self, at: int, length: int, sentence: str, instead: str | None = None) -> None:
        super().__init__(sentence)
        self.at = at
        """Characters before what is wrong."""
        self.length = max(1, length)
        self.sentence = sentence
        self.instead = instead
        """What could stand there; None where nothing comes near."""

    def mended(self, text: str) -> str | None:
        """Return the filter with what could stand there."""
        if self.instead is None:
            return None
        return text[: self.at] + self.instead + text[self.at + self.length :]


class Value(NamedTuple):
    """A value, and where it stands."""

    text: str
    at: int
    length: int


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: a word with its values, any of which will do."""

    word: str
    """Name of a word; ``BARE`` for a text without one."""
    values: tuple[Value, ...]
    negated: bool
    at: int
    length: int

    @property
    def texts(self) -> tuple[str, ...]:
        """The values alone."""
        return tuple(one.text for one in self.values)


class Lexer:
    """Reads one filter."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def terms(self) -> list[Term]:
        """Return the terms in their order."""
        if len(self._text) > MAX_LENGTH:
            raise FilterError(
                MAX_LENGTH, len(self._text) - MAX_LENGTH,
                f"a filter has {MAX_LENGTH:,} characters at most",
            )  # fmt: skip
        found: list[Term] = []
        while self._skip():
            term = self._term()
            if term is None:
                continue
            if len(found) == MAX_TERMS:
                raise FilterError(term.at, term.length, f"a filter has {MAX_TERMS} terms at most")
            found.append(term)
        return found

    def _skip(self) -> bool:
        """Go over blanks; say whether anything follows."""
        self._at = self._end(_BLANK, self._at)
        return self._at < len(self._text)

    def _end(self, pattern: re.Pattern[str], at: int) -> int:
        found = pattern.match(self._text, at)
        return at if found is None else found.end()

    def _term(self) -> Term | None:
        begin = self._at
        negated = self._negation()
        if negated is None:
            return None
        text, at = self._text, self._at
        if text[at] == '"':
            value = self._quoted()
            return Term(BARE, (value,), negated, begin, self._at - begin)
        if text[at] in "()":
            raise FilterError(
                at, 1, "a parenthesis stands only behind a word, as in status:(200, 4xx); put it "
                "in quotes to look for it",
            )  # fmt: skip
        named = self._named(begin, negated=negated)
        if named is not None:
            return named
        end = self._end(_BARE, at)
        self._at = end
        return Term(BARE, (Value(text[at:end], at, end - at),), negated, begin, end - begin)

    def _negation(self) -> bool | None:
        """Go over ``-``, ``!`` and ``not``; None: over a word that says nothing."""
        begin, negated = self._at, False
        while True:
            at, text = self._at, self._text
            word = text[at : self._end(re.compile(r"[A-Za-z&|]+(?!\S)"), at)].lower()
            if word in _NEVER:
                raise FilterError(
                    at, len(word), "several values of one word mean any of them, as in "
                    "status:200,4xx; other terms must all hold, and this word is not needed",
                )  # fmt: skip
            if word in _ALWAYS and not negated:
                self._at += len(word)
                return None
            if word == "not":
                self._at += len(word)
                self._skip()
            elif text[at : at + 1] in ("-", "!") and text[at + 1 : at + 2].strip():
                self._at += 1
            else:
                break
            negated = not negated
        if self._at >= len(self._text):
            raise FilterError(begin, self._at - begin, "what is not wanted is missing behind it")
        return negated

    def _named(self, begin: int, *, negated: bool) -> Term | None:
        """Read a word with its values; None: a text without one stands here."""
        text, at = self._text, self._at
        found = _NAME.match(text, at)
        if found is None:
            return None
        name, end = found[0], found.end()
        word = BY_NAME.get(name.lower().replace("_", "-"))
        if text[end : end + 1] == ":":
            if word is None:
                return self._unknown(begin, name, negated=negated)
            self._at = end + 1
            sign = ""
        else:
            behind = _SIGN.match(text, end)
            if word is None or behind is None:
                return None
            sign = behind[1]
            self._at = behind.end()
        return self._valued(word, sign, begin, (at, end), negated=negated)

    def _unknown(self, begin: int, name: str, *, negated: bool) -> Term | None:
        """Read ``cmd:join``, which is short for a command; let addresses be text."""
        at, lower = self._at, name.lower()
        if lower in KINDS_OF_COMMANDS:
            end = self._end(re.compile(r"[^\s,]+"), at)
            if end > at + len(name) + 1:
                self._at = end
                value = Value(self._text[at:end], at, end - at)
                return Term("command", (value,), negated, begin, end - begin)
        if lower in SCHEMES:
            return None
        near = nearest(lower, BY_NAME)
        raise FilterError(
            at, len(name), f"there is no word {name[:40]!r}; put it in quotes to look for the text",
            None if near is None else BY_NAME[near].name,
        )  # fmt: skip

    def _valued(
        self, word: Word, sign: str, begin: int, name: tuple[int, int], *, negated: bool
    ) -> Term:
        at, end = name
        if sign in (">", "<", ">=", "<=") and not word.compared:
            raise FilterError(
                end, self._at - end, f"{word.name} is not compared; write {word.name}:VALUE", ":"
            )
        values = self._values(word)
        if not values:
            raise FilterError(
                at, self._at - at, f"{word.name} needs a value, such as "
                f"{word.name}:{word.examples[0]}",
            )  # fmt: skip
        if sign in (">", "<", ">=", "<="):
            values = [one._replace(text=sign + one.text) for one in values]
        unlike = negated != (sign == "!=")
        return Term(word.name, tuple(values), unlike, begin, self._at - begin)

    def _values(self, word: Word) -> list[Value]:
        text = self._text
        closing = _CLOSED.get(text[self._at : self._at + 1], "")
        if closing:
            return self._listed(closing)
        found = [self._value(word)]
        while found[-1].length and word.parted and text[self._at : self._at + 1] == ",":
            self._at += 1
            self._skip()
            found.append(self._value(word))
        return self._bounded([one for one in found if one.text])

    def _value(self, word: Word) -> Value:
        at = self._at
        if self._text[at : at + 1] == '"':
            return self._quoted()
        self._at = self._end(_PARTED if word.parted else _WHOLE, at)
        return Value(self._text[at : self._at], at, self._at - at)

    def _listed(self, closing: str) -> list[Value]:
        """Read ``(200, 4xx)``: what parts the values may be a comma, a bar, a blank, ``or``."""
        begin = self._at
        self._at += 1
        found: list[Value] = []
        while True:
            self._at = self._end(_PARTING, self._at)
            here = self._text[self._at : self._at + 1]
            if not here:
                raise FilterError(begin, len(self._text) - begin, f"the {closing} is missing")
            if here == closing:
                self._at += 1
                return self._bounded(found)
            if here == '"':
                found.append(self._quoted())
                continue
            end = max(self._end(_IN_LIST, self._at), self._at + 1)
            if self._text[self._at : end].lower() not in _NEVER:
                found.append(Value(self._text[self._at : end], self._at, end - self._at))
            self._at = end

    @staticmethod
    def _bounded(found: list[Value]) -> list[Value]:
        if len(found) > MAX_VALUES:
            one = found[MAX_VALUES]
            raise FilterError(one.at, one.length, f"a word takes {MAX_VALUES} values at most")
        return found

    def _quoted(self) -> Value:
        begin, found = self._at, _QUOTED.match(self._text, self._at)
        if found is None:
            raise FilterError(
                begin, len(self._text) - begin, "the quote is not closed", self._text[begin:] + '"'
            )
        self._at = found.end()
        plain = re.sub(r"\\([\"\\])", r"\1", found[1])
        if not plain.strip():
            raise FilterError(begin, self._at - begin, "nothing stands between the quotes")
        return Value(plain, begin, self._at - begin)


_PARTED = re.compile(r"[^\s,\"]*")
_WHOLE = re.compile(r"[^\s\"]*")
_IN_LIST = re.compile(r"[^\s,|(){}\"]*")
_PARTING = re.compile(r"[\s,|]*")
_QUOTED = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*)"', re.DOTALL)


def nearest(text: str, known: Iterable[str]) -> str | None:
    """Return what of some names comes nearest to a text, where one does."""
    from difflib import get_close_matches  # only where something was mistyped

    found = get_close_matches(text.lower(), [*known], 1, 0.6)
    return found[0] if found else None
