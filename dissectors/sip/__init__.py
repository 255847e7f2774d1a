"""SIP (RFC 3261): framing, headers, fields, writing."""

from __future__ import annotations
