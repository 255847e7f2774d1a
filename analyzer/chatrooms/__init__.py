"""Rooms of a capture over all of its sessions: who was in, who wrote, who got which copy."""

from __future__ import annotations
