"""The page of the topology: the picture, and the tables that say the same."""

from __future__ import annotations
