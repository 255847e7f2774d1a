"""Tests of the XCCOS stage."""

from __future__ import annotations
