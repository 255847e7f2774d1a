"""Tests of the plug-in and the display filters."""

from __future__ import annotations
