"""Aligned rows that read alike: items of one message, answered alike, are told in one line."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.compare.values import AlignedRow


def alike(rows: Iterable[AlignedRow]) -> Iterator[list[AlignedRow]]:
    """Yield the rows in order, those that follow one another and read alike together."""
    return (list(group) for _, group in groupby(rows, key=_likeness))


def subject_of(group: list[AlignedRow]) -> str:
    """Return what rows that read alike are about: ``getpref kedzie.Options``, ``getpref ×11``."""
    return group[0].subject if len(group) == 1 else f"{_family(group[0])} ×{len(group)}"


def _family(row: AlignedRow) -> str:
    one = row.a or row.b
    return row.subject if one is None else one.family


def _likeness(row: AlignedRow) -> tuple[object, ...]:
    """Return what like rows have in common."""
    sides = ((one and (one.frames, one.outcome)) for one in (row.a, row.b))
    return (row.step, _family(row), row.weight, row.unseen, *sides)
