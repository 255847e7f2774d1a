"""Captures that were written in many files: which names belong together, and in which order.

The one rule: a set is told by names that one run of a capture program writes, in one directory,
never by what is in the files; and where in doubt, a file stands alone.

- ``dumpcap -b`` (Wireshark, tshark): ``fe_00001_20261122101010.pcapng``, or with
  ``nametimenum:2`` ``fe_20261122101010_00001.pcapng`` (ringbuffer.c).
- ``tcpdump -C``: ``fe.pcap``, ``fe.pcap1``, ``fe.pcap2``; with ``-W`` ``fe.pcap00``, ``fe.pcap01``.
- ``tcpdump -G`` with a time in the name: ``fe-20261122101010.pcap``.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DUMPCAP, TCPDUMP, TCPDUMP_TIMES = "dumpcap -b", "tcpdump -C", "tcpdump -G"

NUMBERS = 100_000
"""dumpcap counts its files modulo this (``RINGBUFFER_MAX_NUM_FILES``)."""
MAX_MISSING = 1000
"""Missing files that are named one by one; all of them are counted."""
MAX_LISTED = 100_000
"""Names of one directory that are looked at to find the other files of a set."""

_PACKED = r"(?:\.(?:gz|zst))?"
_CAPTURE = r"\.(?:p?cap|pcapng|ntar|dmp|dump|tcpdump|trc|trace)"
_TIME = r"\d{4}-?\d\d-?\d\d[-_T]?\d\d[-_.:]?\d\d[-_.:]?\d\d|1\d{9}"
_PATTERNS = (
    (DUMPCAP, r"(?P<stem>.*_)(?P<number>\d{5})_(?P<time>\d{14})(?P<end>(?:\.\w+){0,2})"),
    (DUMPCAP, r"(?P<stem>.*_)(?P<time>\d{14})_(?P<number>\d{5})(?P<end>(?:\.\w+){0,2})"),
    (
        TCPDUMP_TIMES,
        rf"(?P<stem>(?:.*[^\d])?)(?P<time>{_TIME})(?P<end>{_CAPTURE})(?P<number>\d{{0,6}}){_PACKED}",
    ),
    (TCPDUMP, rf"(?P<stem>.+{_CAPTURE})(?P<number>\d{{0,6}})(?P<end>{_PACKED})"),
)
_NAMES = tuple((kind, re.compile(pattern, re.IGNORECASE | re.ASCII)) for kind, pattern in _PATTERNS)


@dataclass(frozen=True, slots=True)
class FileSet:
    """Files of one capture in the order in which they were written; or one file alone."""

    paths: tuple[str, ...]
    kind: str = ""
    """Which program writes such names; empty for a file alone."""
    pattern: str = ""
    """The name of the set: ``fe_*.pcapng``."""
    missing: tuple[int, ...] = ()
    """Numbers of files that are not there between the first and the last, ``MAX_MISSING`` at most.
    A ring that gave up its oldest files misses nothing."""
    missing_count: int = 0
    ring: bool = False
    """The names do not tell where a ring begins (``tcpdump -W``): see ``in_time_order``."""


class _Named(NamedTuple):
    """A file whose name is one that a capture program gives."""

    path: str
    kind: str
    key: tuple[str, ...]
    """What all names of a set have in common: directory, beginning, end."""
    number: str
    time: str


def file_sets(paths: Sequence[str]) -> list[FileSet]:
    """Group files by the runs that wrote them; in the order in which each was first named.

    A file that is named twice is there once. Sets have two files at least.
    """
    groups: dict[tuple[str, ...], list[_Named]] = {}
    for path in dict.fromkeys(paths):
        named = _named(path)
        groups.setdefault(named.key if named else ("", path), []).append(
            named or _Named(path, "", (), "", "")
        )
    found = [one for group in groups.values() for one in _sets(group)]
    first = {path: position for position, path in reversed(list(enumerate(paths)))}
    return sorted(found, key=lambda one: min(first[path] for path in one.paths))


def siblings(path: str) -> FileSet:
    """Return the set of a file, with what lies beside it on the disk; the file alone otherwise."""
    named = _named(path)
    if named is None:
        return FileSet((path,))
    beside = [path]
    directory, own = os.path.split(path)
    try:
        with os.scandir(directory or ".") as entries:
            for _, entry in zip(range(MAX_LISTED), entries, strict=False):
                other = _named(os.path.join(directory, entry.name))  # noqa: PTH118  (as it was given)
                if other and other.key == named.key and entry.name != own and entry.is_file():
                    beside.append(other.path)
    except OSError:
        return FileSet((path,))
    return next(one for one in file_sets(beside) if path in one.paths)


def in_time_order(files: FileSet, times: Sequence[int | None]) -> FileSet:
    """Turn a ring so that it begins with its oldest file.

    Args:
        files: a set; only one whose names do not tell (``ring``) is changed.
        times: of the first frame of each file, where there is one.
    """
    known = [(time, at) for at, time in enumerate(times) if time is not None]
    drops = [at for (before, _), (time, at) in pairwise(known) if time < before]
    # One drop is the seam of a ring; more of them are clocks that were set, or no ring at all.
    if not files.ring or len(drops) != 1 or known[-1][0] > known[0][0]:
        return files
    return replace(files, paths=files.paths[drops[0] :] + files.paths[: drops[0]])


def _named(path: str) -> _Named | None:
    place = Path(path)
    for kind, pattern in _NAMES:
        match = pattern.fullmatch(place.name)
        if match is not None:
            key = (kind, str(place.parent), match["stem"], match["end"])
            # Numbers with leading zeros are all of one width.
            return _Named(
                path,
                kind,
                key,
                match["number"],
                match["time"] if "time" in pattern.groupindex else "",
            )
    return None


def _sets(group: list[_Named]) -> Iterable[FileSet]:
    """Return the sets of files whose names have everything in common but number and time."""
    if len(group) == 1:
        return [FileSet((group[0].path,))]
    kind = group[0].kind
    if kind == TCPDUMP_TIMES:
        # Times of one form are in order as text.
        ordered = sorted(group, key=lambda one: (re.sub(r"\D", "", one.time), int(one.number or 0)))
        return [_made(ordered, [])]
    return _of_tcpdump(group) if kind == TCPDUMP else _of_dumpcap(group)


def _of_tcpdump(group: list[_Named]) -> Iterable[FileSet]:
    """Order by number. The first file of ``-C`` has none; with ``-W`` all have, from 0 on."""
    numbered = sorted((one for one in group if one.number), key=lambda one: int(one.number))
    plain = [one for one in group if not one.number]
    if not numbered:
        return [FileSet((one.path,)) for one in plain]
    limited = int(numbered[0].number) == 0 or any(one.number[0] == "0" for one in numbered)
    alone = [FileSet((one.path,)) for one in plain] if limited else []
    ordered = numbered if limited else [*plain, *numbered]
    numbers = [int(one.number or 0) for one in ordered]
    if len(ordered) == 1:
        return [*alone, FileSet((ordered[0].path,))]
    return [*alone, replace(_made(ordered, _holes(numbers)), ring=limited)]


def _of_dumpcap(group: list[_Named]) -> Iterable[FileSet]:
    """Order by number, from where the count began anew; apart what is of several runs."""
    by_number = sorted(group, key=lambda one: int(one.number))
    if len({one.number for one in group}) == len(group):
        return [_one_run(by_number)]
    # A number twice: the program was started again. Each run counts on.
    runs: list[list[_Named]] = []
    for one in sorted(group, key=lambda one: (one.time, one.number)):
        follows = (
            bool(runs) and 0 < (int(one.number) - int(runs[-1][-1].number)) % NUMBERS < NUMBERS // 2
        )
        if follows:
            runs[-1].append(one)
        else:
            runs.append([one])
    return [_one_run(run) for run in runs]


def _one_run(ordered: list[_Named]) -> FileSet:
    """Put the files of one run into order."""
    if len(ordered) == 1:
        return FileSet((ordered[0].path,))
    drops = [at for at in range(1, len(ordered)) if ordered[at].time < ordered[at - 1].time]
    numbers = [int(one.number) for one in ordered]
    if len(drops) == 1:
        # Times go back once: the count began anew there, or the clock was set. Of the two ways to
        # see it, that with fewer files missing.
        seam = drops[0]
        turned = numbers[seam:] + [number + NUMBERS for number in numbers[:seam]]
        if turned[-1] - turned[0] < numbers[-1] - numbers[0]:
            ordered, numbers = ordered[seam:] + ordered[:seam], turned
    return _made(ordered, _holes(numbers))


def _holes(numbers: Sequence[int]) -> list[range]:
    """Return what is missing between the first and the last, in order."""
    return [range(one + 1, other) for one, other in pairwise(numbers) if other - one > 1]


def _made(ordered: Sequence[_Named], holes: Sequence[range]) -> FileSet:
    kind, _, stem, end = ordered[0].key
    missing: list[int] = []
    for hole in holes:
        room = MAX_MISSING - len(missing)
        missing += [number % NUMBERS for number in hole[: max(room, 0)]]
    return FileSet(
        tuple(one.path for one in ordered),
        kind,
        f"{stem}*{end}",
        tuple(missing),
        sum(map(len, holes)),
    )
