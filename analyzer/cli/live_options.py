"""Options of commands that watch what still comes: what is kept, when they end, how it is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from analyzer.cli.options import applied, parsed_by
from analyzer.replay.typed import parse_duration

if TYPE_CHECKING:
    from analyzer.live.ring import Shape

KEEP = 200_000
"""Messages: some 200 MB of their bytes on disk, 60 MB of rows in memory, a second to look at."""
LEAST_KEPT = 100
_UNITS = {"k": 10**3, "m": 10**6, "g": 10**9, "": 1}
_SIZE = r"(\d{1,9})\s*([kmg]?)(?:i?b)?"
_RING = re.compile(rf"(\d{{1,5}})\s*[x*]\s*{_SIZE}", re.ASCII)
_PARTS = re.compile(r"(filesize|files):(\d{1,9})", re.ASCII)


def parse_ring(text: str) -> Shape:
    """Read ``10x100M``: files and the size of each."""
    match = _RING.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(f"{text!r} is no ring: files and the size of each, as in 10x100M")
    return _shape(int(match[1]), int(match[2]) * _UNITS[match[3]], text)


def parse_buffer(texts: tuple[str, ...]) -> Shape | None:
    """Read ``filesize:KB`` and ``files:N``, as dumpcap takes them, in one text or several."""
    if not texts:
        return None
    parts = [part.strip().lower() for text in texts for part in text.split(",")]
    found = {match[1]: int(match[2]) for part in parts if (match := _PARTS.fullmatch(part))}
    if len(found) != len(parts) or found.keys() != {"filesize", "files"}:
        raise ValueError(f"-b takes filesize:KB and files:N, both, not {', '.join(parts)}")
    return _shape(found["files"], found["filesize"] * 1000, ", ".join(parts))


def _shape(files: int, size: int, text: str) -> Shape:
    from analyzer.live.ring import LEAST_SIZE, MAX_FILES, Shape

    if not 2 <= files < MAX_FILES or size < LEAST_SIZE:
        raise ValueError(
            f"{text!r}: a ring has 2 files or more, of {LEAST_SIZE // 1000} kB or more"
        )
    return Shape(files, size)


watch_options = applied(
    [
        click.option(
            "--ring",
            metavar="NxSIZE",
            callback=parsed_by(parse_ring),
            help="Keep the newest N files of that size: 10x100M.",
        ),
        click.option(
            "--for",
            "seconds",
            metavar="TIME",
            callback=parsed_by(parse_duration),
            help="End after 30s, 10m, 2h.",
        ),
        click.option(
            "--until",
            "until",
            multiple=True,
            metavar="error|warning|note|ID",
            help="End with 1 when there is such a finding. Repeatable.",
        ),
        click.option(
            "--keep",
            type=click.IntRange(min=LEAST_KEPT),
            default=KEEP,
            metavar="N",
            show_default=True,
            help="Messages that are looked at; of more, the oldest finished "
            "sessions are let go, and counted.",
        ),
        click.option(
            "--format",
            "format_",
            type=click.Choice(["table", "text", "jsonl"]),
            help="table (on a terminal the default), text (a line for every event), jsonl.",
        ),
    ]
)
