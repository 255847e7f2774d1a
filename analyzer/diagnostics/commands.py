"""Commands and rooms: replies that are missing, refused, doubled or partial."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.diagnostics.rule import Rule

RULES: tuple[Rule, ...] = ()
