"""Where the plain bytes of compressed connections are found again."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from analyzer.sources.tls import PLAINTEXT, DecryptedSource

if TYPE_CHECKING:
    from analyzer.sources.files import Source
    from analyzer.sources.spool import Spool

UNPACKED = PLAINTEXT | 1 << 53
"""Offsets from here on lie in what was unpacked: behind all that was decrypted. Several inputs of
one story are told apart by the bits between the two."""


FROM_AGENTS = UNPACKED | 1 << 52
"""Offsets from here on lie in what agents sent over TCP, or compressed (HEP)."""


class UnpackedSource(DecryptedSource):
    """A source, and what was unpacked of it."""

    def __init__(
        self, source: Source | DecryptedSource, unpacked: Spool, base: int = UNPACKED
    ) -> None:
        """``base``: the offset from which on bytes lie in what was unpacked."""
        super().__init__(cast("Source", source), unpacked)
        self._base = base

    def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes at ``offset``."""
        if offset >= self._base:
            return self._plaintext.read(offset - self._base, length)
        return self._source.read(offset, length)
