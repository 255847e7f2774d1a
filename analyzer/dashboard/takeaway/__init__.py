"""What is taken away from a case: files, reports, scripts, and the commands that make the same."""

from __future__ import annotations
