"""The boxes in which somebody says how a case is to be played.

The values stand in the address, but for passwords, which stand nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st
from lxml import etree

from analyzer.dashboard.playing.order import HERE
from analyzer.dashboard.takeaway.text import plain
from analyzer.dashboard.verdict.paging import Option, choices
from analyzer.markup import Column, add, coded, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.dashboard.desk import Desk
    from analyzer.dashboard.playing.order import Order, Way
    from analyzer.markup import Element

PASSWORD = "replay-password"  # noqa: S105  (the name of a box)
EXAMPLES = (
    ("503 cmd=join nth=1 retry-after=2", "the first join is refused with 503, to be tried again"),
    ("503 grpchat nth=1", "the first post is refused"),
    ("drop rpl=getpref", "a reply is lost"),
    ("delay cmd=bjoin by=3s", "a command comes late; others overtake it"),
    ("duplicate ntc=join times=2 by=500ms", "a notice comes three times"),
    ("reorder rpl=bjoin", "a reply changes places with what comes next"),
    ("merge method=INFO", "two messages in one piece"),
    ("split at=body gap=50ms rpl=join", "a message in pieces, headers and body apart"),
    ("corrupt part=header p=1%", "a byte of the headers is flipped, one message in a hundred"),
    ("oversized body=2M rpl=join", "a body grows to two megabytes"),
    ("wrong-commandid rpl=join nth=1", "a reply names a command that nobody sent"),
    ("cut how=rst inside cmd=join", "the connection breaks within a message"),
    ("stall for=5s cmd=join nth=1", "nothing is read for five seconds"),
)
_RULES = (Column("fault"), Column("what happens", "wide"))
SPEEDS = {
    "": "as fast as dependencies allow",
    "recorded": "as recorded",
    "2": "twice as fast as recorded",
    "10": "ten times as fast as recorded",
    "0.5": "half as fast as recorded",
}
_PACED = "Let each message wait for its time, to watch it"


def draw_form(desk: Desk, order: Order, flows: Sequence[str], *, brief: bool) -> None:
    """Draw the boxes; ``brief``: what few people set is folded, a play is shown below."""
    left, middle, right = st.columns(3)
    with left:
        _flow(desk, order, flows)
        if order.way != "self":
            label = "Target on this machine" if order.way == "client" else "Listen on"
            _text(desk, order, "at", label, HERE)
        elif order.speed.timing == "recorded" or order.pace:
            _switch(desk, "pace", _PACED, on=order.pace, usual=False)
    with middle:
        _speed(desk)
        _wrong(order, "speed")
        _text(desk, order, "timeout", "A turn is missing after", "10s")
    with right:
        _text(desk, order, "for", "End politely after", "never" if order.way != "self" else "1 day")
        if order.way == "server":
            _switch(desk, "once", "End when every client has come and gone", on=order.once,
                    usual=True)  # fmt: skip
    with st.expander(
        "Faults, values, users", expanded=_used(order) and (not brief or bool(order.wrong))
    ):
        _more(desk, order)


def _used(order: Order) -> bool:
    return bool(
        order.faults or order.client_faults or order.settings or order.users or order.scheme
        or any(key in ("fault", "clientfault", "set", "users", "scheme", "seed")
               for key, _ in order.wrong)
    )  # fmt: skip


def _more(desk: Desk, order: Order) -> None:
    left, right = st.columns(2)
    with left:
        end = "of the server" if order.way == "self" else "of this end"
        _lines(desk, order, "fault", f"Faults {end}, one a line", EXAMPLES[0][0])
        if order.way == "self":
            _lines(desk, order, "clientfault", "Faults of the client, one a line", "drop cmd=bjoin")
        desk.draw(_examples(), "replay-faults")
    with right:
        draw_values(desk, order)
        _lines(desk, order, "users", "Users who play, in order of the script's clients",
               "ann@contoso.com")  # fmt: skip
        st.text_input(
            "Their password, for this play only", type="password", key=PASSWORD,
            help="It is kept nowhere and stands in no address and no command.",
        )  # fmt: skip
        if order.way != "client":
            _scheme(desk, order)
        _text(desk, order, "seed", "Seed of identifiers and faults", "another one each time")


def draw_values(desk: Desk, order: Order) -> None:
    """Draw the box with the values that slots are to have."""
    _lines(desk, order, "set", "Values for this play, NAME=VALUE, one a line", "text1=hello")


def _examples() -> Element:
    made = etree.Element("details")
    add(made, "summary", text="What can go wrong: examples of faults")
    rows = ((coded(rule), about) for rule, about in EXAMPLES)
    table(made, "Faults", _RULES, rows)
    words = (
        "nth=, every= and p= say which of the messages; method=, cmd=, rpl=, ntc=, status= and "
        "user= which kind; said and heard in which direction. docs/replay.md has all of them."
    )
    add(made, "p", "soft", words)
    return made


def ways(parent: Element, desk: Desk, order: Order, words: Mapping[Way, str]) -> None:
    """Add the ways to play as links."""

    def href(way: str) -> str:
        return desk.href(way=None if way == "self" else way, at=None, play=None)

    options = (Option(text, href(way), way == order.way) for way, text in words.items())
    choices(parent, "Play", options)


def _flow(desk: Desk, order: Order, flows: Sequence[str]) -> None:
    known = ["", *flows]
    if order.flow not in known:
        known.append(order.flow)

    def changed() -> None:
        desk.go(flow=st.session_state["replay-flow"] or None, page=None)

    st.session_state["replay-flow"] = order.flow
    st.selectbox(
        "What of it", known, key="replay-flow", on_change=changed,
        format_func=lambda one: one or "all of the session" if desk.selection.session is not None
        else one or "all sessions",
        help="Of a flow, with what it rests on: the sign-in, the rooms.",
    )  # fmt: skip


def _speed(desk: Desk) -> None:
    given = desk.selection.more.get("speed", "")
    known = {**SPEEDS, **({given: f"{given} times as fast"} if given not in SPEEDS else {})}

    def changed() -> None:
        desk.go(speed=st.session_state["replay-speed"] or None)

    st.session_state["replay-speed"] = given
    st.selectbox("Speed", [*known], format_func=lambda one: known[one], key="replay-speed",
                 on_change=changed)  # fmt: skip


def _scheme(desk: Desk, order: Order) -> None:
    def changed() -> None:
        desk.go(scheme=st.session_state["replay-scheme"] or None)

    st.session_state["replay-scheme"] = desk.selection.more.get("scheme", "")
    words = {"": "lets everybody in", "NTLM": "demands NTLM", "Digest": "demands Digest"}
    known = [*words]
    if st.session_state["replay-scheme"] not in known:
        st.session_state["replay-scheme"] = ""
    st.selectbox("The server", known, format_func=lambda one: words[one], key="replay-scheme",
                 on_change=changed)  # fmt: skip
    _wrong(order, "scheme")


def _text(desk: Desk, order: Order, key: str, label: str, usual: str) -> None:
    name = f"replay-{key}"

    def changed() -> None:
        desk.go(**{key: st.session_state[name].strip() or None})

    st.session_state[name] = desk.selection.more.get(key, "")
    st.text_input(label, key=name, on_change=changed, placeholder=usual)
    _wrong(order, key)


def _lines(desk: Desk, order: Order, key: str, label: str, usual: str) -> None:
    name = f"replay-{key}"

    def changed() -> None:
        desk.go(**{key: st.session_state[name].strip() or None})

    st.session_state[name] = desk.selection.more.get(key, "")
    st.text_area(label, key=name, on_change=changed, placeholder=usual, height=90)
    _wrong(order, key)


def _wrong(order: Order, key: str) -> None:
    why = order.why(key)
    if why:
        st.error(plain(why))


def _switch(desk: Desk, key: str, label: str, *, on: bool, usual: bool) -> None:
    name = f"replay-{key}"

    def changed() -> None:
        value = bool(st.session_state[name])
        desk.go(**{key: None if value == usual else str(int(value))})

    st.session_state[name] = on
    st.toggle(label, key=name, on_change=changed)
