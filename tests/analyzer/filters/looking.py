"""A capture as a filter looks at it, without a dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from analyzer.diagnostics.table import diagnose
from analyzer.filters.parse import parse_filter
from analyzer.ladder.scene import Scene
from analyzer.trace import open_capture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from analyzer.diagnostics.rule import Finding
    from analyzer.trace import Trace

T = TypeVar("T")


OPENED: list[Looking] = []
"""Closed when the tests are over."""


class Looking:
    """An open capture."""

    def __init__(self, path: Path) -> None:
        self._trace = open_capture(path)
        self._scene = Scene(self._trace)
        self._kept: dict[object, object] = {}
        OPENED.append(self)

    @property
    def trace(self) -> Trace:
        return self._trace

    @property
    def scene(self) -> Scene:
        return self._scene

    @property
    def diagnosed(self) -> Sequence[Finding]:
        return self.once("diagnosed", lambda: diagnose(self._trace))

    def once(self, key: object, make: Callable[[], T]) -> T:
        if key not in self._kept:
            self._kept[key] = make()
        return cast("T", self._kept[key])

    def rows(self, text: str) -> list[int]:
        """Return what a filter lets through, times in UTC."""
        return [*parse_filter(text).rows(self)]

    def frames(self, text: str) -> list[int]:
        """Return the frames that complete what a filter lets through."""
        return [self._trace.rows.frame[row] for row in self.rows(text)]
