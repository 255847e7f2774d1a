"""The report of a capture for a ticket: one offline page, and a bundle with the evidence."""

from __future__ import annotations
