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


class UnpackedSource(DecryptedSource):
    """A source, and what was unpacked of it: from offset ``UNPACKED`` on."""

    def __init__(self, source: Source | DecryptedSource, unpacked: Spool) -> None:
        super().__init__(cast("Source", source), unpacked)

    def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes at ``offset``."""
        if offset >= UNPACKED:
            return self._plaintext.read(offset - UNPACKED, length)
        return self._source.read(offset, length)
