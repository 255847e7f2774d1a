"""Records as files: JSON, JSON lines and CSV, written as a stream.

``analyzer.views`` says what a record holds; these modules only say how it is spelt.
"""

from __future__ import annotations
