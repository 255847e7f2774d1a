"""What a play came to, told: an account of it, as records for JSON and as JUnit XML."""

from __future__ import annotations
