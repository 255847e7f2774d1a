"""Parts of a script: what of it makes no sense without what, and a script without some turns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.replay.script import SERVER
from analyzer.replay.template import LENGTH, slots_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.replay.script import Script, Slot, Turn


def origins(turn: Turn) -> Iterator[str]:
    """Yield the turns without which a turn makes no sense."""
    yield from (one for one in (turn.answers, turn.cause, turn.copy_of) if one is not None)


def grounds(script: Script) -> Iterator[tuple[str, str]]:
    """Yield pairs of a turn that makes another one possible, and that one."""
    said = {slot.name: slot for slot in script.slots}
    client = {dialog.id: dialog.client for dialog in script.dialogs}
    registrations = {dialog.id for dialog in script.dialogs if dialog.role == "registration"}
    begun: dict[str, str] = {}
    registered: dict[str, str] = {}
    for turn in script.turns:
        if not turn.live:
            continue
        owner = client.get(turn.dialog, "")
        if turn.dialog in registrations:
            registered.setdefault(owner, turn.id)
        yield registered.get(owner, turn.id), turn.id
        yield begun.setdefault(turn.dialog, turn.id), turn.id
        for slot in (said.get(name) for name in turn.message.slots()):
            if slot is not None and slot.turn is not None and slot.said_by != turn.speaker:
                yield slot.turn, turn.id


def without(script: Script, dropped: frozenset[str]) -> Script:
    """Return a script without some turns: nothing in it names what is no longer there.

    A turn that waited for a dropped one waits for what that had waited for. A value that nobody
    says any more before it is needed is given, as it was recorded.
    """
    if not dropped:
        return script
    waits = _waits(script.turns, dropped)
    turns = tuple(_kept(turn, waits, dropped) for turn in script.turns if turn.id not in dropped)
    parties = {SERVER, *(one for turn in turns for one in (turn.speaker, turn.listener))}
    wires = {turn.connection for turn in turns}
    kept = {turn.dialog for turn in turns}
    dialogs = tuple(one for one in script.dialogs if one.id in kept)
    parties.update(dialog.client for dialog in dialogs)
    left = replace(
        script,
        turns=turns,
        parties=tuple(party for party in script.parties if party.id in parties),
        connections=tuple(one for one in script.connections if one.id in wires),
        dialogs=dialogs,
    )
    return replace(left, slots=_slots(left))


def _waits(turns: Sequence[Turn], dropped: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Return what each dropped turn waited for, of what is left."""
    waits: dict[str, tuple[str, ...]] = {}
    for turn in turns:  # in order: what a turn waits for stands before it
        if turn.id in dropped:
            waits[turn.id] = _replaced(turn.after, waits, dropped)
    return waits


def _replaced(
    after: tuple[str, ...], waits: dict[str, tuple[str, ...]], dropped: frozenset[str]
) -> tuple[str, ...]:
    found = (one for name in after for one in (waits.get(name, ()) if name in dropped else (name,)))
    return tuple(dict.fromkeys(found))


def _kept(turn: Turn, waits: dict[str, tuple[str, ...]], dropped: frozenset[str]) -> Turn:
    if dropped.isdisjoint((*turn.after, *origins(turn))):
        return turn

    def still(name: str | None) -> str | None:
        return None if name in dropped else name

    return replace(
        turn,
        answers=still(turn.answers),
        cause=still(turn.cause),
        copy_of=still(turn.copy_of),
        after=_replaced(turn.after, waits, dropped),
    )


def _slots(script: Script) -> tuple[Slot, ...]:
    """Return the slots that are needed, with who says them now."""
    first: dict[str, Turn] = {}
    needed = {party.user for party in script.parties} | {one.call_id for one in script.dialogs}
    for turn in script.turns:
        for name in turn.message.slots():
            first.setdefault(name, turn)
        needed.update(name for one in turn.expect for name in slots_of(one.equals))
    needed = (needed | first.keys()) - {LENGTH, None}
    needed |= {slot.part_of for slot in script.slots if slot.name in needed}
    return tuple(_said(slot, first.get(slot.name)) for slot in script.slots if slot.name in needed)


def _said(slot: Slot, first: Turn | None) -> Slot:
    if first is None or slot.said_by is None or first.speaker != slot.said_by:
        return slot if slot.said_by is None else replace(slot, said_by=None, turn=None)
    return slot if slot.turn == first.id else replace(slot, turn=first.id)
