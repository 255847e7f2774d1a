"""Tests of where bytes come from."""

from __future__ import annotations
