"""Flows: what a client is documented to do, as data, and how far it got in a capture."""

from __future__ import annotations
