"""The page ``export``: what can be taken away, and how much of people's words goes along.

The rule: nothing is made before somebody asks for it, and the page says what of people is in it.
"""

from __future__ import annotations

import os
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from lxml import etree

from analyzer.dashboard.filtering import chosen_rows
from analyzer.dashboard.taking.products import PRODUCTS, Product, command_line
from analyzer.dashboard.taking.share import SHARES, anonymised_trace, parse_share
from analyzer.dashboard.taking.wanted import Wanted
from analyzer.dashboard.verdict_paging import Option, choices
from analyzer.export.printable import printable
from analyzer.ladder.look import Look
from analyzer.markup import add, say
from analyzer.views.numbers import amount, size_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.dashboard.desk import Desk

MAX_DOWNLOAD = 200 << 20
"""Bytes that go through the browser; more is written to a path."""
TOO_LARGE = "{} are too many for a browser: write them to a path"
LOOK_EVERY = 2.0
"""Seconds between two looks at what could not be made."""


def show(desk: Desk) -> None:
    """Draw the page."""
    share = parse_share(desk.selection.more.get("share", ""))
    made = etree.Element("div")
    made.set("class", "export")
    add(made, "h1", text="Take away")
    _what(desk, made)
    options = [
        Option(SHARES[one][0], desk.href(share=one), one == share) for one in SHARES
    ]  # fmt: skip
    choices(made, "How much of people goes along", options)
    add(made, "p", "soft", SHARES[share][1])
    desk.draw(made, "export")
    _tell_failures(desk)
    wanted = _wanted(desk)
    offered = [one for one in PRODUCTS if share in one.shares]
    for group, products in groupby(offered, key=lambda one: one.group):
        _group(desk, wanted, group, [*products])
    _to_path(desk, wanted, offered)


def _what(desk: Desk, made: etree._Element) -> None:
    """Say what is taken."""
    case, selection = desk.case, desk.selection
    rows = chosen_rows(desk)
    told = add(made, "p")
    count = len(case.trace.rows) if rows is None else len(rows)
    if selection.session is not None:
        user = case.views[selection.session].user
        name = (user or "unknown user").removeprefix("sip:")
        say(told, f"Session {selection.session + 1} ({name})")
        say(told, " of ")
    add(told, "strong", text=case.name)
    say(told, f": {amount(count, 'message')}.")
    ways = add(made, "p")
    if selection.session is not None:
        add(ways, "a", "", "Take the whole capture instead", href=desk.href(session=None))
    elif len(case.views) > 1:
        say(ways, "A session that is chosen at the side is taken alone.")
    if selection.filter:
        say(ways, " The filter ")
        add(ways, "code", text=selection.filter)
        say(ways, " is heeded by ladders, captures, and tables of messages and commands. ")
        add(ways, "a", "", "Take it off", href=desk.href(filter=""))


def _wanted(desk: Desk) -> Wanted:
    case, selection = desk.case, desk.selection
    return Wanted(
        trace=case.trace,
        name=case.name,
        file=case.files[0] if len(case.files) == 1 else "",
        session=selection.session,
        rows=chosen_rows(desk),
        filtered=bool(selection.filter.strip()),
        share=parse_share(selection.more.get("share", "")),
        look=Look(zone=desk.zone),
    )


def _group(desk: Desk, wanted: Wanted, group: str, products: Sequence[Product]) -> None:
    st.subheader(group, anchor=False)
    with st.container(horizontal=True):
        for one in products:
            st.download_button(
                one.title,
                data=partial(_make, desk, wanted, one),
                file_name=wanted.file_name(one.suffix),
                mime=one.mime,
                on_click="ignore",
                disabled=bool(one.missing),
                help=one.missing or None,
                key=f"take-{one.id}",
            )
    made = etree.Element("div")
    lines = dict.fromkeys(filter(None, (command_line(one, wanted) for one in products)))
    if lines:
        details = add(made, "details", id=f"commands-{products[0].id}")
        add(details, "summary", text="The same on the command line")
        listed = add(details, "ul")
        for line in lines:
            item = add(listed, "li")
            add(item, "code", text=line)
            say(item, " ")
            add(item, "button", "", "copy", data_copy=line, type="button")
    for missing in dict.fromkeys(filter(None, (one.missing for one in products))):
        add(made, "p", "cut", missing)
    if len(made):
        desk.draw(made, f"commands-{products[0].id}")


def _make(desk: Desk, wanted: Wanted, product: Product) -> bytes:
    """Make a product when its button is pressed; the page tells why where that fails."""
    try:
        data = _made(desk, wanted, product)
        if len(data) > MAX_DOWNLOAD:
            raise ValueError(TOO_LARGE.format(size_text(len(data))))  # noqa: TRY301
    except ValueError as error:
        _failures(desk)[product.id] = f"{product.title}: {printable(str(error))}"
        raise
    _failures(desk).pop(product.id, None)
    return data


def _failures(desk: Desk) -> dict[str, str]:
    """Return why products could not be made, by their ids."""
    return desk.case.once("not taken", dict[str, str])


@st.fragment(run_every=LOOK_EVERY)
def _tell_failures(desk: Desk) -> None:
    """Tell what could not be made: a download is made when no page is drawn."""
    told = [*_failures(desk).values()]
    _failures(desk).clear()
    for sentence in told:
        st.error("It could not be made.")
        st.text(sentence)


def _made(desk: Desk, wanted: Wanted, product: Product) -> bytes:
    """Return the bytes of a product. Raises ValueError."""
    with desk.case.lock:
        if wanted.share != "anonymised" or product.id == "script":
            return b"".join(product.make(wanted))
        trace = anonymised_trace(wanted.trace, wanted.session)
    with trace:
        other = Wanted(
            trace, trace.name, "", None, None,
            filtered=False, share=wanted.share, look=wanted.look,
        )  # fmt: skip
        return b"".join(product.make(other))


def _to_path(desk: Desk, wanted: Wanted, products: Sequence[Product]) -> None:
    """Offer to write a product to a path on this machine, whatever its size."""
    with st.expander("Write it to a path on this machine instead"):
        names = {one.id: f"{one.group}: {one.title}" for one in products}
        chosen = st.selectbox("What", [*names], format_func=lambda one: names[one], key="path-what")
        product = next(one for one in products if one.id == chosen)
        place = st.text_input(
            "Path of the new file", key="path-where", placeholder=wanted.file_name(product.suffix)
        )
        if st.button("Write", key="path-write", disabled=not place):
            try:
                with st.spinner("Making it", show_time=True):
                    size = write_new(Path(place).expanduser(), _made(desk, wanted, product))
            except (OSError, ValueError) as error:
                st.error("It was not written.")
                st.text(printable(str(error)))
            else:
                st.success(f"{size_text(size)} written.")


def write_new(path: Path, data: bytes) -> int:
    """Write a file that is not there yet, whole or not at all; return its size.

    Raises OSError; ``FileExistsError`` where there is one of that name.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        os.link(part, path)  # unlike a rename it takes no other file's place
    finally:
        part.unlink(missing_ok=True)
    return len(data)
