"""The bytes of several inputs behind one range of offsets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.sources.tls import PLAINTEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.trace import Trace

_SHIFT = 54
"""Bits of an offset within an input: 16 PiB. ``PLAINTEXT`` is a bit beyond those of the input."""
_WITHIN = (1 << _SHIFT) - 1
MAX_INPUTS = PLAINTEXT >> _SHIFT


def shifted(offset: int, which: int) -> int:
    """Return the offset in the common range of an offset in one of the inputs."""
    return offset | which << _SHIFT


class Store:
    """Reads from the inputs."""

    def __init__(self, traces: Sequence[Trace]) -> None:
        self._reads = [trace.read for trace in traces]

    def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes at ``offset`` of the common range."""
        decrypted, offset = offset & PLAINTEXT, offset & ~PLAINTEXT
        which = offset >> _SHIFT
        return self._reads[which](decrypted | (offset & _WITHIN), length)
