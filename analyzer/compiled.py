"""The compiled twin of the second pass, where the compiled path runs: else ``None``."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from analyzer.paths import compiled

if TYPE_CHECKING:
    from types import ModuleType


@cache
def exchanges() -> ModuleType | None:
    """Return what matches plain requests with their answers and puts them into dialogs."""
    return import_module("analyzer._speedups.exchanges") if compiled() else None


@cache
def compiled_legs() -> ModuleType | None:
    """Return what puts transactions into legs."""
    return import_module("analyzer._speedups.legs") if compiled() else None
