"""The same case with other people, rooms, domains and texts."""

from __future__ import annotations
