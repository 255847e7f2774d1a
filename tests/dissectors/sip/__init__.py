"""Tests of SIP messages."""

from __future__ import annotations
