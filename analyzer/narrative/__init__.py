"""Narrative: what happened in a session in words, for people who do not read traces."""

from __future__ import annotations
