"""XCCOS, the XML documents of Group Chat: reading, writing, the catalogue of known ids."""

from __future__ import annotations
