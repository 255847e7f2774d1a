"""Tests of the writers."""

from __future__ import annotations
