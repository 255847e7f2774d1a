"""Assertions about captures, written by people in a rules file, for ``xccos check``."""

from __future__ import annotations
