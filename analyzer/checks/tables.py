"""Tables of a rules file, read key by key: every fault names the table and the key.

The rule that matters: a key that nothing reads is an error. A check that is not made because of a
typing error would pass for ever.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

T = TypeVar("T")

_KINDS: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    str: "text",
    list: "a list of tables ([[check]])",
}


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'within'?``, else what there is."""
    names = list(known)
    near = get_close_matches(word.lower(), [name.lower() for name in names], 1, 0.6)
    if near:
        right = next(name for name in names if name.lower() == near[0])
        return f"; did you mean {right!r}?"
    return f"; there are: {', '.join(names)}" if names else ""


class Table:
    """One table of a TOML file, whose keys are taken out one by one."""

    def __init__(self, place: str, values: dict[str, object]) -> None:
        self.place = place
        """``rules.toml: check[2] "sign-in"``"""
        self._values = dict(values)

    def fault(self, key: str, text: str) -> ValueError:
        """Return the error that names table and key."""
        return ValueError(f"{self.place}: {key}: {text}")

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def take(self, key: str, kind: type[T], default: T) -> T:
        """Return a value of a kind, or the default where it is absent."""
        if key not in self._values:
            return default
        value = self._values.pop(key)
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return value
        raise self.fault(key, f"must be {_KINDS.get(kind, 'a table')}")

    def number(self, key: str) -> float | None:
        """Return a number, whole or not; None where it is absent."""
        value = self._values.pop(key, None)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fault(key, "must be a number")
        return float(value)

    def texts(self, key: str, *, numbers: bool = False) -> tuple[str, ...]:
        """Return a text or a list of texts; empty where it is absent.

        ``numbers``: whole numbers are taken as texts too.
        """
        value = self._values.pop(key, None)
        if value is None:
            return ()
        found = value if isinstance(value, list) else [value]
        kinds: tuple[type, ...] = (str, int) if numbers else (str,)
        bad = [one for one in found if not isinstance(one, kinds) or one is True or one is False]
        if bad or not found or "" in found:
            raise self.fault(key, "must be text, or a list of texts that has at least one")
        return tuple(map(str, found))

    def words(self, key: str, known: Sequence[T], *, numbers: bool = False) -> tuple[T, ...]:
        """Return words out of those that are known, written in any case."""
        found: list[T] = []
        for text in self.texts(key, numbers=numbers):
            right = next((one for one in known if str(one).lower() == text.lower()), None)
            if right is None:
                raise self.fault(key, f"{text!r} is not known{suggestion(text, map(str, known))}")
            found.append(right)
        return tuple(found)

    def word(self, key: str, known: Sequence[T], default: T) -> T:
        """Return one word out of those that are known."""
        found = self.words(key, known)
        if len(found) > 1:
            raise self.fault(key, "must be one of them")
        return found[0] if found else default

    def read(self, key: str, reader: Callable[[str], T]) -> T | None:
        """Return what a reader makes of a text; None where it is absent."""
        if key not in self._values:
            return None
        text = self.take(key, str, "")
        try:
            return reader(text)
        except ValueError as error:
            raise self.fault(key, str(error)) from None

    def done(self, known: Iterable[str]) -> None:
        """Refuse the keys that nobody took; ``known`` are those that could have been there."""
        for key in self._values:
            raise self.fault(key, f"unknown key{suggestion(key, known)}")
