"""Several inputs of one story, made of one capture: what is seen where is known by construction."""

from __future__ import annotations
