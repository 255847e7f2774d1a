"""Carriers over loopback."""

from __future__ import annotations
