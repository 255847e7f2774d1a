"""Fresh identifiers of the same form: a Call-ID of 32 hexadecimal digits becomes another such.

The rule: what was the same of one speaker stays the same, what differed differs, and the same seed
gives the same. CSeq numbers stay: they count, they identify nothing.
"""

from __future__ import annotations

import hashlib
import re
from itertools import chain, count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.replay.script import Slot

RENEWED = frozenset({"call-id", "tag", "branch", "envid", "epid", "instance", "token"})
COOKIE = "z9hG4bK"
"""Every branch of RFC 3261 begins with it (8.1.1.7)."""
URN = "urn:uuid:"
MAX_DRIFT = 1_000_000
"""By so much at most envids move: a client counts its own, and those of a client stay 32 bits."""
ENVID_LIMIT = 1 << 64
ATTEMPTS = 32
"""To find an identifier that is not taken; short ones have few others of their form."""
_RUN = re.compile(r"[0-9A-Za-z]+")
_ALPHABETS = (
    (re.compile("[0-9]+"), "0123456789"),
    (re.compile("[0-9a-f]+"), "0123456789abcdef"),
    (re.compile("[0-9A-F]+"), "0123456789ABCDEF"),
    (re.compile("[0-9a-z]+"), "0123456789abcdefghijklmnopqrstuvwxyz"),
    (re.compile("[0-9A-Z]+"), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
)
_ANY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Identifiers:
    """Makes new identifiers of one seed."""

    def __init__(self, seed: int, slots: Iterable[Slot]) -> None:
        """``slots``: those of the script; none of their values is made again."""
        self._seed = seed
        self._known: dict[tuple[str, str | None, str], str] = {}
        self._taken = {(slot.kind, slot.value) for slot in slots}

    def said(self, slot: Slot) -> str:
        """Return the new value of a slot of a renewed kind."""
        key = (slot.kind, slot.said_by, slot.value)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._new(*key)
            self._taken.add((slot.kind, known))
        return known

    def _new(self, kind: str, speaker: str | None, value: str) -> str:
        if kind == "envid" and value.isascii() and value.isdigit() and len(value) <= 20:
            digest = hashlib.sha256(
                f"{self._seed} {speaker}".encode("utf-8", "backslashreplace")
            ).digest()
            drift = int.from_bytes(digest[:4], "big") % MAX_DRIFT + 1
            old = int(value)
            return str(old + drift if old + drift < ENVID_LIMIT else old - drift)
        begin, varying, end = _parts(kind, value)
        tries = (f"{self._seed} {kind} {speaker} {value} {attempt}" for attempt in range(ATTEMPTS))
        made = (begin + _renewed(varying, _numbers(text)) + end for text in tries)
        longer = (f"{begin}{varying}{number}{end}" for number in count(len(self._taken)))
        return next(new for new in chain(made, longer) if (kind, new) not in self._taken)


def _renewed(text: str, numbers: Iterator[int]) -> str:
    return _RUN.sub(lambda run: _other(run[0], numbers), text)


def _parts(kind: str, value: str) -> tuple[str, str, str]:
    """Return what stays at the beginning, what is made anew, and what stays at the end."""
    for beginning, of in ((COOKIE, "branch"), (URN, "instance")):
        if kind == of and value.startswith(beginning):
            return beginning, value[len(beginning) :], ""
    # RFC 3261 25.1: a Call-ID may be a word, "@" and a host.
    word, at, host = value.partition("@") if kind == "call-id" else (value, "", "")
    return "", word, at + host


def _numbers(text: str) -> Iterator[int]:
    """Yield numbers that depend on a text alone."""
    block = 0
    while True:
        digest = hashlib.sha256(f"{text} {block}".encode("utf-8", "backslashreplace")).digest()
        yield from (int.from_bytes(digest[at : at + 2], "big") for at in range(0, 32, 2))
        block += 1


def _other(run: str, numbers: Iterator[int]) -> str:
    """Return letters and digits of the same kinds; the first digit of a number is none of 0."""
    alphabet = next((known for form, known in _ALPHABETS if form.fullmatch(run)), _ANY)
    new = "".join(alphabet[next(numbers) % len(alphabet)] for _ in run)
    if alphabet == "0123456789" and run[0] != "0":
        new = alphabet[1 + next(numbers) % 9] + new[1:]
    return new
