"""Rows that outlive a run: an index beside a capture, read instead of the capture."""

from __future__ import annotations
