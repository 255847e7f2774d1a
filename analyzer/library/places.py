"""Where the index of a capture lies. Imported with every capture, so it imports next to nothing."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

SUFFIX = ".xccos-index"
ENVIRONMENT = "XCCOS_INDEX_DIR"
"""Names a directory with the indexes of captures that lie elsewhere."""
MIN_SIZE = 8 << 20
"""Bytes of a capture from which on an index pays: checking it, importing pyarrow above all, takes
the 0.1 s in which 4 MB are read that are all SIP, or 25 MB with little of it."""


def index_path(capture: str | Path, directory: str | Path | None = None) -> Path:
    """Return where the index of a capture belongs: beside it, or in ``directory``.

    Captures of the same name have different names there, by where they lie.
    """
    path = Path(capture)
    if directory is None:
        return path.with_name(path.name + SUFFIX)
    where = zlib.crc32(os.fsencode(os.path.realpath(path)))
    return Path(directory) / f"{path.name}.{where:08x}{SUFFIX}"


def places(capture: str | Path) -> list[Path]:
    """Return where an index of a capture may lie, the first place first."""
    directory = os.environ.get(ENVIRONMENT)
    found = [index_path(capture, directory)] if directory else []
    return [*found, index_path(capture)]


def too_small(size: int) -> bool:
    """Tell whether a capture of so many bytes is read as fast without an index."""
    return size < MIN_SIZE


def may_have_index(capture: str | Path, size: int | None) -> bool:
    """Tell whether it is worth looking closer; ``size`` is None for what is no file."""
    large = size is not None and not too_small(size)
    return large and any(map(os.path.lexists, places(capture)))
