"""Plays against programs that others wrote."""

from __future__ import annotations
