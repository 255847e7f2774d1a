"""Tests of ``analyzer.replay.auth``."""

from __future__ import annotations
