"""Tests of the filter language."""

from __future__ import annotations
