"""The CSV file of a scenario: what a user should set, one column each.

The rule: SIPp's CSV has no quoting. A value with a semicolon or a line end stays in the scenario,
and so does one that XML must escape, since SIPp puts a field into a body as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analyzer.replay.sipp.messages import wanted_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.replay.script import Script, Slot
    from analyzer.replay.sipp.conversation import Conversation

KINDS = ("user", "domain", "room", "text")
"""What people set, in the order of the columns."""
MAX_FIELD = 2000
"""Characters of a value: SIPp's buffers for fields are small."""
_UNSAYABLE = frozenset(';&<>"\r\n\0')


@dataclass(frozen=True, slots=True)
class Fields:
    """The columns and the file."""

    columns: dict[str, int]
    """By slot."""
    csv: str
    notes: tuple[str, ...] = ()


def fields_of(script: Script, conversation: Conversation) -> Fields:
    """Return the columns of the client's scenario, with a row of the recorded values."""
    chosen, notes = [], []
    for slot in _settable(script, conversation):
        if _UNSAYABLE.intersection(slot.value) or len(slot.value) > MAX_FIELD:
            notes.append(f"{slot.name} is in the scenario, not in the CSV file: SIPp cannot quote")
        else:
            chosen.append(slot)
    # SIPp takes the file's second line for a comment when it begins with #.
    names = ";".join(slot.name for slot in chosen)
    row = ";".join(slot.value for slot in chosen)
    csv = f"SEQUENTIAL\n# {names}\n{row or '-'};\n"
    return Fields({slot.name: number for number, slot in enumerate(chosen)}, csv, tuple(notes))


def _settable(script: Script, conversation: Conversation) -> Iterator[Slot]:
    requests = (step.exchange.request for step in conversation.steps)
    used = wanted_of(requests)
    party = next(one for one in script.parties if one.id == conversation.client)
    for kind in KINDS:
        for slot in script.slots:
            mine = slot.said_by in (conversation.client, None)
            if kind == "user":
                mine = slot.name == party.user
            if slot.kind == kind and slot.name in used and (mine or kind in ("domain", "room")):
                yield slot
