"""Other values for a script: a user, a room, a domain, a text, or any slot by its name.

The rule: what follows from a value follows. The domain of a user, and the values that have the old
one in them, change with it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.export.printable import printable
from analyzer.replay.edit.rooms import ROOM_URI, room_names, with_own_domain
from analyzer.replay.edit.words import Words
from analyzer.replay.slot_values import misfit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from analyzer.replay.script import Script, Slot

LISTED = 20
"""Names that an error lists."""
GENERAL = {"user": "user", "room": "room", "domain": "domain", "text": "text"}
"""Names that stand for the one slot of a kind."""


def set_values(script: Script, values: Mapping[str, str]) -> Script:
    """Return a script with other values.

    Names: of a slot; of a client (its user); ``user``, ``room``, ``domain``, ``text`` where the
    script has one of them; ``room:NAME`` by the name of a room or a part of it. A room's value is
    its id or its URI (``ma-chan://domain/id``), a user's is ``name@domain``.

    Raises:
        ValueError: nothing has the name (the line says what there is), or the value does not fit.
    """
    for name, value in values.items():
        slot = _named(script, name)
        if slot.kind == "room" and ROOM_URI.fullmatch(value):
            domain, value = ROOM_URI.fullmatch(value).groups()  # type: ignore[union-attr]
            script = with_own_domain(script, slot.name, domain)
        script = set_slots(script, {slot.name: value})
    return script


def set_slots(script: Script, values: Mapping[str, str]) -> Script:
    """Return a script with other values of slots, by their names. Raises ValueError."""
    known = {slot.name: slot for slot in script.slots}
    changes: dict[str, str] = {}
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"there is no slot {name[:60]!r}; {_there_is(script)}")
        changes[name] = _fitting(known[name], value)
    _add_what_follows(script, known, changes)
    # Longer values first: an address goes before the domain in it.
    old = {known[name].value: value for name, value in changes.items() if _flows(known[name])}
    words = Words(old)
    slots = tuple(
        replace(slot, value=changes[slot.name])
        if slot.name in changes
        else replace(slot, value=words.replaced(slot.value, old))
        for slot in script.slots
    )
    return replace(script, slots=slots)


def names_of(script: Script) -> list[str]:
    """Return the names that people set values by: those of clients, rooms, domains, texts."""
    found = [party.id for party in script.clients if party.user]
    for name, kind in GENERAL.items():
        several = _of_kind(script, kind)
        found += [name] if len(several) == 1 else [slot.name for slot in several]
    return list(dict.fromkeys(found))


def _fitting(slot: Slot, value: str) -> str:
    if slot.kind == "secret":
        raise ValueError(
            f"{printable(slot.name)} is a secret: a script has none, it is given when one plays"
        )
    if slot.kind == "user":
        value = value.removeprefix("sip:")
    reason = misfit(slot.kind, value)
    if reason:
        raise ValueError(f"{printable(slot.name)}: {value[:60]!r} {reason}")
    return value


def _flows(slot: Slot) -> bool:
    """Tell whether a value may stand in those of other slots, where it is nobody else's."""
    return slot.kind in ("user", "domain", "room", "host", "address") and len(slot.value) > 3


def _add_what_follows(script: Script, known: Mapping[str, Slot], changes: dict[str, str]) -> None:
    """Add domains of users that change, and users of domains that change."""
    for name, value in tuple(changes.items()):
        slot = known[name]
        if slot.kind == "domain":
            tail = f"@{slot.value.lower()}"
            for one in script.slots:
                if one.kind == "user" and one.value.lower().endswith(tail):
                    local = one.value[: -len(tail)]
                    changes.setdefault(one.name, f"{local}@{value}")
    for slot in script.slots:
        if slot.kind == "domain" and slot.part_of in changes:
            changes.setdefault(slot.name, changes[slot.part_of].rpartition("@")[2])


def _named(script: Script, name: str) -> Slot:
    slot = script.slot(name)
    if slot is not None:
        return slot
    for party in script.clients:
        if party.id == name and party.user is not None:
            return _named(script, party.user)
    if name.startswith("room:"):
        return _room(script, name.removeprefix("room:"))
    found = _of_kind(script, GENERAL[name]) if name in GENERAL else []
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(_described(script, slot) for slot in found[:LISTED])
        raise ValueError(f"the script has {len(found)} of {name!r}; name one of {several}")
    raise ValueError(f"there is nothing called {name[:60]!r}; {_there_is(script)}")


def _room(script: Script, wanted: str) -> Slot:
    names = room_names(script)
    low = wanted.strip().lower()
    exact = [slot for slot, name in names.items() if name.lower() == low]
    found = exact or [slot for slot, name in names.items() if low and low in name.lower()]
    slot = script.slot(found[0]) if len(found) == 1 else None
    if slot is not None:
        return slot
    several = (f"{slot} ({name})" for slot, name in list(names.items())[:LISTED])
    told = printable(", ".join(several)) or "none"
    how = "several rooms are" if found else "no room is"
    raise ValueError(f"{how} called {wanted[:60]!r}; there are: {told}")


def _of_kind(script: Script, kind: str) -> list[Slot]:
    """Return the slots that a general name may stand for: users are those of clients."""
    if kind != "user":
        return [slot for slot in script.slots if slot.kind == kind]
    names: Iterable[str | None] = dict.fromkeys(party.user for party in script.clients)
    slots = {slot.name: slot for slot in script.slots}
    return [slots[name] for name in names if name is not None and name in slots]


def _described(script: Script, slot: Slot) -> str:
    if slot.kind == "user":
        return next((one.id for one in script.clients if one.user == slot.name), slot.name)
    shown = room_names(script).get(slot.name) or slot.value
    return printable(f"{slot.name} ({shown[:40]})")


def _there_is(script: Script) -> str:
    names = names_of(script)
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"there are: {printable(', '.join(names[:LISTED]))}{more}, and every slot by its name"
