"""Tests of what docs/ shows."""

from __future__ import annotations
