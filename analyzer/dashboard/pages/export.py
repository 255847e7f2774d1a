"""The page that things are taken away from: pictures, reports, captures, tables, scripts.

The rule: nothing is made, and nothing sent, before somebody asks for it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st
from lxml import etree

from analyzer.dashboard.filtering.shown import filter_box, filtered
from analyzer.dashboard.server import MAX_UPLOAD
from analyzer.dashboard.takeaway.command import command_of
from analyzer.dashboard.takeaway.make import maker
from analyzer.dashboard.takeaway.options import draw_options
from analyzer.dashboard.takeaway.order import GROUPS, Order, order_of
from analyzer.dashboard.takeaway.scope import inputs, scope_of, whole_of
from analyzer.dashboard.takeaway.text import command_box, plain
from analyzer.dashboard.takeaway.work import SHELF, save_as
from analyzer.dashboard.verdict.paging import Option, choices
from analyzer.dashboard.workspace import WORKSPACE
from analyzer.markup import add, say
from analyzer.views.numbers import size_text

if TYPE_CHECKING:
    from analyzer.dashboard.desk import Desk
    from analyzer.dashboard.takeaway.scope import Scope
    from analyzer.dashboard.takeaway.work import Made, Making
    from analyzer.markup import Element

MAX_DOWNLOAD = MAX_UPLOAD << 20
"""Bytes that are sent to a browser: they pass through memory twice. What is more is written where
somebody says."""
LOOK_EVERY = 0.4
"""Seconds between two looks at a job."""
MAX_DRAWN = 20_000
"""Messages of a ladder as a picture that is still worth looking at."""


class _Asked(NamedTuple):
    """What the page is asked for."""

    order: Order
    scope: Scope
    files: tuple[str, ...]

    @property
    def command(self) -> str | None:
        return command_of(self.order, self.scope, self.files)

    def key(self, case: str) -> str:
        """Return what names the same thing again, made of the same case."""
        said = f"{case}\0{self.order!r}\0{self.scope!r}"
        return hashlib.sha256(said.encode(errors="replace")).hexdigest()[:16]


def show(desk: Desk) -> None:
    """Draw the page."""
    filter_box(desk)
    asked = _Asked(
        order_of(desk.selection.more, desk.selection.zone),
        _scope(desk),
        tuple(inputs(desk.case)),
    )
    for sentence in asked.order.wrong:
        st.warning(plain(sentence))
    desk.draw(_choosing(desk, asked), "take-what")
    draw_options(desk, asked.order)
    desk.draw(_told(asked), "take-told")
    if asked.order.missing:
        st.warning(plain(f"{asked.order.product.title} needs more: {asked.order.missing}."))
        return
    _making(desk, asked)


def _scope(desk: Desk) -> Scope:
    if desk.selection.more.get("scope") == "all":
        return whole_of(desk.case)
    found = filtered(desk)
    return scope_of(desk.case, desk.selection.session, found.filter, found.rows, desk.zone)


# what there is


def _choosing(desk: Desk, asked: _Asked) -> Element:
    made = etree.Element("div")
    made.set("class", "take")
    _of_what(made, desk, asked)
    order, groups = asked.order, GROUPS
    clean = dict.fromkeys(("as", "redact", "table", "tls"))
    cards = add(made, "ul", "take-groups", aria_label="What to take away")
    for name, group in groups.items():
        item = add(cards, "li")
        link = add(item, "a", "", group.title, href=desk.href(take=name, **clean))
        if name == order.group:
            item.set("class", "chosen")
            link.set("aria-current", "true")
        say(item, f" {group.about}")
    forms = groups[order.group].forms
    options = (Option(one.title, desk.href(**{"as": key}), key == order.form)
               for key, one in forms.items())  # fmt: skip
    choices(made, "As", options)
    redactions = (Option(words, desk.href(redact=key or None), key == order.redaction)
                  for key, words in order.redactions.items())  # fmt: skip
    choices(made, "People in it", redactions)
    return made


def _of_what(parent: Element, desk: Desk, asked: _Asked) -> None:
    """Add what is taken, in words, and how to take the rest."""
    line = add(parent, "p", "take-scope")
    add(line, "span", "soft", "Taken: ")
    add(line, "strong", text=asked.scope.told)
    narrowed = desk.selection.session is not None or bool(desk.selection.filter.strip())
    if desk.selection.more.get("scope") == "all" and narrowed:
        say(line, " · ")
        add(line, "a", "", "only what is selected", href=desk.href(scope=None))
    elif narrowed:
        say(line, " · ")
        add(line, "a", "", "take the whole capture", href=desk.href(scope="all"))
    else:
        hint = "choose a session at the side, or a filter above, to take a part"
        add(line, "span", "soft", f" · {hint}")


def _told(asked: _Asked) -> Element:
    """Return what it holds of people, and the command that makes it."""
    made = etree.Element("div")
    made.set("class", "take")
    order = asked.order
    line = add(made, "p", "take-holds")
    word, tone = ("Pseudonyms", "good") if order.redaction == "names" else ("Not redacted", "doubt")
    if order.redaction == "bodies":
        word = "Without words"
    badge = add(line, "span", f"badge {tone}")
    add(badge, "span", text="✓ " if tone == "good" else "! ", aria_hidden="true")
    say(badge, word)
    say(line, f" {order.holds}")
    command = asked.command
    if command is None:
        add(made, "p", "soft", "No command line says this filter; the page makes it all the same.")
        return made
    command_box(made, command)
    return made


# making it


def _making(desk: Desk, asked: _Asked) -> None:
    key = asked.key(desk.case.id)
    job = SHELF.get(key)
    if job is None:
        _ask(desk, asked, key, "Make it")
    elif job.running:
        _watch(desk, job)
    elif job.made is not None:
        _ready(desk, job, job.made)
    else:
        st.error(plain(job.failure))
        _ask(desk, asked, key, "Try again")


def _ask(desk: Desk, asked: _Asked, key: str, label: str) -> None:
    if not asked.scope.count:
        st.info("Nothing is selected: there is nothing to take away.")
        return

    def clicked() -> None:
        make = maker(desk.case, asked.order, asked.scope)
        started = SHELF.start(key, WORKSPACE.folder / "made", make)
        if isinstance(started, str):
            st.session_state["take-refused"] = started

    refused = st.session_state.pop("take-refused", "")
    if refused:
        st.warning(refused)
    if asked.order.group == "ladder" and asked.scope.count > MAX_DRAWN:
        st.caption(
            f"{asked.scope.count:,} messages make a ladder of many pages: a session alone is "
            "easier to read."
        )
    st.button(label, type="primary", on_click=clicked, key="take-make")


def _watch(desk: Desk, job: Making) -> None:
    # What takes no time is ready before anybody sees a bar.
    with desk.case.let_in():
        over = job.wait(LOOK_EVERY / 2)
    if over:
        st.rerun()

    @st.fragment(run_every=LOOK_EVERY)
    def watch() -> None:
        if not job.running:
            st.rerun()
        st.progress(job.work.done, text=plain(f"{job.work.stage}"))

    watch()
    st.button("Cancel", on_click=job.work.cancel, key="take-cancel")


def _ready(desk: Desk, job: Making, made: Made) -> None:
    path, size = made.path, made.size
    st.success(plain(f"{made.name}, {size_text(size)}, is ready."))
    if size <= MAX_DOWNLOAD:
        st.download_button(
            plain(f"Download {made.name} ({size_text(size)})"), path.read_bytes,
            file_name=made.name, mime=made.mime, type="primary", on_click="ignore",
            key="take-download",
        )  # fmt: skip
    else:
        st.text(
            f"More than {size_text(MAX_DOWNLOAD)} is not sent to a browser. Write it to a path on "
            "this machine, or take the command."
        )
    _to_path(made, open_=size > MAX_DOWNLOAD)
    if made.notes:
        notes = etree.Element("ul")
        notes.set("class", "take-notes")
        for sentence in made.notes:
            add(notes, "li", text=sentence)
        desk.draw(notes, "take-notes")
    st.button("Make it anew", on_click=SHELF.drop, args=(job.key,), key="take-again")


def _to_path(made: Made, *, open_: bool) -> None:
    def clicked() -> None:
        target = Path(str(st.session_state["take-path"]).strip()).expanduser()
        try:
            st.session_state["take-saved"] = (True, save_as(made, target))
        except ValueError as error:
            st.session_state["take-saved"] = (False, str(error))

    with st.expander("Write it to a path on this machine", expanded=open_):
        st.text_input("Path", key="take-path", placeholder=f"/tickets/{made.name}")
        st.button("Write", on_click=clicked, key="take-write")
        done, said = st.session_state.pop("take-saved", (True, ""))
        if said:
            (st.success if done else st.error)(plain(said))
