"""Two captures of the corpus, each edited message by message, compared.

found = compared(tmp_path, "r2-signin-full", [], [resaid("rpl:getinv", b'"200"', b'"500"')])
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from analyzer.compare.compare import compare
from analyzer.compare.pairing import sessions_of
from analyzer.compare.values import DEFAULTS
from analyzer.trace import open_capture
from tests.analyzer.diagnostics.edited import path_of, write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analyzer.compare.values import Comparison, Divergence, Thresholds
    from analyzer.trace import Trace
    from tests.analyzer.diagnostics.edited import Edit, Said


def made(place: Path, name: str, edits: Sequence[Edit], side: str) -> Path:
    """Write an edited capture of the corpus; without edits return it itself."""

    def all_of(messages: list[Said]) -> list[Said]:
        for edit in edits:
            messages = edit(messages)
        return messages

    if not edits:
        return path_of(name)
    (place / side).mkdir(exist_ok=True)
    return write(place / side, path_of(name), all_of)


@cache
def opened(name: str) -> Trace:
    """Open a capture of the corpus once for all tests."""
    return open_capture(path_of(name), index=False)


def between(
    a: Path, b: Path, sessions: tuple[int, int] = (0, 0), thresholds: Thresholds = DEFAULTS
) -> Comparison:
    """Compare sessions of two files."""
    with open_capture(a, index=False) as one, open_capture(b, index=False) as two:
        return compare(
            sessions_of(one)[sessions[0]], sessions_of(two)[sessions[1]], thresholds=thresholds
        )


def compared(
    place: Path,
    name: str,
    edits_a: Sequence[Edit],
    edits_b: Sequence[Edit],
    thresholds: Thresholds = DEFAULTS,
) -> Comparison:
    """Compare the first session of a capture with itself, both edited."""
    return between(
        made(place, name, edits_a, "a"), made(place, name, edits_b, "b"), thresholds=thresholds
    )


def of_corpus(a: str, b: str, sessions: tuple[int, int] = (0, 0)) -> Comparison:
    """Compare sessions of two captures of the corpus."""
    return compare(sessions_of(opened(a))[sessions[0]], sessions_of(opened(b))[sessions[1]])


def told(found: Comparison) -> list[tuple[str, str, str]]:
    """Return weight, kind and subject of the divergences that are not trivial."""
    return [(one.weight, one.kind, one.subject) for one in found.meaningful]


def first(found: Comparison) -> Divergence:
    """Return the first divergence; there must be one."""
    assert found.first is not None
    return found.first
