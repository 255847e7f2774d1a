"""The page on which what was captured is played again, watched, and compared with the recording."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st
from lxml import etree

from analyzer.dashboard.playing.choice import draw_choice, is_too_long
from analyzer.dashboard.playing.deriving import Deriving, again, script_of
from analyzer.dashboard.playing.form import PASSWORD, draw_form, draw_values, ways
from analyzer.dashboard.playing.live import draw_played, end_live, follow
from analyzer.dashboard.playing.order import MAX_SEED, WAYS, command_of, order_of
from analyzer.dashboard.playing.plays import PLAYS, Playing, new_id
from analyzer.dashboard.playing.results import draw_results
from analyzer.dashboard.playing.script import (
    has_pseudonyms,
    slots,
    told,
    turns,
    with_values,
)
from analyzer.dashboard.playing.told import draw_account, onward
from analyzer.dashboard.takeaway.scope import inputs
from analyzer.dashboard.takeaway.text import command_box, plain
from analyzer.dashboard.verdict.paging import Option, choices
from analyzer.dashboard.workspace import WORKSPACE
from analyzer.flows.runs import flows_of
from analyzer.markup import add, badge, say
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.dashboard.desk import Desk
    from analyzer.dashboard.playing.order import Order
    from analyzer.dashboard.playing.script import Derived
    from analyzer.replay.script import Script

PARTS = {"": "Play it", "turns": "Its turns", "slots": "Its slots"}
LOOK_EVERY = 0.7
"""Seconds between two looks at a play."""
AT_ONCE = 0.25
"""Seconds in which most plays in memory are over."""
MAX_FLOWS = 60
"""Runs of flows that are offered by name."""
EARLIER = 6


def show(desk: Desk) -> None:
    """Draw the page."""
    order = order_of(desk.selection.more)
    if is_too_long(desk):
        draw_choice(desk)
        return
    try:
        with st.spinner("Deriving the script", show_time=True):
            found = script_of(desk, order)
    except ValueError as error:
        _nothing(desk, order, str(error))
        return
    if isinstance(found, Deriving):
        _derive(desk, order, found)
        return
    part = desk.selection.more.get("show", "")
    _head(desk, found, part if part in PARTS else "")
    if part == "turns":
        made = etree.Element("div")
        turns(made, desk, found.script)
        desk.draw(made, "replay-turns")
    elif part == "slots":
        draw_values(desk, order)
        _changed(order, found)
        made = etree.Element("div")
        slots(made, desk, found.script, found.report, order)
        desk.draw(made, "replay-slots")
    else:
        _play(desk, order, found)


def _derive(desk: Desk, order: Order, job: Deriving) -> None:
    """Say how far a script is; nobody else waits for it."""
    if job.cancelled:
        st.info("Deriving the script was ended before it was done.")
        st.button("Derive it", on_click=again, args=(desk, order), key="replay-derive")
        return

    @st.fragment(run_every=LOOK_EVERY)
    def watch() -> None:
        if not job.running:
            st.rerun()
        st.progress(job.work.done, text=plain(job.work.stage.capitalize()))

    watch()
    st.button("Cancel", on_click=job.work.cancel, key="replay-underive")


def _nothing(desk: Desk, order: Order, why: str) -> None:
    st.warning(plain(f"There is nothing to play: {why}"))
    if order.flow:
        made = etree.Element("p")
        add(made, "a", "", "the whole of it", href=desk.href(flow=None))
        desk.draw(made, "replay-nothing")


def _head(desk: Desk, found: Derived, part: str) -> None:
    made = etree.Element("div")
    made.set("class", "replay")
    session = desk.selection.session
    of = "the whole capture"
    if session is not None:
        of = f"session {session + 1} of {desk.case.views[session].user or 'an unknown user'}"
    line = add(made, "p")
    add(line, "span", "soft", "The script of ")
    add(line, "strong", text=of)
    if session is None and len(desk.case.views) > 1:
        say(line, " · ")
        add(line, "span", "soft", "choose a session at the side to play it alone")
    told(made, found.script, found.report)
    names = has_pseudonyms(desk)
    choices(made, "People in it", (
        Option("as captured", desk.href(names=None, play=None), not names),
        Option("with pseudonyms", desk.href(names="pseudonyms", play=None), names),
    ))  # fmt: skip
    choices(made, "Show", (
        Option(text, desk.href(show=key or None, page=None), key == part)
        for key, text in PARTS.items()
    ))  # fmt: skip
    desk.draw(made, "replay-script")


# playing


def _play(desk: Desk, order: Order, found: Derived) -> None:
    made = etree.Element("div")
    ways(made, desk, order, WAYS)
    desk.draw(made, "replay-ways")
    playing = PLAYS.get(desk.selection.more.get("play", ""))
    shown = playing is not None and playing.case == desk.case.id
    draw_form(desk, order, _flows(desk), brief=shown)
    desk.draw(_command(desk, order), "replay-command")
    _begin(desk, order, found)
    if playing is not None and shown:
        _watch(desk, playing) if playing.running else _over(desk, playing)
    elif "play" in desk.selection.more:
        st.info("That play is forgotten: play it again. All that it was played with is set above.")
    _earlier(desk, playing)


def _flows(desk: Desk) -> list[str]:
    """Return the names of the runs of flows that there are: ``posting``, ``posting:2``."""

    def found() -> list[str]:
        session, names = desk.selection.session, dict[str, int]()
        few = None if session is None else [session]
        for run in flows_of(desk.case.trace, few):
            names[run.flow] = names.get(run.flow, 0) + 1
        listed: list[str] = []
        for name, count in names.items():
            listed.append(name)
            listed += [f"{name}:{nth + 1}" for nth in range(count)] if count > 1 else []
        return listed[:MAX_FLOWS]

    return desk.case.once(("flows to play", desk.selection.session), found)


def _command(desk: Desk, order: Order) -> etree._Element:
    made = etree.Element("div")
    files, plainly = inputs(desk.case), not has_pseudonyms(desk)
    command_box(made, command_of(order, files, desk.selection.session, plain=plainly))
    return made


class _Changed(NamedTuple):
    """A script with the values that somebody set."""

    script: Script
    values: Mapping[str, str]
    wrong: bool


def _changed(order: Order, found: Derived) -> _Changed:
    """Return the script with its values, and say what is wrong with these."""
    try:
        return _Changed(*with_values(found.script, order), wrong=False)
    except ValueError as error:
        st.error(plain(f"Values: {error}"))
        return _Changed(found.script, {}, wrong=True)


def _begin(desk: Desk, order: Order, found: Derived) -> None:
    changed = _changed(order, found)
    for problem in found.errors[:3]:
        st.error(plain(f"{problem.place}: {problem.text}"))

    def clicked() -> None:
        seed = secrets.randbelow(MAX_SEED) if order.seed is None else order.seed
        password = str(st.session_state.get(PASSWORD) or "")
        if order.scheme is not None and not password:
            st.session_state["replay-refused"] = f"{order.scheme} needs the users' password."
            return
        name = new_id()
        made = Playing(
            name, desk.case.id, desk.case.name, changed.script, order,
            order.options(seed, password, changed.values), seed,
            WORKSPACE.folder / "plays" / name, WORKSPACE.cases,
        )  # fmt: skip
        refused = PLAYS.start(made)
        if refused:
            st.session_state["replay-refused"] = refused
        else:
            desk.go(play=name, page=None)

    refused = st.session_state.pop("replay-refused", "")
    if refused:
        st.warning(refused)
    st.button(
        "Play", type="primary", on_click=clicked, key="replay-play",
        disabled=bool(order.wrong or changed.wrong or found.errors),
    )  # fmt: skip


# watching


def _watch(desk: Desk, playing: Playing) -> None:
    if playing.wait(AT_ONCE):
        st.rerun()
    st.button("Stop", on_click=playing.stop, key="replay-stop")

    @st.fragment(run_every=LOOK_EVERY)
    def watch() -> None:
        if not playing.running:
            st.rerun()
        st.text(_said_so_far(playing))
        follow(desk, playing, f"replay-live-{playing.id}")

    watch()


def _said_so_far(playing: Playing) -> str:
    events = playing.events
    live = sum(turn.live for turn in playing.script.turns)
    parts = [f"{playing.seconds:.0f} s"]
    if playing.order.way == "server":
        where = playing.listening
        parts.append("about to listen" if where is None else f"listening on {where}")
        if where is not None and not events:
            parts.append("nobody has come yet")
    parts.append(f"{sum(one.kind == 'data' for one in events):,} pieces on the wire")
    parts.append(f"the script has {amount(live, 'turn')}")
    return ", ".join(parts) + (". It is being stopped." if playing.stopped else ".")


def _over(desk: Desk, playing: Playing) -> None:
    end_live(playing)
    if playing.failure:
        st.error(plain(playing.failure))
    made = etree.Element("div")
    made.set("class", "replay")
    if playing.account is not None:
        draw_account(made, desk, playing, playing.account)
    played = WORKSPACE.cases.get(playing.opened) if playing.opened else None
    if played is not None:
        onward(made, desk, playing, played)
    desk.draw(made, "replay-account")
    draw_results(playing)
    if played is not None:
        st.subheader("What went over the wire", anchor=False)
        draw_played(desk, playing, played, "replay-ladder")


def _earlier(desk: Desk, shown: Playing | None) -> None:
    others = [one for one in PLAYS.of(desk.case.id) if one is not shown][:EARLIER]
    if not others:
        return
    made = etree.Element("div")
    add(made, "h3", text="Other plays of this capture")
    listed = add(made, "ul")
    for one in others:
        item = add(listed, "li")
        if one.running:
            badge(item, "unknown", "goes on")
        elif one.account is not None and one.account.held:
            badge(item, "ok", "held")
        else:
            badge(item, "failed", "did not hold")
        say(item, " ")
        add(item, "a", "", WAYS[one.order.way], href=desk.href(play=one.id, page=None, show=None))
        say(item, f", seed {one.seed}")
    desk.draw(made, "replay-earlier")
