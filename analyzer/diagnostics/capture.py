"""The capture itself: what is missing from it, and what could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.diagnostics.rule import Rule

RULES: tuple[Rule, ...] = ()
