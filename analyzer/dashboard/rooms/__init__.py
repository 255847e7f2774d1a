"""The page of the rooms: who was there, who posted, who got each copy."""

from __future__ import annotations
