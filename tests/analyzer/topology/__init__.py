"""Tests of topologies: who talked to whom, and how much."""

from __future__ import annotations
