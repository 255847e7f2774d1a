"""Findings: rules that say what is wrong in a capture, with frames and how sure they are."""

from __future__ import annotations
