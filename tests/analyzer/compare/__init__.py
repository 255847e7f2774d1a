"""Tests of comparing two sessions."""

from __future__ import annotations
