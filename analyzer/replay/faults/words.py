"""The values that words of a rule have: durations, sizes, numbers, and how they are refused.

The rule: an error names the word and says what it should be.
"""

from __future__ import annotations

import math
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeVar

from analyzer.replay.faults.rules import Range

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_SECONDS = 86_400.0
"""A day: nobody waits longer for a play."""
MAX_SIZE = 64 << 20
"""Bytes of a body that is made large: enough for any limit, and no way to fill the memory."""
MAX_COUNT = 1_000_000
"""Of numbers that count messages."""

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|min|h)?")
_UNITS = {"ms": 0.001, "s": 1.0, None: 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_SIZE = re.compile(r"([0-9]{1,9})(?:([kKmM])i?)?[bB]?")
_RANGE = re.compile(r"([0-9]{1,7})(?:(-)([0-9]{1,7})?)?")

T = TypeVar("T")


class WordError(ValueError):
    """A word of a rule cannot be read; the text is one line that names it."""


def shown(text: str) -> str:
    """Return a word as an error names it: printable and short."""
    return repr(text if len(text) <= 60 else text[:57] + "…")


def duration(word: str, text: str) -> float:
    """Return the seconds of ``3s``, ``250ms``, ``2m`` or plain seconds."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise WordError(f"{word}= wants a time such as 3s or 250ms, not {shown(text)}")
    seconds = float(match[1]) * _UNITS[match[2]]
    if seconds > MAX_SECONDS:
        raise WordError(f"{word}={text} is more than a day")
    return seconds


def size(word: str, text: str) -> int:
    """Return the bytes of ``2M``, ``64k`` or plain bytes."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise WordError(f"{word}= wants a size such as 64k or 2M, not {shown(text)}")
    length = int(match[1]) << {"k": 10, "m": 20}.get((match[2] or "").lower(), 0)
    if not 0 < length <= MAX_SIZE:
        raise WordError(f"{word}={text} is not between 1 and {MAX_SIZE >> 20}M")
    return length


def count(word: str, text: str, most: int = MAX_COUNT, least: int = 1) -> int:
    """Return a whole number between ``least`` and ``most``."""
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise WordError(f"{word}= wants a whole number, not {shown(text)}")
    if not least <= int(text) <= most:
        raise WordError(f"{word}={text} is not between {least} and {most}")
    return int(text)


def probability(word: str, text: str) -> float:
    """Return a number above 0 and up to 1; ``10%`` is 0.1."""
    share, percent = (text[:-1], 100.0) if text.endswith("%") else (text, 1.0)
    try:
        value = float(share) / percent
    except ValueError:
        value = math.nan
    if not 0.0 < value <= 1.0:
        raise WordError(f"{word}= wants a probability such as 0.1 or 10%, not {shown(text)}")
    return value


def numbers(word: str, text: str) -> tuple[Range, ...]:
    """Return the ranges of ``1``, ``2-4``, ``3-`` or several with commas."""
    if text == "last":
        raise WordError(f"{word}=last: which one is the last is known only when all is over")
    return tuple(_range(word, part) for part in text.split(",", 99))


def _range(word: str, text: str) -> Range:
    match = _RANGE.fullmatch(text)
    if match is None or not int(match[1]):
        raise WordError(f"{word}= wants numbers such as 1, 2-4 or 3-, not {shown(text)}")
    first = int(match[1])
    last = int(match[3]) if match[3] else None if match[2] else first
    if last is not None and last < first:
        raise WordError(f"{word}={text} ends before it begins")
    return Range(first, last)


def statuses(word: str, text: str) -> Range:
    """Return the range of ``503``, ``5xx`` or ``400-499``."""
    if re.fullmatch(r"[1-6]xx", text, re.IGNORECASE):
        return Range(int(text[0]) * 100, int(text[0]) * 100 + 99)
    match = re.fullmatch(r"([1-6][0-9]{2})(?:-([1-6][0-9]{2}))?", text)
    if match is None:
        raise WordError(f"{word}= wants a status such as 503, 5xx or 400-499, not {shown(text)}")
    return Range(int(match[1]), int(match[2] or match[1]))


def one_of(word: str, text: str, known: Mapping[str, T]) -> T:
    """Return what one of some words stands for."""
    if text.lower() not in known:
        raise WordError(f"{word}= is one of {listed(known)}, not {shown(text)}")
    return known[text.lower()]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a question about the nearest known word, or the list of them."""
    names = list(known)
    near = get_close_matches(word.lower(), names, 1, 0.6)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(names)}"


def listed(words: Iterable[str]) -> str:
    """Return words as a list for people."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
