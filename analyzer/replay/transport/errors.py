"""What keeps a carrier from beginning."""

from __future__ import annotations


class TransportError(Exception):
    """A carrier cannot begin; the text is one line for the user."""
