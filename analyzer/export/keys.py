"""The TLS secrets of some connections out of a key log: what a slice may carry, and no more.

The one rule: a secret goes along only when somebody asked for it, and only with the connection that
it opens.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from analyzer.sources.beside import key_log_beside
from analyzer.sources.keylog import KeyLog
from analyzer.sources.tls_keys import opened

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from analyzer.sources.tls_keys import GivenKeys

MAX_KEPT = 4 << 20
"""Bytes of secrets in a slice: 20,000 connections."""


def secrets_of(
    randoms: Collection[bytes],
    *,
    capture: str | Path,
    given: str | Path | GivenKeys | None,
    embedded: Sequence[bytes],
) -> bytes:
    """Return the lines of a key log for connections with these client randoms.

    Looked through are the key logs ``given``, else the one beside the capture, else what the
    capture carries. Lines of RSA key exchange name no client random, and stay behind.

    Raises ``SourceError`` where the key log cannot be opened.
    """
    wanted, found, size = set(randoms), [], 0
    keys = opened(given)
    if keys is None or not keys.logs:
        keys = opened(key_log_beside(capture))
    carried = KeyLog("the capture", BytesIO(b"\n".join(embedded)))
    try:
        for log in (carried,) if keys is None else keys.logs:
            for line in log.secrets_of(wanted):
                if size < MAX_KEPT:
                    found.append(line)
                    size += len(line)
    finally:
        if keys is not None:
            keys.close()
    return b"".join(found)
