"""Captures that grow."""

from __future__ import annotations
