"""SIP sessions: load, timers, obsolete dialogs, routing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.diagnostics.rule import Rule

RULES: tuple[Rule, ...] = ()
