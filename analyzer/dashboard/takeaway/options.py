"""What few people change about what they take away: times, theme, names for hosts, keys.

The values stand in the address; the widgets only show and change them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import streamlit as st

from analyzer.dashboard.takeaway.order import TABLES, Secrets
from analyzer.ladder.look import Theme, TimeMode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analyzer.dashboard.desk import Desk
    from analyzer.dashboard.takeaway.order import Order

_TIMES = {
    "absolute": "time of day",
    "relative": "since the first message",
    "delta": "since the message before",
}
_THEMES = {"auto": "as the reader's system", "light": "light", "dark": "dark"}
_SECRETS = {
    "": "as captured, encrypted",
    "decrypted": "decrypted, as plain TCP",
    "keys": "with its keys",
}
_WORDS = {
    "messages": "messages",
    "commands": "commands and posts",
    "dialogs": "dialogs",
    "sessions": "sessions",
    "flows": "flows, step by step",
    "findings": "findings",
}


def draw_options(desk: Desk, order: Order) -> None:
    """Draw the options that an order has."""
    if order.group == "table":
        _choice(desk, "table", "Which records", TABLES, order.table, _WORDS)
    elif order.group == "capture" and order.redaction != "names":
        _capture(desk, order)
    elif order.group in ("ladder", "report"):
        with st.expander("Options"):
            _drawn(desk, order)


def _capture(desk: Desk, order: Order) -> None:
    secrets = get_args(Secrets) if order.form == "pcapng" else get_args(Secrets)[:2]
    _choice(desk, "tls", "TLS connections", secrets, order.secrets, _SECRETS)
    with st.container(horizontal=True):
        if order.form == "pcapng":
            label = "Comments on packets: what they carry, and findings"
            _switch(desk, "comments", label, on=order.comments, usual=True)
        label = "Whole connections, with whatever else they carry"
        _switch(desk, "connections", label, on=order.whole, usual=False)


def _drawn(desk: Desk, order: Order) -> None:
    left, right = st.columns(2)
    with left:
        _choice(desk, "times", "Times", get_args(TimeMode), order.times, _TIMES)
        _switch(desk, "fold", "Fold repeats", on=order.fold, usual=True)
        _switch(desk, "answers", "Fold answers", on=order.answers, usual=False)
        _switch(desk, "hops", "Each hop", on=order.hops, usual=False)
    with right:
        _choice(desk, "theme", "Colours", get_args(Theme), order.theme, _THEMES)
        _aliases(desk)


def _choice(
    desk: Desk, key: str, label: str, known: Sequence[str], chosen: str, words: dict[str, str]
) -> None:
    name = f"take-{key}"

    def changed() -> None:
        picked = st.session_state[name]
        desk.go(**{key: None if picked == known[0] else picked})

    st.session_state[name] = chosen
    st.selectbox(label, known, format_func=words.__getitem__, key=name, on_change=changed)


def _switch(desk: Desk, key: str, label: str, *, on: bool, usual: bool) -> None:
    name = f"take-{key}"
    changed: Callable[[], None] = lambda: desk.go(  # noqa: E731
        **{key: None if st.session_state[name] == usual else str(int(st.session_state[name]))}
    )
    st.session_state[name] = on
    st.toggle(label, key=name, on_change=changed)


def _aliases(desk: Desk) -> None:
    def changed() -> None:
        desk.go(alias=st.session_state["take-alias"].strip() or None)

    st.session_state["take-alias"] = desk.selection.more.get("alias", "")
    st.text_area(
        "Names for hosts and users, one a line", key="take-alias", on_change=changed, height=100,
        placeholder="10.0.0.5=fe1\nann@contoso.com=caller",
        help="They stand in the lanes instead of addresses; messages are not changed by them.",
    )  # fmt: skip
