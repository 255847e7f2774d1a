"""Causes: what led to what in a session, as a graph. It needs networkx: import it on demand."""

from __future__ import annotations
