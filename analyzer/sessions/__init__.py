"""Sessions: everything one client did, from sign-in to sign-off, with the reason for each part."""

from __future__ import annotations
