"""Several inputs of one story: which messages they share, and how far their clocks are apart."""

from __future__ import annotations
