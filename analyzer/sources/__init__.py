"""Where bytes come from: files, pipes, compressed files."""

from __future__ import annotations
