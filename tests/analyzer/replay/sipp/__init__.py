"""Tests of analyzer.replay.sipp."""

from __future__ import annotations
