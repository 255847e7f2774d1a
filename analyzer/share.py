"""Which connections one of several readers of the same capture takes."""

from __future__ import annotations

from zlib import crc32

# Connections that a share remembers whether it has them.
MAX_KEYS = 1 << 17


class Share:
    """Of several readers of the same capture, which connections this one reads."""

    __slots__ = ("index", "known", "of")

    def __init__(self, index: int, of: int) -> None:
        self.index = index
        self.of = of
        self.known: dict[bytes, bool] = {}

    def has(self, key: bytes) -> bool:
        """Tell whether a connection is ours; the same for both of its directions."""
        ours = self.known.get(key)
        if ours is None:
            half = len(key) // 2 - 2
            source = crc32(key[-4:-2], crc32(key[:half]))
            target = crc32(key[-2:], crc32(key[half:-4]))
            if len(self.known) >= MAX_KEYS:
                self.known.clear()
            ours = self.known[key] = (source ^ target) % self.of == self.index
        return ours
