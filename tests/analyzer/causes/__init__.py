"""Tests of the causal graph."""

from __future__ import annotations
