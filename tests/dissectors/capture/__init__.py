"""Tests of the readers and writers of capture files."""

from __future__ import annotations
