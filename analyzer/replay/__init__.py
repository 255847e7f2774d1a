"""Make it happen again: scripts from captures, and the engine that plays them."""

from __future__ import annotations
