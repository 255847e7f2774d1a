"""Tests of the engine of plays."""

from __future__ import annotations
