"""The filter box, and what a filter lets through."""

from __future__ import annotations
