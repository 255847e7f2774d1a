"""The page that opens captures: what is chosen, dropped, named, or was given before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from analyzer.dashboard.opening import Request

if TYPE_CHECKING:
    from analyzer.dashboard.room import Room
    from analyzer.dashboard.selection import Selection


def show(room: Room, selection: Selection) -> None:
    """Draw the page."""
    path = st.text_input("Path of a capture", value=selection.more.get("path", ""))
    if path:
        job = room.start(path, Request((path,)))
        job.wait(5)
        if job.opened:
            st.query_params.from_dict(selection.but(case=job.opened[0], view="overview").params())
            st.rerun()
