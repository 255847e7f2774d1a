"""Posts: refused, lost, malformed, not copied to everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.diagnostics.rule import Rule

RULES: tuple[Rule, ...] = ()
