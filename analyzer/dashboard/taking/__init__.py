"""What can be taken away of a case, and how much of people is in it."""

from __future__ import annotations
