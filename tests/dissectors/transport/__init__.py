"""Tests of frames, packets and streams."""

from __future__ import annotations
