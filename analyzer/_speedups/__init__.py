"""Compiled twins of what runs once a message; see ``dissectors._speedups`` for the rule."""

from __future__ import annotations
