"""Tests of scripts and plays."""

from __future__ import annotations
