"""Ladder diagrams: one model, derived from an analysis, and one renderer a file over it."""

from __future__ import annotations
