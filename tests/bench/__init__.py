"""The measuring tool is right about what it counts; how fast anything is, is not tested."""

from __future__ import annotations
