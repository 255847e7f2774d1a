"""Aliases: what people call their hosts, users and services."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_NAME = 200
_LINE = re.compile(r"\s*([^\s=#]+)\s*(?:=\s*|\s+)([^#]*?)\s*(?:#.*)?")


def parse_alias(text: str) -> tuple[str, str]:
    """Read ``10.0.0.5=fe1``: an address, ``address:port``, user or URI, and what it is called.

    Raises ValueError with one line for people.
    """
    known, equals, name = text.partition("=")
    if not (equals and known.strip() and name.strip()):
        raise ValueError(f"{text!r} is no alias; one is written as 10.0.0.5=fe1")
    return known.strip(), name.strip()[:MAX_NAME]


def parse_aliases(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Read a file of aliases: one a line, ``10.0.0.5 = fe1`` or as in ``/etc/hosts``.

    What follows ``#`` is a remark. Raises ValueError naming the line.
    """
    for number, line in enumerate(lines, 1):
        plain = line.partition("#")[0].strip()
        if not plain:
            continue
        found = _LINE.fullmatch(line)
        if found is None or not found[2]:
            raise ValueError(f"line {number} is no alias: {plain[:60]!r}")
        yield found[1], found[2][:MAX_NAME]
