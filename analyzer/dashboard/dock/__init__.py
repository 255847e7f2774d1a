"""The message that is selected, docked beside every page."""

from __future__ import annotations
