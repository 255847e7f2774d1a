"""Tests of rows that outlive a run."""

from __future__ import annotations
