"""The filter language: which messages someone asked for, as one line of text."""

from __future__ import annotations
