"""Tests of ladder diagrams."""

from __future__ import annotations
