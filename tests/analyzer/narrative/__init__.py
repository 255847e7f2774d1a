"""Tests of what is told in words."""

from __future__ import annotations
