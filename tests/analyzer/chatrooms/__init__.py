"""Tests of rooms: who was in, who wrote, who got which copy."""

from __future__ import annotations
