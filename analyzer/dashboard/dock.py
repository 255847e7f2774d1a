"""The message that is selected, docked beside every page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from analyzer.dashboard.desk import Desk


def show(desk: Desk, row: int) -> None:
    """Draw a message."""
    st.write(desk.case.name, row)
