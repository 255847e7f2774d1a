"""Plays: how a case is to be played, the play itself, and what it came to."""

from __future__ import annotations
