"""The page of the commands: which are shown, as tables and as charts."""

from __future__ import annotations
