"""Text traces: logs in which servers and clients wrote the messages they saw."""

from __future__ import annotations
