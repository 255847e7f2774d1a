"""The page ``overview``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from analyzer.dashboard.desk import Desk


def show(desk: Desk) -> None:
    """Draw the page."""
    st.write(desk.case.name)
