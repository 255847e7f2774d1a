"""The drawn ladder: one geometric layout that SVG, PNG and PDF share.

``layout`` turns a ladder into a ``Drawing`` of lines, paths, boxes and texts with names of styles;
a renderer only spells these in its format and knows nothing of ladders.
"""

from __future__ import annotations
