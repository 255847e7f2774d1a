"""Tests; each part mirrors the package that it tests."""

from __future__ import annotations
