"""Data for display, made once: the same records feed JSON, CSV, tables and a dashboard.

A record is a ``dict`` with every key present and ``None`` for what is absent. Its keys, in order,
are the public contract of docs/json.md: they may be added to, never renamed.
"""

from __future__ import annotations
