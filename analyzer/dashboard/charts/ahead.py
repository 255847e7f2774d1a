"""Has the browser read what draws charts while nothing else is to be done.

It is 4.7 MB of plotly, which Streamlit asks for when the first chart is drawn: reading it then
takes a second and more, in which the page with the chart is empty.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import streamlit as st

FOLDER, NAMES = Path("static/js"), "PlotlyChart.*.js"
"""Where Streamlit has it, below its own files; where it has it elsewhere nothing is read ahead."""
_SCRIPT = """
const read = (one) => import(new URL(one, document.baseURI).href).catch(() => {});
const ahead = () => %s.forEach(read);
setTimeout(() => (window.requestIdleCallback || ahead)(ahead), 800);
"""
"""A module is read and run once, whoever asks for it."""


@cache
def ahead() -> str:
    """Return the script that does it; it runs once in each page that is loaded."""
    root = Path(st.__file__).parent / "static"
    found = [one.relative_to(root).as_posix() for one in sorted((root / FOLDER).glob(NAMES))]
    return _SCRIPT % json.dumps(found[:1])
