"""The dashboard: a capture to look at in a browser, on this machine alone."""

from __future__ import annotations
