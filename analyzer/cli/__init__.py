"""The command line, one file a command group."""

from __future__ import annotations
