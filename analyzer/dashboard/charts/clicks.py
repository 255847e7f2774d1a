"""Charts whose points can be clicked: a click changes the address, as a link does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Callable

    import plotly.graph_objects as go

INKS = {"light": "#31333f", "dark": "#e6e8ec"}
BAR = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "toImage"]}


def clickable(figure: go.Figure, key: str, clicked: Callable[[list[Any]], None]) -> None:
    """Draw a chart; ``clicked`` gets the customdata of the point that was clicked."""

    def selected() -> None:
        state: Any = st.session_state.get(key) or {}
        data = first_data(state)
        if data:
            clicked(data)

    _legible(figure)
    st.plotly_chart(
        figure,
        key=key,
        theme="streamlit",
        width="stretch",
        on_select=selected,
        selection_mode="points",
        config=BAR,
    )


def _legible(figure: go.Figure) -> None:
    """Write all words of a chart in the colour of the page's text: its theme has a fainter one."""
    ink = INKS.get(st.context.theme.type or "")
    if ink is None:
        return
    figure.update_layout(font={"color": ink}, legend={"font": {"color": ink}})
    figure.update_xaxes(tickfont={"color": ink})
    figure.update_yaxes(tickfont={"color": ink})
    figure.update_annotations(font={"color": ink})


def first_data(state: Any) -> list[Any]:  # noqa: ANN401  (what a browser sent)
    """Return the customdata of the first point of a selection; nothing where there is none."""
    try:
        points = state["selection"]["points"]
        data = points[0]["customdata"] if points else []
    except (KeyError, TypeError, IndexError):
        return []
    if isinstance(data, dict):
        return [*data.values()]
    return [*data] if isinstance(data, list | tuple) else [data]
