"""What Streamlit runs; apart from `pages`, which it would take for pages of its own kind."""

from __future__ import annotations
