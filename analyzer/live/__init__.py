"""A capture that grows: what can be said of it now, and what has changed since the last look."""

from __future__ import annotations
