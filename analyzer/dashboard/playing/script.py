"""The script of what is selected: its turns and slots, as tables.

The rule: what is a secret is never shown; a script has a stand-in for it anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.dashboard.kept_last import kept_last
from analyzer.dashboard.takeaway.apart import looking_into
from analyzer.dashboard.takeaway.work import Work
from analyzer.dashboard.verdict.paging import pager, part_of
from analyzer.ladder.selection import Choice
from analyzer.markup import Column, add, coded, more, say, table
from analyzer.replay.check import errors_of
from analyzer.replay.derive.grounded import derive_playable
from analyzer.replay.derive.losses import losses
from analyzer.replay.derive.report import slot_report
from analyzer.replay.edit.anonymise import anonymise
from analyzer.replay.edit.leaks import leaks
from analyzer.replay.edit.values import names_of, set_values
from analyzer.replay.script import FRESH, SERVER
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from analyzer.dashboard.cases import Case
    from analyzer.dashboard.desk import Desk
    from analyzer.dashboard.playing.order import Order
    from analyzer.markup import Cell, Element
    from analyzer.replay.derive.report import Report
    from analyzer.replay.problem import Problem
    from analyzer.replay.script import Script, Slot, Turn

SCRIPTS = "script"
"""The name under which the last ones are kept with a case."""
PAGE = 50
SHOWN_VALUE = 120
"""Characters of a slot's value in the table; the script has all."""
LITERALS = 20
_SLOTS = (
    Column("slot", "mono"),
    Column("kind"),
    Column("recorded value", "wide"),
    Column("at a play", "wide"),
    Column("said first", "wide"),
    Column("uses", "num"),
)
_TURNS = (
    Column("turn", "mono"),
    Column("ms", "num"),
    Column("speaker"),
    Column("message", "wide"),
    Column("expected of it", "wide"),
    Column("recorded in"),
)


class Derived(NamedTuple):
    """A script, and what became slots in it."""

    script: Script
    report: Report
    errors: Sequence[Problem]
    """What keeps it from being played."""


class Wanted(NamedTuple):
    """What a script is derived of."""

    session: int | None
    flow: str
    pseudonyms: bool


def wanted(desk: Desk, order: Order) -> Wanted:
    """Return what is selected."""
    return Wanted(desk.selection.session, order.flow, has_pseudonyms(desk))


def derived(desk: Desk, order: Order) -> Derived:
    """Return the script of the session and flow that are selected.

    Raises:
        ValueError: there is nothing to play, with one line for people.
    """
    key = wanted(desk, order)
    return kept_last(desk.case, SCRIPTS, key, lambda: derive_wanted(desk.case, key, Work()))


def has_pseudonyms(desk: Desk) -> bool:
    """Return whether the address asks for pseudonyms."""
    return desk.selection.more.get("names") == "pseudonyms"


def derive_wanted(case: Case, wanted: Wanted, work: Work) -> Derived:
    """Return the script of a part of a case, for ``work``, which may be a job beside the page.

    Raises:
        ValueError: there is nothing to play, with one line for people.
        Cancelled: somebody ended it.
    """
    with looking_into(case, work) as trace:
        work.say("deriving the script")
        script = derive_playable(trace, _choice(wanted), work.step)
    if wanted.pseudonyms:
        work.say("finding pseudonyms")
        done = anonymise(script)
        work.say("looking for what is left of the old values")
        left = leaks(done.script, done.originals)
        if left:
            raise ValueError(f"{amount(len(left), 'place')} could not be given pseudonyms")
        script = done.script
    work.say("looking for values that stay as recorded")
    report = slot_report(script)
    work.say("checking that it can be played")
    return Derived(script, report, errors_of(script))


def _choice(wanted: Wanted) -> Choice:
    sessions = () if wanted.session is None else (wanted.session,)
    return Choice(sessions, flows=(wanted.flow,) if wanted.flow else ())


def with_values(script: Script, order: Order) -> tuple[Script, Mapping[str, str]]:
    """Return a script with the values that an order sets, and those of slots by their names.

    Raises:
        ValueError: the script has no such value.
    """
    settings = dict(order.settings)
    if not settings:
        return script, {}
    slots = {slot.name for slot in script.slots}
    changed = set_values(script, settings)
    return changed, {name: value for name, value in settings.items() if name in slots}


def told(parent: Element, script: Script, report: Report) -> None:
    """Add what the script is, in sentences."""
    live = sum(turn.live for turn in script.turns)
    slots_, clients = amount(len(script.slots), "slot"), amount(len(script.clients), "client")
    count = amount(len(script.turns), "turn")
    add(parent, "p", text=f"{count}, {live:,} of them played; {slots_}; {clients}.")
    for sentence in losses(script.origin):
        add(parent, "p", "soft", f"{sentence}.")
    if report.literals:
        left = len(report.literals)
        box = add(parent, "details")
        add(box, "summary", text=f"{amount(left, 'value')} stay as recorded though they look "
            "volatile")  # fmt: skip
        listed = add(box, "ul")
        for one in report.literals[:LITERALS]:
            item = add(listed, "li")
            add(item, "code", text=one.value)
            say(item, f" ({one.form}), first in {one.turn}, {one.place}")
        more(box, left - LITERALS, "value", "xccos script --report lists them")


def slots(parent: Element, desk: Desk, script: Script, report: Report, order: Order) -> None:
    """Add the slots, page by page."""
    add(parent, "p", "soft", "A slot is a value that is another one at every play: an identifier, "
        "a user, a room, what somebody says. It stands in messages as ${name}.")  # fmt: skip
    uses = {use.name: use.uses for use in report.slots}
    part = part_of(desk.selection.more.get("page"), len(script.slots), PAGE)
    pager(parent, desk, part, "slot")
    turns = {turn.id: turn for turn in script.turns}
    given = dict(order.settings)
    rows = (
        (
            coded(slot.name), slot.kind, _value(slot), _at_a_play(slot, given),
            _said(desk, slot, turns), uses.get(slot.name, 0),
        )
        for slot in script.slots[part.first : part.last]
    )  # fmt: skip
    table(parent, "Slots of the script", _SLOTS, rows, "replay-slots")
    names = names_of(script)
    if names:
        line = add(parent, "p", "soft", "People set values by these names too: ")
        say(line, ", ".join(names[:PAGE]))


def _value(slot: Slot) -> Cell:
    if slot.kind in ("secret", "token"):
        return "never shown"
    value = slot.value
    return coded(value if len(value) <= SHOWN_VALUE else f"{value[:SHOWN_VALUE]}…")


def _at_a_play(slot: Slot, given: Mapping[str, str]) -> str:
    if slot.name in given:
        return f"set to {given[slot.name]}"
    if slot.kind == "secret":
        return "given when one plays"
    if slot.said_by == SERVER:
        return "what the server says" if slot.kind not in FRESH else "new, by the server"
    if slot.kind in FRESH:
        return "new at every play"
    return "as recorded, unless set"


def _said(desk: Desk, slot: Slot, turns: Mapping[str, Turn]) -> Cell:
    def fill(cell: Element) -> None:
        turn = turns.get(slot.turn or "")
        if turn is None:
            say(cell, "given to the script" if slot.said_by is None else slot.said_by)
            return
        say(cell, f"by {slot.said_by}, {slot.where or 'in it'}, {turn.id}")
        _recorded(cell, desk, turn, before=", ")

    return fill


def turns(parent: Element, desk: Desk, script: Script) -> None:
    """Add the turns, page by page."""
    part = part_of(desk.selection.more.get("page"), len(script.turns), PAGE)
    pager(parent, desk, part, "turn")
    shown = script.turns[part.first : part.last]
    table(parent, "Turns of the script", _TURNS, (_turn(desk, one) for one in shown),
          "replay-turns")  # fmt: skip


def _turn(desk: Desk, turn: Turn) -> tuple[Cell, ...]:
    def message(cell: Element) -> None:
        add(cell, "code", text=turn.message.start)
        for word in _remarks(turn):
            add(cell, "span", "soft", f" ({word})")

    def expected(cell: Element) -> None:
        for number, one in enumerate(turn.expect):
            say(cell, "; " if number else "")
            say(cell, f"{one.path} = {one.equals[:SHOWN_VALUE]}")

    def recorded(cell: Element) -> None:
        _recorded(cell, desk, turn)

    who = f"{turn.speaker} to {turn.listener}"
    return (turn.id, f"{turn.at_ms:,.1f}", who, message, expected, recorded)


def _remarks(turn: Turn) -> Iterator[str]:
    if not turn.live:
        yield "only in a regenerated capture"
    if turn.optional:
        yield "nobody waits for it"


def _recorded(cell: Element, desk: Desk, turn: Turn, before: str = "") -> None:
    if turn.frame is None:
        return
    say(cell, before)
    say(cell, "frame ")
    desk.page.frame(cell, turn.frame)
