"""Splits a ladder into documents of a diagram language, each below what its programs accept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.ladder.look import cut, pages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.ladder.values import Ladder, Lane

SPARE = 0.95
"""Of the events that fit by rule of three: some are longer than others."""
LEFT_OUT = 8
"""Sentences about what is left out: they stand in each document, and are few."""
HEAD_LINES = 4
"""Lines in the head of a lane."""


def head_lines(lane: Lane, room: int) -> list[str]:
    """Return the lines of a head, each of at most ``room`` characters: name, URI, addresses."""
    lines = [lane.title or lane.key, *filter(None, lane.subtitle.split(", "))]
    if len(lines) > HEAD_LINES:
        lines[HEAD_LINES - 1 :] = [f"and {len(lines) - HEAD_LINES + 1} more"]
    return [cut(line, room) for line in lines]


def documents(
    ladder: Ladder, most: int, limit: int, write: Callable[[Ladder], tuple[str, int]]
) -> Iterator[bytes]:
    """Yield a ladder as UTF-8 documents of at most ``most`` events and ``limit`` in size.

    ``write`` gives the document of a part, and how large it is. One event is never split.
    """
    count = max(1, min(most, len(ladder.events)))
    while True:
        written = [write(part) for part in pages(ladder, count)]
        largest = max(size for _, size in written)
        if largest <= limit or count == 1:
            break
        count = max(1, min(count - 1, int(count * limit / largest * SPARE)))
    for text, _ in written:
        yield text.encode()
