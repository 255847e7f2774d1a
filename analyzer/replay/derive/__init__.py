"""From a capture to a script: ``build.derive`` is the entry."""

from __future__ import annotations
