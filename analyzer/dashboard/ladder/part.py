"""The interactive ladder: a list that draws only what is in view, in a component of its own.

The rule: what selects a message does it through the address, as everywhere. The ladder itself is
sent once: what is selected in it goes beside it, in a second component that shows nothing.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import streamlit as st

from analyzer.dashboard.ladder.columns import STAMP, packed, zone_changes
from analyzer.dashboard.ladder.recent import Recent
from analyzer.dashboard.links import asset, follow
from analyzer.dashboard.selection import MAX_VALUE
from analyzer.ladder.html_details import message_record
from analyzer.views.detail import detail_record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.resources.abc import Traversable

    from streamlit.components.v2.types import ComponentRenderer

    from analyzer.dashboard.cases import Case
    from analyzer.dashboard.desk import Desk
    from analyzer.dashboard.selection import Selection
    from analyzer.ladder.look import Look
    from analyzer.ladder.values import Ladder

Record = dict[str, Any]
_Packed = tuple["Ladder", bytes]
KEPT_BYTES = 24 << 20
"""Bytes of ladders that are kept for a case: two of 50,000 arrows, or many short ones."""
SHARED = ("elements", "model", "messages", "compare", "map")
"""Scripts of the HTML ladder that this one stands on."""
OWN = ("unpack", "words", "list", "controls", "look", "board", "mount")
MARKED = 2
LOOK = ("find", "only", "times", "lanes", "nolanes", "nokinds", "clients", "heads")
"""Keys of the address for what is chosen in the ladder itself (``assets/ladder/look.js``)."""
LOOKED = {"ladder", "compare"}
"""Pages whose addresses have it: a play that is followed has no address."""


@cache
def _ladder_component() -> ComponentRenderer:
    return st.components.v2.component(
        "xccos-ladder", html='<div class="xl-root"></div>', css=style(), js=script()
    )


@cache
def _told_component() -> ComponentRenderer:
    return st.components.v2.component("xccos-ladder-told", js=asset("ladder/told.js"))


@cache
def script() -> str:
    """Return the module of the component."""
    shared = (_read(files("analyzer.ladder"), f"{name}.js") for name in SHARED)
    return "\n".join((*shared, *(asset(f"ladder/{name}.js") for name in OWN)))


@cache
def style() -> str:
    """Return its style sheet: that of the HTML ladder, in the colours of the page around it."""
    ours = files("analyzer.ladder")
    light = _read(ours, "colours.css").replace(":root", ".xl, .xl-root")
    dark = f'.xl[data-theme="dark"] {{{_read(ours, "dark.css")}}}'
    rules = [_read(ours, "ladder.css"), _read(ours, "panel.css")]
    return "\n".join((light, dark, *rules, asset("ladder/ladder.css")))


def _read(package: Traversable, name: str) -> str:
    return package.joinpath("assets", name).read_text(encoding="utf-8")


def draw_ladder(desk: Desk, ladder: Ladder, look: Look, key: str, *, live: bool = False) -> None:
    """Draw a ladder; messages chosen in it are selected in the address.

    ``key`` is unique in the page. ``live``: it grows, and stays at its end while nobody scrolls.
    Of ``look`` it takes the zone.
    """
    data = packed(ladder) if live else kept(desk.case, ladder)

    def went() -> None:
        _go(desk, st.session_state[key].get("go"))

    with st.container(gap=None):
        _ladder_component()(key=key, data=f"{key}\n".encode() + data, on_go_change=went)
        told = {"name": key, "stamp": data[:STAMP].decode(), "live": live}
        _told_component()(key=f"{key}-told", data=told | _told(desk, ladder, look))


def kept(case: Case, ladder: Ladder) -> bytes:
    """Return the bytes of a ladder, made once as long as it is among the last that were drawn."""
    recent: Recent[_Packed] = case.once("ladder bytes", lambda: Recent(KEPT_BYTES, _size))
    # The ladder is kept with them: as long as it lives no other has its identity.
    return recent.get(id(ladder), lambda: (ladder, packed(ladder)))[1]


def _size(made: _Packed) -> int:
    return len(made[1])


def _told(desk: Desk, ladder: Ladder, look: Look) -> Record:
    """Return what depends on what is selected."""
    marks = marked(desk)
    trace = desk.case.trace
    times = [event.time for event in ladder.events] if ladder.dated else []
    return {
        "row": desk.selection.message,
        "zone": zone_changes(times, look.zone),
        "hrefs": {
            "messages": desk.href(view="messages"),
            "findings": desk.href(view="findings"),
        },
        "marks": marks,
        "look": _chosen(desk.selection),
        "records": {row: message_record(detail_record(trace, row)) for row in marks},
    }


def _chosen(selection: Selection) -> Record | None:
    """Return what the address says of how the ladder is shown; None: it has no address."""
    more = selection.more
    return {key: more[key] for key in LOOK if key in more} if selection.view in LOOKED else None


def marked(desk: Desk) -> Sequence[int]:
    """Return the two messages that are compared; fewer where the address names none."""
    texts = desk.selection.more.get("marks", "").split(",")[: MARKED + 1]
    count = len(desk.case.trace.rows)
    rows = [int(one) for one in texts if one.isascii() and one.isdigit() and len(one) < 10]
    return rows if len(rows) == MARKED and max(rows) < count else []


def _go(desk: Desk, wanted: object) -> None:
    """Do what somebody did in the ladder; ``wanted`` comes from a browser."""
    if not isinstance(wanted, dict):
        return
    if isinstance(wanted.get("href"), str):
        follow(wanted["href"])
        return
    changes: dict[str, Any] = _look(wanted["look"]) if isinstance(wanted.get("look"), dict) else {}
    if "marks" in wanted:
        rows = wanted["marks"]
        changes["marks"] = ",".join(map(str, rows)) if _is_rows(rows) else None
    if "message" in wanted:
        row = wanted["message"]
        changes["message"] = row if _is_rows([row]) else None
    if changes:
        desk.go(**changes)


def _look(wanted: Record) -> dict[str, str | None]:
    """Return the keys of the address for what was chosen in the ladder; None: it is as always."""
    found = ((key, wanted.get(key)) for key in LOOK)
    return {
        key: value if isinstance(value, str) and 0 < len(value) <= MAX_VALUE else None
        for key, value in found
    }


def _is_rows(rows: object) -> bool:
    if not isinstance(rows, list) or len(rows) > MARKED:
        return False
    return all(isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in rows)
