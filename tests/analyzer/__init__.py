"""Tests of what is made of the values that the reading stages give."""

from __future__ import annotations
