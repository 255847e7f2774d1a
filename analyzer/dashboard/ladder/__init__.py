"""The interactive ladder: what it shows, as bytes for a component of its own."""

from __future__ import annotations
