"""What the page offers to open: samples, and what is in the directories that were named."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from analyzer.library.places import SUFFIX as INDEX
from analyzer.views.numbers import size_text

if TYPE_CHECKING:
    from collections.abc import Sequence

SAMPLES = Path(__file__).parents[2] / "samples"
"""Beside the packages in a checkout; not installed elsewhere."""
MAX_LISTED = 500
"""Files of a directory that are offered."""
MAX_LOOKED_AT = 20_000
SUFFIXES = (
    *(".pcap", ".pcapng", ".cap", ".snoop", ".gz", ".zst", ".zip", ".txt", ".log", ".uccapilog"),
    *(".pcapng.gz", ".ntar", ".dmp"),
)
_SAMPLE = re.compile(r"^\| `(?P<name>[^`]+)` \| (?P<about>[^|]+) \|", re.MULTILINE)


class Offer(NamedTuple):
    """A file that can be opened."""

    path: str
    name: str
    about: str
    """What is in it, or how large it is."""


def samples() -> list[Offer]:
    """Return the samples with what they show; none where there are none."""
    try:
        told = (SAMPLES / "README.md").read_text(encoding="utf-8")
    except OSError:
        return []
    return [
        Offer(
            str(SAMPLES / found["name"]),
            found["name"],
            unescape(found["about"]).replace("`", "").strip(),
        )
        for found in _SAMPLE.finditer(told)
        if (SAMPLES / found["name"]).is_file()
    ]


def _plain(markdown: str) -> str:
    return unescape(markdown).replace("`", "").strip()


def is_below(path: str, given: Sequence[str]) -> bool:
    """Tell whether a path is one of those that were given, or lies in one of these directories."""
    try:
        real = Path(path).resolve()
        return real.is_file() and any(real.is_relative_to(Path(one).resolve()) for one in given)
    except (OSError, ValueError, RuntimeError):
        return False


def in_directory(directory: str) -> tuple[list[Offer], str]:
    """Return the captures and logs in a directory, newest first, and what to say of them."""
    found: list[tuple[float, Path, int]] = []
    try:
        for number, path in enumerate(Path(directory).iterdir()):
            if number >= MAX_LOOKED_AT:
                break
            if path.suffix.lower() in SUFFIXES and path.is_file():
                status = path.stat()
                found.append((status.st_mtime, path, status.st_size))
    except OSError as error:
        return [], f"{directory}: {error.strerror}"
    found.sort(key=lambda one: (-one[0], one[1].name))
    left = len(found) - MAX_LISTED
    said = f"{left:,} more files are not listed: name them by their path" if left > 0 else ""
    shown = found[:MAX_LISTED]
    return [Offer(str(path), path.name, _about(path, size)) for _, path, size in shown], said


def _about(path: Path, size: int) -> str:
    index = path.with_name(path.name + INDEX)
    return f"{size_text(size)}{', with index' if index.exists() else ''}"
