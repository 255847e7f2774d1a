"""Load for the program, and the clock beside it; ``make bench`` runs it. Not installed."""

from __future__ import annotations
