"""Bytes to values: captures, transports, SIP and XCCOS. No I/O, no clock, no global state."""

from __future__ import annotations
