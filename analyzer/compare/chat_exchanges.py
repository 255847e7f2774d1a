"""The exchanges of a session that carried XCCOS: commands, posts, and what the service sent.

An exchange is one item, however many of them a message carries: eleven preferences in one INFO are
the same as in eleven.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.compare.naming import CHATTING, FRONT_END, ROLES, STEPS, role_words
from analyzer.compare.outcomes import LOST, command_outcome, delivery_outcome
from analyzer.compare.values import Exchange, Outcome, Rooms, Sight
from analyzer.narrative.names import short_room
from analyzer.sessions.rooms import JOINING
from analyzer.states import status_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.commands import Command
    from analyzer.compare.source import Source
    from analyzer.dialogs import DialogDraft
    from analyzer.flows.values import FlowRun

LABELLED = ("getpref", "setpref")
"""Commands about a document that has a label: the client's own names, alike in every company."""


def command_exchanges(source: Source) -> Iterator[Exchange]:
    """Yield the commands and posts of a session."""
    for command in source.view.commands:
        yield _of_command(source, command)


def _of_command(source: Source, command: Command) -> Exchange:
    view = source.view
    row, element = command.first()
    item = (row, element - source.rows.item[row])
    sent = command.element >= 0
    label = _label(source, item) if command.name in LABELLED else ""
    sights = tuple(_sights(source, command))
    outcome = command_outcome(source, command)
    rooms = view.outcomes.rooms(command)
    replies = tuple(
        (one.row, view.material.elements.position(one.element)) for one in command.answers
    )
    decided = source.near(command.answers[0].row) if command.answers else None
    latency = None
    if sent and decided is not None:
        latency = (view.time(decided) - sights[0].time) / 1e6
    elif sent and command.outcome in {"accepted", "rejected"}:
        latency = view.found.latency_ms(command.transaction)
    words = "post" if command.post else command.name
    return Exchange(
        token=("up", CHATTING if command.post else "cmd", command.name, label),
        family=words,
        subject=f"{words} {label}" if label else words,
        step=STEPS.get((CHATTING,) if command.post else ("cmd", command.name)),
        role=_role(source, command.dialog),
        up=True,
        sights=sights,
        outcome=outcome,
        began=sights[0].time,
        ended=max(one.time for one in sights),
        latency_ms=latency,
        rounds=len(command.challenged),
        dialog=command.dialog,
        item=item if sent else None,
        replies=replies,
        rooms=_rooms(source, command),
        room=rooms[0] if len(rooms) == 1 else None,
    )


def _role(source: Source, dialog: int) -> str:
    role = source.view.material.dialogs[dialog].role if dialog >= 0 else ""
    return role if role in ROLES else FRONT_END


def _label(source: Source, at: tuple[int, int]) -> str:
    item = source.item(at)
    found = None if item is None else item.node.find("data/pref")
    return (found.get("label") or "") if found is not None else ""


def _sights(source: Source, command: Command) -> Iterator[Sight]:
    found = source.view.found
    if command.element >= 0:
        final = found.final[command.transaction] if command.transaction >= 0 else -1
        yield _sight(source, command.row, "request", command.name, up=True)
        if final >= 0:
            yield _sight(source, final, "final", "", up=False)
    for number, answer in enumerate(command.answers, 1):
        yield _sight(source, answer.row, f"reply {number}", f"rpl:{answer.name}", up=False)
        index = found.of[answer.row]
        if index >= 0 and found.final[index] >= 0:
            yield _sight(source, found.final[index], f"reply {number} final", "", up=True)


def _sight(source: Source, seen: int, part: str, name: str, *, up: bool) -> Sight:
    rows, row = source.rows, source.near(seen)
    status = rows.status[row] if rows.status[row] >= 0 else None
    label = status_text(source.trace, row)
    if status is None:
        label = f"{source.text(rows.method[row])} {name}".rstrip()
    return Sight(row, rows.frame[row], rows.time[row], up, part, label, status)


def _rooms(source: Source, command: Command) -> Rooms | None:
    """Return which rooms a join entered and was refused."""
    if command.name not in JOINING or not command.answers:
        return None
    material = source.view.material
    joined: dict[str, None] = {}
    refused: dict[str, None] = {}
    names: dict[str, str] = {}
    for answer in command.answers:
        facts = material.reader.facts(answer.row, material.elements.position(answer.element))
        joined.update(dict.fromkeys(facts.rooms))
        refused.update(dict.fromkeys(facts.failed))
        names.update(facts.names)
    bad = [room for room in refused if room not in joined]
    return Rooms(_named(joined, names), _named(bad, names))


def _named(rooms: Iterable[str], names: dict[str, str]) -> tuple[str, ...]:
    return tuple(names.get(room) or short_room(room) for room in rooms)


def deliveries(source: Source) -> Iterator[Exchange]:
    """Yield what the service sent unasked: notices, copies of posts, and anything unknown."""
    view, elements = source.view, source.view.material.elements
    branches = view.branches
    for dialog in view.dialogs:
        if dialog.index in branches:
            continue
        for element in elements.of(dialog.index):
            kind, name = elements.what[element]
            up = elements.sender_tag(element) == dialog.client_side.tag
            if kind == "other" or (kind in {"ntc", CHATTING} and not up):
                yield _delivery(source, dialog, element, (kind, name, "up" if up else "down"))


def _delivery(
    source: Source, dialog: DialogDraft, element: int, what: tuple[str, str, str]
) -> Exchange:
    kind, name, direction = what
    view, elements = source.view, source.view.material.elements
    seen, up = elements.row[element], direction == "up"
    index = view.found.of[seen]
    echo = kind == CHATTING and source.wrote(seen)
    subject = f"{kind}:{name}" if kind == "ntc" else name
    if kind == CHATTING:
        subject = "copy of its own post" if echo else "copy of a post"
    final = view.found.final[index] if index >= 0 else -1
    sights = [_sight(source, seen, "request", subject, up=up)]
    if final >= 0:
        sights.append(_sight(source, final, "final", "", up=not up))
    return Exchange(
        token=(direction, kind, name, "echo" if echo else ""),
        family=subject,
        subject=subject if up else f"{subject} from {role_words(dialog.role)}",
        step=STEPS.get(("copy",)) if echo else None,
        role=dialog.role if dialog.role in ROLES else FRONT_END,
        up=up,
        sights=tuple(sights),
        outcome=delivery_outcome(source, index, sights[0].row),
        began=sights[0].time,
        ended=sights[-1].time,
        dialog=dialog.index,
        item=(seen, elements.position(element)),
    )


def lost_copies(source: Source, runs: Iterable[FlowRun]) -> Iterator[Exchange]:
    """Yield the copies of other people's posts that never came to this session."""
    rows, view = source.rows, source.view
    for run in runs:
        if run.row is None or run.session == view.index:
            continue
        for copy in run.copies:
            if copy.session == view.index and copy.row is None and copy.captured:
                words = f"never came, though the post is in frame {rows.frame[run.row]}"
                frames = (rows.frame[run.row],)
                outcome = Outcome(well=False, known=True, key=(LOST,), words=words, frames=frames)
                yield Exchange(
                    token=("down", CHATTING, CHATTING, ""),
                    family="copy of a post",
                    subject=f"copy of a post from {role_words('channel')}",
                    step=None,
                    role="channel",
                    up=False,
                    sights=(),
                    outcome=outcome,
                    began=rows.time[run.row],
                    ended=rows.time[run.row],
                )
