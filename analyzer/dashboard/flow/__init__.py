"""The steps of sign-in and posting, as the page of the flow draws them."""

from __future__ import annotations
