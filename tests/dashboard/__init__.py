"""Tests of the dashboard in a browser."""

from __future__ import annotations
