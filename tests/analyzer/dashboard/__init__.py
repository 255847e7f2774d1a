"""Tests of the dashboard, without a browser."""

from __future__ import annotations
