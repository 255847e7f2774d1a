"""Tests of the reading stages."""

from __future__ import annotations
