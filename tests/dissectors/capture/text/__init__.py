"""Tests of the readers of text traces."""

from __future__ import annotations
