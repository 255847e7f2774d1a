"""Frames to TCP segments and UDP datagrams, and these to chunks of streams."""

from __future__ import annotations
