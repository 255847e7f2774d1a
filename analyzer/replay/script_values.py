"""JSON values of a script file, taken out key by key: every fault names the file and the place.

The rule: a key that nothing reads is an error. An expectation that is not held because of a typing
error would hold for ever.
"""

from __future__ import annotations

import math
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

T = TypeVar("T", bound=str)

MAX_TEXT = 1 << 20
"""Characters of one text: as much as a body may have."""
MAX_MS = 1e12
"""Milliseconds, either way: thirty years, more than any recording has."""
MAX_FRAME = 1 << 63
_SURROGATE = re.compile("[\ud800-\udfff]")
_MISSING: Final = object()


class ScriptError(ValueError):
    """A file is no script; the message is one line: file, place and reason."""

    def __init__(self, file: str, place: str, reason: str) -> None:
        super().__init__(f"{file}: {place}: {reason}" if place else f"{file}: {reason}")


class Record:
    """One object of a file."""

    def __init__(self, file: str, place: str, value: object) -> None:
        self.file = file
        self.place = place
        if not isinstance(value, dict):
            raise ScriptError(file, place, f"must be an object, not {_kind(value)}")
        self._values: dict[str, Any] = value
        self._known: list[str] = []

    def at(self, key: str) -> str:
        """Return the place of a key: ``turns[3].message``."""
        return f"{self.place}.{key}" if self.place else key

    def fault(self, key: str, reason: str) -> ScriptError:
        """Return the error about a key."""
        return ScriptError(self.file, self.at(key), reason)

    def take(self, key: str, default: object = _MISSING) -> Any:  # noqa: ANN401  (checked by callers)
        """Return a value; an error where it is absent and there is no default."""
        self._known.append(key)
        found = self._values.get(key, default)
        if found is _MISSING:
            raise self.fault(key, "is missing")
        return found

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text."""
        found = self.take(key, _MISSING if default is None else default)
        return text_of(found, self.file, self.at(key))

    def maybe_text(self, key: str) -> str | None:
        """Return a text, or None where it is absent or null."""
        found = self.take(key, None)
        return None if found is None else text_of(found, self.file, self.at(key))

    def one_of(self, key: str, known: Sequence[T], default: T | None = None) -> T:
        """Return one of several words."""
        found = self.text(key, default)
        for word in known:
            if word == found:
                return word
        raise self.fault(key, f"{found[:40]!r} is none of {', '.join(known)}")

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        found = self.take(key, default)
        if not isinstance(found, bool):
            raise self.fault(key, f"must be true or false, not {_kind(found)}")
        return found

    def ms(self, key: str, default: float | None = None) -> float:
        """Return milliseconds."""
        return self._ms(key, self.take(key, _MISSING if default is None else default))

    def maybe_ms(self, key: str) -> float | None:
        """Return milliseconds, or None where they are absent or null."""
        found = self.take(key, None)
        return None if found is None else self._ms(key, found)

    def _ms(self, key: str, found: object) -> float:
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise self.fault(key, f"must be a number, not {_kind(found)}")
        if not -MAX_MS <= found <= MAX_MS or not math.isfinite(found):
            raise self.fault(key, f"must be within {MAX_MS:.0f} milliseconds")
        return float(found)

    def maybe_count(self, key: str) -> int | None:
        """Return a whole number from 0, or None where it is absent or null."""
        found = self.take(key, None)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int):
            raise self.fault(key, f"must be a whole number, not {_kind(found)}")
        if not 0 <= found <= MAX_FRAME:
            raise self.fault(key, f"must be from 0 to {MAX_FRAME}")
        return found

    def values(self, key: str, most: int, *, required: bool = False) -> list[Any]:
        """Return the items of a list of at most so many."""
        found = self.take(key, _MISSING if required else [])
        if not isinstance(found, list):
            raise self.fault(key, f"must be a list, not {_kind(found)}")
        if len(found) > most:
            raise self.fault(key, f"has {len(found)} items; {most} at most are read")
        return found

    def texts(self, key: str, most: int) -> tuple[str, ...]:
        """Return the texts of a list."""
        return tuple(
            text_of(one, self.file, f"{self.at(key)}[{at}]")
            for at, one in enumerate(self.values(key, most))
        )

    def records(self, key: str, most: int, *, required: bool = False) -> Iterator[Record]:
        """Yield the objects of a list."""
        for at, one in enumerate(self.values(key, most, required=required)):
            yield Record(self.file, f"{self.at(key)}[{at}]", one)

    def members(self, key: str, most: int) -> dict[str, str]:
        """Return an object of texts."""
        record = Record(self.file, self.at(key), self.take(key, {}))
        if len(record._values) > most:
            raise self.fault(key, f"has more than {most} members")
        for name in record._values:
            text_of(name, self.file, self.at(key))
        return {name: record.text(name) for name in record._values}

    def done(self) -> None:
        """Refuse keys that nobody took."""
        for key in self._values:
            if key not in self._known:
                near = get_close_matches(key[:40], self._known, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(self._known)}"
                raise ScriptError(self.file, self.place, f"unknown key {key[:40]!r}; {hint}")


def text_of(value: object, file: str, place: str) -> str:
    """Return a value that must be a text."""
    if not isinstance(value, str):
        raise ScriptError(file, place, f"must be a text, not {_kind(value)}")
    if len(value) > MAX_TEXT:
        raise ScriptError(file, place, f"is longer than {MAX_TEXT} characters")
    if not value.isascii() and _SURROGATE.search(value):
        raise ScriptError(file, place, "has half of a surrogate pair, which is no character")
    return value


def _kind(value: object) -> str:
    """Return what a JSON value is, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"
