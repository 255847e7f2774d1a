"""What the charts of several pages have in common: clicks, and text of captures in them."""

from __future__ import annotations
