"""Rooms: joins that the service or somebody on the way refused, wholly or in part."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.diagnostics.reading import (
    answer_nodes,
    dialog_of,
    listed,
    rejected_for_itself,
    rows_of,
    who,
)
from analyzer.diagnostics.rule import Hit, Rule
from analyzer.sessions.rooms import JOINING, is_good

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from analyzer.commands import Command
    from analyzer.diagnostics.rule import Case
    from analyzer.sessions.view import SessionView

THIRD_PARTY_STATUS = 440
"""Status of a filter between client and service (SIP applications written in MSPL)."""
GLOBAL_FAILURE = 600
MAX_COMPARED = 256
"""Rooms of a reply that are compared by their ends; users are in some dozens."""


class _Told(NamedTuple):
    """What the replies to a join say of rooms."""

    joined: set[str]
    failed: dict[str, None]
    names: dict[str, str]


def _partial(case: Case) -> Iterator[Hit]:
    for view in case.sessions:
        for command in (one for name in JOINING for one in view.named(name)):
            if command.answers and all(
                is_good(view.outcomes.code(answer)) for answer in command.answers
            ):
                yield from _partial_join(case, view, command)


def _partial_join(case: Case, view: SessionView, command: Command) -> Iterator[Hit]:
    told = _told(view, command)
    asked = view.outcomes.rooms(command) if command.element >= 0 else ()
    count = f"{len(told.failed)} of {max(len(asked), len(told.failed))} rooms"
    if told.failed:
        rooms = list(told.failed)
        keys = [node.get("key") or "no key" for _, node in answer_nodes(case, command, "fib")]
        why = ", ".join(dict.fromkeys(keys)) or "no reason"
        text = f"{command.name} of {who(view)}: {count} refused ({why}): {_named(view, rooms)}"
        yield _hit(view, command, rooms, text)
    # Whether case counts is not known, and some write only the end of the value.
    named = {room.casefold(): None for room in (*told.joined, *told.failed)}
    absent = [room for room in asked if not _is_named(room.casefold(), named)]
    if absent and _whole(view, command):
        text = (
            f"{command.name} of {who(view)}: {len(absent)} of {len(asked)} rooms in no reply, "
            f"neither joined nor refused: {_named(view, absent)}"
        )
        yield _hit(view, command, absent, text)


def _is_named(room: str, rooms: Collection[str]) -> bool:
    if room in rooms:
        return True
    value = room.rpartition("/")[2]
    return len(rooms) <= MAX_COMPARED and any(one.endswith(value) for one in rooms)


def _told(view: SessionView, command: Command) -> _Told:
    reader, elements = view.material.reader, view.material.elements
    told = _Told(set(), {}, {})
    for answer in command.answers:
        facts = reader.facts(answer.row, elements.position(answer.element))
        told.joined.update(facts.rooms)
        told.failed.update(dict.fromkeys(facts.failed))
        told.names.update(facts.names)
    return told


def _named(view: SessionView, rooms: list[str]) -> str:
    names = {room.uri: room.name for room in view.rooms}
    return listed([f"{names[uri]} ({uri})" if names.get(uri) else uri for uri in rooms])


def _hit(view: SessionView, command: Command, rooms: list[str], text: str) -> Hit:
    """Return the hit; a room that was joined later after all makes it a note."""
    known = {room.uri: room.joined for room in view.rooms}
    first = command.first()[0]
    later = [row for uri in rooms if (row := known.get(uri)) is not None and row > first]
    rows = rows_of(view, command)
    if len(later) == len(rooms):
        text += f"; joined later (frame {view.frame(later[0])})"
        return Hit(text, (*rows, *later), view.index, severity="note")
    return Hit(text, rows, view.index)


def _whole(view: SessionView, command: Command) -> bool:
    """Say whether all replies to a join, which may be several, would be in the capture."""
    last = max(answer.row for answer in command.answers)
    dialog, visible = dialog_of(view, command), view.visibility
    ended = None if dialog is None else dialog.end.row
    return visible.hole_after(command.row) is None and visible.why_unknown(last, ended) is None


def _rejected(case: Case) -> Iterator[Hit]:
    for view in case.sessions:
        for command in (one for name in JOINING for one in view.named(name)):
            if not rejected_for_itself(case, view, command):
                continue
            rooms = view.outcomes.rooms(command)
            into = view.room_names.of_all(rooms)
            text = (
                f"{command.name} of {who(view)} into {into} in frame "
                f"{view.frame(command.row)}: {view.outcomes.detail(command)}"
            )
            status = command.status or 0
            if status == THIRD_PARTY_STATUS or status >= GLOBAL_FAILURE:
                text += "; Channel services do not answer so, filters on the way do"
            yield Hit(text, rows_of(view, command), view.index)


RULES: tuple[Rule, ...] = (
    Rule(
        "GC303",
        "warning",
        "Partial join",
        "The service let the user into some rooms only: for others its reply has a failure block "
        "(fib, OPERATION_FAILED), or does not name them at all. The client shows the rest as if "
        "nothing had happened.",
        "Check that the rooms still exist, are not disabled, and that the user is a member.",
        "docs/protocol.md section 9 row 12",
        _partial,
    ),
    Rule(
        "GC304",
        "error",
        "Join refused by SIP",
        "The INFO with the join was itself refused. Channel services accept commands and refuse "
        "in their reply; 440 and 6xx come from filters between client and service.",
        "Look at the SIP applications of the front end (Get-CsServerApplication), and at the "
        "host that ms-diagnostics names.",
        "docs/protocol.md section 9 row 13",
        _rejected,
    ),
)
