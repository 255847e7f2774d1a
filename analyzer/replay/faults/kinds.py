"""The faults by name: the words that each has, and how it is made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.faults.answers import REASONS, check_header
from analyzer.replay.faults.rules import (
    Answer,
    Corrupt,
    Cut,
    Delay,
    Direction,
    Drop,
    Duplicate,
    Fault,
    How,
    Merge,
    Oversized,
    Part,
    Reorder,
    Split,
    Stall,
    Where,
    WrongCommandId,
)
from analyzer.replay.faults.selecting import Words, last
from analyzer.replay.faults.words import (
    MAX_SIZE,
    WordError,
    count,
    duration,
    listed,
    one_of,
    shown,
    size,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_COPIES = 1000
MAX_PIECES = 4096
"""Pieces of one message, and bytes that are flipped: more tell nothing new."""
MAX_PLACES = 100
MAX_WITHIN = 60.0
"""Seconds that a message waits for the next one: after more its peer has given up."""
_PARTS: Mapping[str, Part] = {"any": "any", "start": "start", "header": "header", "body": "body"}
_HOW: Mapping[str, How] = {"fin": "fin", "rst": "rst", "half": "half"}
_WHERE: tuple[Where, ...] = ("before", "inside", "after")


class Kind(NamedTuple):
    """A fault."""

    words: tuple[str, ...]
    """Its own, besides those that select messages."""
    make: Callable[[Words], Fault]
    direction: Direction | None = "said"
    """Of the messages that it hits, where no word decides that."""


def _needed(words: Words, word: str, example: str) -> str:
    value = last(words, word)
    if value is None:
        raise WordError(f"{word}= is needed, such as {word}={example}")
    return value


def _drop(_: Words) -> Drop:
    return Drop()


def _delay(words: Words) -> Delay:
    return Delay(duration("by", _needed(words, "by", "3s")))


def _duplicate(words: Words) -> Duplicate:
    times = count("times", last(words, "times") or "1", MAX_COPIES)
    return Duplicate(times, duration("by", last(words, "by") or "0"))


def _within(words: Words) -> float:
    seconds = duration("within", last(words, "within") or "1s")
    if not 0.0 < seconds <= MAX_WITHIN:
        raise WordError(f"within= is more than 0 and at most {MAX_WITHIN:.0f}s")
    return seconds


def _reorder(words: Words) -> Reorder:
    return Reorder(_within(words))


def _merge(words: Words) -> Merge:
    return Merge(_within(words))


def _corrupt(words: Words) -> Corrupt:
    part = one_of("part", last(words, "part") or "any", _PARTS)
    return Corrupt(part, count("bytes", last(words, "bytes") or "1", MAX_PIECES))


def _cut(words: Words) -> Cut:
    places = [where for where in _WHERE if where in words]
    if len(places) > 1:
        raise WordError(f"{listed(places)}: one of them")
    return Cut(one_of("how", last(words, "how") or "fin", _HOW), places[0] if places else "after")


def _split(words: Words) -> Split:
    gap, at = duration("gap", last(words, "gap") or "0"), last(words, "at")
    if at is None:
        return Split(count("pieces", last(words, "pieces") or "2", MAX_PIECES, 2), gap=gap)
    if "pieces" in words:
        raise WordError("at= or pieces=: one of them")
    if at.lower() == "body":
        return Split(head=True, gap=gap)
    places = at.split(",", MAX_PLACES)
    if len(places) > MAX_PLACES:
        raise WordError(f"at= has more than {MAX_PLACES} places")
    return Split(at=tuple(sorted({count("at", place, MAX_SIZE) for place in places})), gap=gap)


def _stall(words: Words) -> Stall:
    return Stall(duration("for", _needed(words, "for", "5s")))


def _wrong_commandid(words: Words) -> WrongCommandId:
    envid = last(words, "envid")
    if envid is not None and not envid.isprintable():
        raise WordError(f"envid= wants a number, not {shown(envid)}")
    return WrongCommandId(envid)


def _oversized(words: Words) -> Oversized:
    return Oversized(size("body", last(words, "body") or "2M"))


def _answer(words: Words) -> Answer:
    status = count("status", _needed(words, "status", "503"), 699, 200)
    headers = [_header(text) for text in words.get("header", ())]
    retry = last(words, "retry-after")
    if retry is not None:
        seconds = duration("retry-after", retry)
        headers.insert(0, ("Retry-After", str(round(seconds))))
    if status == 503 and not any(name.lower() == "ms-diagnostics" for name, _ in headers):
        headers.append(_BUSY)
    reason = last(words, "reason")
    if reason is None:
        reason = REASONS.get(status) or REASONS[status // 100 * 100]
    check_header("reason", reason)
    return Answer(status, reason, tuple(headers))


_BUSY = (
    "ms-diagnostics",
    '20000;source="${host}";reason="Chat service busy";component="GroupChat"',
)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise WordError(f'header= wants "Name: value", not {shown(text)}')
    check_header(name.strip(), value.strip())
    return name.strip(), value.strip()


KINDS: dict[str, Kind] = {
    "answer": Kind(("status", "reason", "header", "retry-after"), _answer, "heard"),
    "drop": Kind((), _drop),
    "delay": Kind(("by",), _delay),
    "duplicate": Kind(("times", "by"), _duplicate),
    "reorder": Kind(("within",), _reorder),
    "corrupt": Kind(("part", "bytes"), _corrupt),
    "cut": Kind(("how", *_WHERE), _cut),
    "split": Kind(("at", "pieces", "gap"), _split),
    "merge": Kind(("within",), _merge),
    "stall": Kind(("for",), _stall),
    "wrong-commandid": Kind(("envid",), _wrong_commandid),
    "oversized": Kind(("body",), _oversized),
}
