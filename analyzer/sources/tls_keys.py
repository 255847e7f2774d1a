"""All keys that are at hand for a capture: what was given, what lies beside it, what is in it.

The one rule: no key is used that nobody put there for this capture. The key log that the
environment names may be that of a browser; it is pointed out and left alone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from analyzer.sources.beside import key_log_beside
from analyzer.sources.files import STANDARD_INPUT, SourceError
from analyzer.sources.keylog import KeyLog, embedded, open_key_log
from analyzer.sources.private import private_file

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from analyzer.sources.rsa_keys import RsaKey

COMMON_NAME = "sslkeylog.log"
"""What many people call their key log."""


@dataclass(frozen=True, slots=True)
class GivenKeys:
    """What a user gives; the RSA keys stay open until whoever read them closes them."""

    logs: tuple[str | Path, ...] = ()
    rsa: tuple[RsaKey, ...] = ()


class Keys:
    """Keys for one capture: opened key logs, to be closed, and RSA keys, which stay open."""

    def __init__(self, logs: Sequence[KeyLog], rsa: Sequence[RsaKey] = ()) -> None:
        self._mine = tuple(logs)
        self.logs = self._mine
        self.rsa = tuple(rsa)

    def joined(self, others: Keys) -> Keys:
        """Return these and others; whoever opened the others closes them."""
        both = Keys(self._mine, (*self.rsa, *others.rsa))
        both.logs = (*others.logs, *self._mine)
        return both

    def __bool__(self) -> bool:
        return bool(self.logs or self.rsa)

    def gathered(self, randoms: Collection[bytes]) -> Secrets:
        """Put the lines of all key logs into one file, to be closed. Raises ``OSError``."""
        secrets = Secrets(private_file())
        wanted = set(randoms)
        for log in self.logs:
            before = secrets.lines
            for random, line in log.lines():
                secrets.lines += 1
                secrets.file.write(line)
                if random is None:
                    secrets.unnamed = True
                elif random in wanted:
                    secrets.known.add(random)
            if secrets.lines == before:
                secrets.useless.append(f"the key log {log.name} {log.why_empty()}")
        secrets.file.flush()
        return secrets

    def close(self) -> None:
        """Close the key logs."""
        for log in self._mine:
            log.close()


class Secrets:
    """The lines of all key logs, and what they are good for."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.lines = 0
        self.known: set[bytes] = set()
        """Client randoms, of those asked for, that have secrets."""
        self.unnamed = False
        """There are secrets that name no client random."""
        self.useless: list[str] = []
        """Of each file without any secret, what it is."""

    def close(self) -> None:
        """Forget them."""
        self.file.close()


def opened(keylog: str | Path | GivenKeys | None) -> Keys | None:
    """Open what a user gave. Raises ``SourceError``."""
    if keylog is None:
        return None
    given = keylog if isinstance(keylog, GivenKeys) else GivenKeys((keylog,))
    logs: list[KeyLog] = []
    try:
        for path in given.logs:
            logs.append(open_key_log(path))  # noqa: PERF401  (those before a bad one are closed)
    except SourceError:
        Keys(logs).close()
        raise
    return Keys(logs, given.rsa)


def found_keys(
    path: str | Path, secrets: Sequence[bytes], notes: list[str], *, beside: bool
) -> Keys:
    """Return the keys beside a capture and in it, to be closed; what is wrong goes to ``notes``.

    ``beside``: look there too; not where a key log was given.
    """
    logs: list[KeyLog] = []
    place = key_log_beside(path) if beside else None
    for use in (
        *((lambda: open_key_log(place),) if place is not None else ()),
        *((lambda: embedded(secrets),) if secrets else ()),
    ):
        try:
            logs.append(use())
        except SourceError as error:
            notes.append(f"{error}.")
    return Keys(logs)


def left_alone(path: str | Path, keys: Keys | None) -> str | None:
    """Return the name of a key log that was not used and might help."""
    used = {os.path.realpath(log.name) for log in (() if keys is None else keys.logs)}
    places = [] if str(path) == STANDARD_INPUT else [Path(path).with_name(COMMON_NAME)]
    named = os.environ.get("SSLKEYLOGFILE")
    for place in [*places, *([Path(named)] if named else [])]:
        try:
            if place.is_file() and os.path.realpath(place) not in used:
                return str(place)
        except (OSError, ValueError):
            continue
    return None
