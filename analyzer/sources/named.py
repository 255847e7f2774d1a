"""What a name on the command line stands for: a file, a member of an archive, or a set of files.

The one rule: a name is looked up in this order: the file of that name; a member of the archive
that the beginning of the name is (``case.zip/client.pcapng``). Sets are told by the names of their
files alone (``analyzer.sources.sets``).
"""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, cast

from analyzer.sources.archive import NO_INPUT, members
from analyzer.sources.conversion import Conversion, is_input
from analyzer.sources.files import STANDARD_INPUT, ZIP_MAGIC, Source, SourceError
from analyzer.sources.private import private_file
from analyzer.sources.set_chunks import SetChunks, first_time
from analyzer.sources.sets import in_time_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import tzinfo

    from _typeshed import WriteableBuffer

    from analyzer.sources.archive import Archive, Member
    from analyzer.sources.sets import FileSet

_PIECE = 1 << 16
SHOWN = 8
"""Members that a message names."""


def archive_of(path: str | Path) -> tuple[Path, str] | None:
    """Return the archive that a name begins with, and the name of the member behind it.

    The name of the member is empty for the archive itself; None is returned where no part of the
    name is an archive.
    """
    if str(path) == STANDARD_INPUT:
        return None
    whole = Path(path)
    for place in (whole, *whole.parents):
        try:
            if place.is_file():
                with place.open("rb") as file:
                    found = file.read(len(ZIP_MAGIC)) == ZIP_MAGIC
                return (place, whole.relative_to(place).as_posix()) if found else None
        except (OSError, ValueError):
            return None
    return None


def inputs_in(path: str | Path, skipped: Callable[[str, str], None]) -> list[str]:
    """Return the names of the captures and logs in an archive, to be opened one by one.

    ``skipped`` is told the name of each member that may be one and cannot be read, and why.

    Raises ``SourceError`` where the archive cannot be read, or holds none.
    """
    with members(path, is_input) as archive:
        if not archive.members:
            raise SourceError(_nothing(archive))
        for one in archive.ignored:
            if one.reason != NO_INPUT:
                skipped(f"{path}/{plain_name(one.name)}", one.reason)
        return [f"{path}/{label}" for label, _ in _labelled(archive.members)]


def plain_name(name: str) -> str:
    """Return the name of a member as part of a path: Windows wrote backslashes for years."""
    return name.replace("\\", "/").lstrip("/")


def _labelled(found: Iterable[Member]) -> Iterator[tuple[str, Member]]:
    """Yield members with names of their own: of several with one name the later are numbered."""
    seen: Counter[str] = Counter()
    for one in found:
        name = plain_name(one.name)
        seen[name] += 1
        yield (name if seen[name] == 1 else f"{name}#{seen[name]}"), one


def key_log_beside_member(path: str | Path) -> str | None:
    """Return the key log of a capture in an archive, ``case.zip/x.keylog`` for ``case.zip/x.pcap``.

    None where there is none of that name.
    """
    archived = archive_of(path)
    if archived is None or archived[1] in ("", "."):
        return None
    capture = PurePosixPath(archived[1])
    wanted = {str(capture.with_name(f"{name}.keylog")) for name in (capture.name, capture.stem)}
    try:
        with members(archived[0], is_input) as archive:
            names = [label for label, _ in _labelled(archive.keys)]
    except SourceError:
        return None
    return next((f"{archived[0]}/{name}" for name in names if name in wanted), None)


def open_keys(path: str | Path, limit: int) -> BinaryIO | None:
    """Return the bytes of a key log in an archive, in a file that nobody else can open.

    None where ``path`` is no member of an archive. Raises ``SourceError``.
    """
    archived = archive_of(path)
    if archived is None:
        return None
    with members(archived[0], is_input) as archive:
        found = [one for label, one in _labelled(archive.keys) if label == archived[1]]
        if not found:
            return None
        file = private_file()
        with archive.open(found[0]) as stream:
            while limit > 0 and (data := stream.read(min(limit, _PIECE))):
                limit -= len(data)
                file.write(data)
    file.seek(0)
    return file


def _nothing(archive: Archive) -> str:
    why = "; ".join(f"{one.name}: {one.reason}" for one in archive.ignored[:SHOWN])
    return f"there is no capture and no log in this archive{f' ({why})' if why else ''}"


def open_member(
    path: Path,
    name: str,
    *,
    progress: Callable[[int], None] | None = None,
    zone: tzinfo | None = None,
) -> Source:
    """Open a member of an archive, or the only input in it where ``name`` is empty.

    Raises ``SourceError``.
    """
    with members(path, is_input) as archive:
        chosen = _chosen(archive, path, name)
        stream = cast("BinaryIO", archive.open(chosen))
        label = next(name for name, one in _labelled(archive.members) if one is chosen)
    label = f"{path}/{label}"
    return Source(label, stream, size=None, progress=progress, zone=zone)


def _chosen(archive: Archive, path: Path, name: str) -> Member:
    """Return the member of a name; the only one where no name is given. Raises ``SourceError``."""
    anything = name in ("", ".")
    known = [*_labelled(archive.members)]
    found = [one for label, one in known if anything or name in (label, one.name)]
    if not found:
        why = next((one.reason for one in archive.ignored if plain_name(one.name) == name), "")
        if anything:
            raise SourceError(_nothing(archive))
        raise SourceError(f"{path}/{name}: {why or 'there is no such member'}")
    if len(found) > 1 and anything:
        names = ", ".join(f"{path}/{label}" for label, _ in known[:SHOWN])
        raise SourceError(f"there are {len(found)} inputs in this archive: {names}")
    return found[0]


class _Joined(io.RawIOBase):
    """The bytes of a set of files, to be read once."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._held = b""

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read what there is, up to the size of ``buffer``."""
        view = memoryview(buffer)
        if not self._held:
            self._held = next(self._chunks, b"")
        part = self._held[: len(view)]
        view[: len(part)] = part
        self._held = self._held[len(part) :]
        return len(part)


class SetConversion(Conversion):
    """A set of files as one capture."""

    def __init__(self, chunks: SetChunks, files: FileSet) -> None:
        super().__init__()
        self._chunks = chunks
        self._names = [Path(path).name for path in files.paths]
        self.problems = chunks.problems  # filled while it is read
        if files.missing_count:
            shown = ", ".join(map(str, files.missing[:SHOWN]))
            more = ", ..." if files.missing_count > SHOWN else ""
            lack = "file" if files.missing_count == 1 else "files"
            self.notes.append(
                f"{files.missing_count} {lack} of this set (number {shown}{more}) not given: what "
                "is in there is missing."
            )

    def pieces(self, raw: Iterator[bytes]) -> Iterator[bytes]:
        """Pass the bytes on: they were put together before."""
        return raw

    def where(self, frame: int) -> tuple[str, int]:
        """Return the file that a frame came from, and its number in it."""
        if not self._chunks.before:
            return "", frame
        place = self._chunks.place(frame)
        return self._names[place.file], place.frame


def open_set(
    files: FileSet,
    *,
    progress: Callable[[int], None] | None = None,
    zone: tzinfo | None = None,
) -> Source:
    """Open a set of files as one capture. Raises ``SourceError``."""
    if files.ring:
        files = in_time_order(files, [first_time(path) for path in files.paths])
    chunks = SetChunks(files.paths)
    directory = Path(files.paths[0]).parent
    name = str(directory / files.pattern) if files.pattern else files.paths[0]
    stream = cast("BinaryIO", _Joined(chunks.chunks()))
    source = Source(name, stream, size=None, progress=progress, zone=zone)
    source.conversion = SetConversion(chunks, files)
    return source
