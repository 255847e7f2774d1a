"""Make the index of a capture, or look at the one that is there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from analyzer.library.content import hash_of
from analyzer.library.head import Head
from analyzer.library.places import index_path, places, too_small
from analyzer.library.saved import (
    MISSING,
    NO_FILE,
    TOO_SMALL,
    Unfit,
    Unwritten,
    content_of,
    load,
    payload_hash,
    save,
)
from analyzer.library.version import reading_version
from analyzer.sources.files import STANDARD_INPUT, open_source
from analyzer.trace import read_plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from analyzer.reading import Reading
    from analyzer.sources.files import Source

CHANGED = "the capture changed while it was read"


@dataclass(frozen=True, slots=True)
class Index:
    """An index that fits its capture."""

    path: Path
    messages: int
    size: int
    """Bytes of it."""
    new: bool
    """It was made just now."""
    mtime_ns: int
    """When the capture was last written to, as it was indexed."""


def index_capture(
    path: str | Path,
    *,
    directory: str | Path | None = None,
    progress: Callable[[int], None] | None = None,
    jobs: int = 1,
) -> Index | Unfit:
    """Read a capture and save its rows; one that fits already is left as it is.

    Args:
        path: of the capture, plain or compressed.
        directory: where the index is to lie; by default beside the capture.
        progress: as for ``open_capture``.
        jobs: as for ``open_capture``.

    Raises:
        SourceError: the capture cannot be opened.
    """
    if str(path) == STANDARD_INPUT:
        return Unfit(NO_FILE)
    with open_source(path, progress=progress) as source:
        unfit = _unfit(source)
        if unfit is not None:
            return unfit
        place = index_path(path, directory)
        known = load(place, path, source)
        if not isinstance(known, Unfit):
            return _index(place, known[0], new=False)
        return _made(place, path, source, jobs)


def fitting_index(path: str | Path) -> Index | Unfit:
    """Return the index that ``open_capture`` would use, or why there is none.

    Raises:
        SourceError: the capture cannot be opened.
    """
    if str(path) == STANDARD_INPUT:
        return Unfit(NO_FILE)
    with open_source(path) as source:
        why = _unfit(source)
        for place in places(path) if why is None else ():
            found = load(place, path, source)
            if not isinstance(found, Unfit):
                return _index(place, found[0], new=False)
            why = Unfit(f"{place}: {found.reason}")
    return why or Unfit("there is none")


def _unfit(source: Source) -> Unfit | None:
    if source.size is None:
        return Unfit(NO_FILE)
    if source.conversion is not None:
        return Unfit(f"a {source.conversion.kind} is converted each time it is read")
    return Unfit(TOO_SMALL) if too_small(source.size) else None


def _index(place: Path, head: Head, *, new: bool) -> Index:
    return Index(place, head.messages, place.stat().st_size, new, head.mtime_ns)


def _made(place: Path, path: str | Path, source: Source, jobs: int) -> Index | Unfit:
    if find_spec("pyarrow") is None:
        return Unfit(MISSING)
    with content_of(path, source) as descriptor:
        before = os.fstat(descriptor)
        reading = read_plain(source, jobs=jobs, items=True)
        if source.problem is not None:
            return Unfit(source.problem.reason)
        content = hash_of(descriptor, before.st_size)
        if content is None or _state(before) != _state(os.fstat(descriptor)):
            return Unfit(CHANGED)
    # Not before the reading, which forks: the library may start threads.
    from analyzer.library.sections import sections_of

    try:
        sections = sections_of(reading)
    except (OverflowError, ValueError) as error:
        return Unfit(f"numbers in it are beyond all measure ({error})")
    head = _head(before, content, reading, sections)
    problem = save(place, head, sections)
    return _index(place, head, new=True) if problem is None else Unwritten(problem)


def _state(status: os.stat_result) -> tuple[int, ...]:
    """Return what changes with the bytes of a file. Nobody can set the time of the last change."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _head(
    status: os.stat_result, content: bytes, reading: Reading, sections: dict[str, bytes]
) -> Head:
    return Head(
        version=reading_version(),
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        content=content.hex(),
        items=True,
        messages=len(reading.rows),
        payload=payload_hash(*sections.values()),
        sections=[(name, len(data)) for name, data in sections.items()],
    )
