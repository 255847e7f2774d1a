"""Two sessions, or two messages, side by side."""

from __future__ import annotations
