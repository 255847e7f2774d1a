"""Servers: what several users together tell of a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.diagnostics.rule import Rule

RULES: tuple[Rule, ...] = ()
