"""A filter: read from its text, and asked which messages it lets through.

The rule: several values of one word mean any of them, different words mean all of them; what is
negated must not hold. Words without a name must all be in the message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from analyzer.diagnostics.select import near
from analyzer.filters.lexing import FilterError, Lexer, Term, Value, nearest
from analyzer.filters.words import BARE, BY_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.filters.facts import Looked


@dataclass(frozen=True, slots=True)
class Filter:
    """What someone asked for."""

    text: str
    terms: tuple[Term, ...]
    """Those of one word that are meant together are one term."""

    def rows(self, looked: Looked, zone: tzinfo = UTC) -> Sequence[int]:
        """Return the messages that it lets through, ascending.

        Args:
            looked: the capture, with what was worked out of it.
            zone: of times that do not say their own.

        Raises:
            FilterError: for a session, dialog or finding that is not there.
        """
        from analyzer.filters.matching import matching_rows

        return matching_rows(self.terms, looked, zone)

    def values(self, *words: str) -> tuple[str, ...]:
        """Return the values of words, of terms that are not negated."""
        return tuple(
            text
            for term in self.terms
            if term.word in words and not term.negated
            for text in term.texts
        )

    @property
    def phrases(self) -> tuple[str, ...]:
        """The texts that it looks for."""
        return self.values(BARE, "text")


def parse_filter(text: str) -> Filter:
    """Read a filter. Raises FilterError with the place of what is wrong."""
    joined: dict[tuple[str, bool], Term] = {}
    found: list[Term] = []
    for term in map(_checked, Lexer(text).terms()):
        key = (term.word, term.negated)
        if term.word == BARE:
            found.append(term)
        elif key in joined:
            _refuse_bounds(joined[key], term)
            values = (*joined[key].values, *term.values)
            joined[key] = Term(*key[:1], values, key[1], joined[key].at, joined[key].length)
        else:
            joined[key] = term
    return Filter(text, (*joined.values(), *found))


def _refuse_bounds(one: Term, other: Term) -> None:
    """Refuse a lower and an upper bound as terms of their own: any of them is everything there is.

    In other languages both must hold, so somebody would take the rest for what lies between.
    """
    signs = {value.text[:1] for value in (*one.values, *other.values)}
    if not one.negated and {"<", ">"} <= signs:
        between = "8-13" if one.word == "frame" else "400-499"
        raise FilterError(
            other.at, other.length,
            "several values of one word mean any of them, here all there are; what lies between "
            f"is {one.word}:{between}",
        )  # fmt: skip


def _checked(term: Term) -> Term:
    """Return a term with the values that its own stand for. Raises FilterError."""
    if term.word == BARE:
        return term
    values = tuple(_value(term.word, one) for one in term.values)
    return Term(term.word, values, term.negated, term.at, term.length)


def _value(name: str, value: Value) -> Value:
    word = BY_NAME[name]
    if word.known is not None:
        meant = word.known.get(value.text.lower())
        if meant is None:
            there = ", ".join(dict.fromkeys(word.known.values()))
            close = nearest(value.text, word.known)
            raise FilterError(
                value.at, value.length, f"{name} is one of: {there}",
                None if close is None else word.known[close],
            )  # fmt: skip
        return value._replace(text=meant)
    try:
        word.check(value.text)
    except ValueError as error:
        raise FilterError(value.at, value.length, str(error), _rule_near(name, value)) from None
    return value


def _rule_near(name: str, value: Value) -> str | None:
    """Return the rule that was meant, where that can be guessed."""
    if name not in ("finding", "evidence"):
        return None
    return next(iter(near(value.text)), None)
