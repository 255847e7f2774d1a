"""The TLS secrets of some connections out of a key log: what a slice may carry, and no more.

The one rule: a secret goes along only when somebody asked for it, and only with the connection that
it opens.
"""

from __future__ import annotations

import os
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from analyzer.sources.beside import key_log_beside
from analyzer.sources.tls import open_key_log

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

MAX_READ = 256 << 20
"""Bytes of a key log that are looked at: a million lines."""
MAX_KEPT = 4 << 20
"""Bytes of secrets in a slice: 20,000 connections."""
_MAX_LINE = 4096
_RANDOM = 64  # hexadecimal digits


def secrets_of(
    randoms: Collection[bytes],
    *,
    capture: str | Path,
    given: str | Path | None,
    embedded: Sequence[bytes],
) -> bytes:
    """Return the lines of a key log for connections with these client randoms.

    Looked through is the key log ``given``, else the one beside the capture, else what the capture
    carries. Lines of RSA key exchange name no client random, and stay behind.

    Raises ``SourceError`` where the key log cannot be opened.
    """
    wanted = {random.hex().encode() for random in randoms}
    path = given or key_log_beside(capture)
    if path is None:
        return _fitting(BytesIO(b"\n".join(embedded)), wanted)
    keys = open_key_log(path)
    try:
        with os.fdopen(os.dup(keys.fileno()), "rb") as file:
            return _fitting(file, wanted)
    finally:
        keys.close()


def _fitting(file: BinaryIO, wanted: set[bytes]) -> bytes:
    found, size = [], 0
    for line in _lines(file):
        label, _, rest = line.partition(b" ")
        if label != b"RSA" and rest[:_RANDOM].lower() in wanted and size < MAX_KEPT:
            found.append(line.rstrip(b"\r\n") + b"\n")
            size += len(found[-1])
    return b"".join(found)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    left = MAX_READ
    while left > 0 and (line := file.readline(_MAX_LINE)):
        left -= len(line)
        yield line
