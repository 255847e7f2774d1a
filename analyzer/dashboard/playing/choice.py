"""What to play of a capture that is too large to be played as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from analyzer.markup import add, badge, say
from analyzer.replay.derive.recording import MAX_TURNS
from analyzer.views.numbers import amount
from analyzer.views.told import VERDICT_WORDS

if TYPE_CHECKING:
    from analyzer.dashboard.desk import Desk

MAX_UNASKED = 4_000
"""Messages of which a script is derived without being asked for: some three seconds."""
A_SECOND = 1_000
"""Messages of which a script is derived in a second."""
OFFERED = 12


def is_too_long(desk: Desk) -> bool:
    """Tell whether a script of what is selected takes so long that people should ask for it."""
    if desk.selection.session is not None or desk.selection.more.get("all") == "1":
        return False
    return len(desk.case.trace.rows) > MAX_UNASKED


def draw_choice(desk: Desk) -> None:
    """Offer the sessions, those in trouble first: all at once take long, and nobody reads them."""
    case = desk.case
    count = len(case.trace.rows)
    made = etree.Element("div")
    seconds = amount(max(1, round(count / A_SECOND)), "second")
    told = (
        f"The script of all {amount(count, 'message')} takes about {seconds}. Choose a session to "
        "play:"
        if count <= MAX_TURNS
        else f"{amount(count, 'message')} are too many for one script, which has {MAX_TURNS:,} at "
        "most. Choose a session to play:"
    )
    add(made, "p", text=told)
    order = ("failed", "doubtful", "ok", "not-captured")
    ranked = sorted(range(len(case.views)), key=lambda one: order.index(case.verdict(one)))
    listed = add(made, "ul")
    for index in ranked[:OFFERED]:
        item = add(listed, "li")
        verdict = case.verdict(index)
        badge(item, verdict, VERDICT_WORDS[verdict])
        say(item, f" {index + 1}: ")
        user = case.views[index].user or "unknown user"
        add(item, "a", "", user, href=desk.href(session=index))
    line = add(made, "p")
    if len(ranked) > OFFERED:
        add(line, "a", "", f"all {len(ranked):,} sessions", href=desk.href(view="sessions"))
        say(line, " · " if count <= MAX_TURNS else "")
    if count <= MAX_TURNS:
        add(line, "a", "", "derive all of it", href=desk.href(all=1))
    desk.draw(made, "replay-choose")
