"""Verdicts, findings and lists of sessions, as several pages write them."""

from __future__ import annotations
