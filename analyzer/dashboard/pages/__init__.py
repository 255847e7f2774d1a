"""The pages of the dashboard: each module draws one, with `show`."""

from __future__ import annotations
