"""The boxes in which both sides of a comparison are chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from analyzer.dashboard.desk import Desk
from analyzer.dashboard.offers import samples
from analyzer.dashboard.opening import Request
from analyzer.dashboard.workspace import WORKSPACE
from analyzer.export.printable import printable
from analyzer.markup import Column, add, table
from analyzer.views.told import VERDICT_WORDS

if TYPE_CHECKING:
    from analyzer.dashboard.cases import Case
    from analyzer.dashboard.compare.sides import Picked
    from analyzer.markup import Cell, Element

SAMPLE = "sample:"
"""Begins the name of a sample where ``other`` names a case."""
PATIENCE = 20.0
"""Seconds that opening a sample may take: they take less than one."""
KEPT = dict.fromkeys(("a", "b", "page"))
"""What of the address is about the sides before."""


def pickers(desk: Desk, chosen: Picked) -> None:
    """Draw the boxes: the session of A, the capture of B and its session, a sample to take."""
    left, middle, right = st.columns([3, 2, 3])
    with left:
        _session_of_a(desk, chosen)
    with middle:
        _case_of_b(desk, chosen)
    with right:
        _session_of_b(desk, chosen)


def _sessions(case: Case) -> dict[int, str]:
    """Return the sessions of a case in words."""
    return {
        index: printable(
            f"{index + 1}: {view.user or 'unknown user'} ({VERDICT_WORDS[case.verdict(index)]})"
        )
        for index, view in enumerate(case.views)
    }


def _session_of_a(desk: Desk, chosen: Picked) -> None:
    names = desk.case.once("session names", lambda: _sessions(desk.case))

    def changed() -> None:
        desk.go(session=st.session_state["compare-a"], **KEPT)

    st.session_state["compare-a"] = None if chosen.a is None else chosen.a.session
    st.selectbox(
        "A: session of this capture", [*names], format_func=lambda one: names[one],
        key="compare-a", on_change=changed, placeholder="There is none",
    )  # fmt: skip


def _case_of_b(desk: Desk, chosen: Picked) -> None:
    names = {desk.case.id: "this capture"}
    names |= {one.id: printable(one.name) for one in WORKSPACE.cases if one is not desk.case}
    offered = {f"{SAMPLE}{one.name}": f"sample {one.name}" for one in samples()}
    names.setdefault(chosen.other.id, printable(chosen.other.name))

    def changed() -> None:
        _go_on(desk, other=st.session_state["compare-case"])

    st.session_state["compare-case"] = chosen.other.id
    every = names | offered
    st.selectbox(
        "B: capture", [*every], format_func=lambda one: every[one],
        key="compare-case", on_change=changed,
    )  # fmt: skip


def _session_of_b(desk: Desk, chosen: Picked) -> None:
    case = chosen.other
    names = case.once("session names", lambda: _sessions(case))
    if chosen.a is not None and chosen.a.case is case:
        names = {index: name for index, name in names.items() if index != chosen.a.session}

    def changed() -> None:
        number = st.session_state["compare-b"]
        if number is not None:
            _go_on(desk, other=f"{case.id}:{number + 1}")

    wanted = None if chosen.b is None else chosen.b.session
    st.session_state["compare-b"] = wanted if wanted in names else None
    st.selectbox(
        "B: session", [*names], format_func=lambda one: names[one],
        key="compare-b", on_change=changed, placeholder="There is no other",
    )  # fmt: skip


def _go_on(desk: Desk, other: str) -> None:
    desk.go(other=other, **KEPT)


def with_sample(desk: Desk) -> tuple[Desk, tuple[str, ...]]:
    """Return the desk with the case of a sample where the address names one, and what went wrong.

    Whoever gets such an address has the sample too. It is read beside, and takes a moment.
    """
    wanted = desk.selection.more.get("other", "")
    if not wanted.startswith(SAMPLE):
        return desk, ()
    name, _, session = wanted.removeprefix(SAMPLE).partition(":")
    path = next((one.path for one in samples() if one.name == name), None)
    if path is None:
        return _at(desk, None), (f"There is no sample {name[:80]!r}.",)
    job = WORKSPACE.start(f"compare {path}", Request((path,)))
    job.wait(PATIENCE)
    if not job.opened:
        return _at(desk, None), tuple(job.failures) or ("Opening the sample takes too long.",)
    return _at(desk, f"{job.opened[0]}:{session}".rstrip(":")), ()


def _at(desk: Desk, other: str | None) -> Desk:
    return Desk(desk.case, desk.selection.but(other=other))


def draw_samples(parent: Element, desk: Desk) -> None:
    """Draw the samples to compare with, each as a link."""
    offered = samples()
    if not offered:
        return

    def linked(name: str) -> Cell:
        href = desk.href(other=f"{SAMPLE}{name}", a=None, b=None, page=None)

        def fill(cell: Element) -> None:
            add(cell, "a", "", name, href=href)

        return fill

    columns = (Column("sample", "mono"), Column("what it shows", "wide"))
    rows = ((linked(one.name), one.about) for one in offered)
    table(parent, "Samples to compare with", columns, rows)
