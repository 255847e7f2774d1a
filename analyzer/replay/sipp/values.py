"""What the slots of a script become in a scenario: keywords, CSV fields, variables, literals.

The rule: what SIPp makes itself (Call-ID, tags, branches, CSeq) it makes; what a user should set is
a CSV field; what the peer says is captured; the rest keeps its recorded value, and is noted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.replay.fill import escape_attribute
from analyzer.replay.sipp.captures import ENVID, Capture, captures_of
from analyzer.replay.sipp.scenario import MATCHED, Ereg
from analyzer.replay.sipp.syntax import literal
from analyzer.replay.template import LENGTH

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from analyzer.replay.script import Dialog, Script, Slot, Turn

STANDARD = frozenset({"call-id", "tag", "branch", "cseq", "secret"})
"""Kinds that SIPp makes itself, or must not know."""
LOCAL = {
    "address": "[local_ip]:[local_port]",
    "host": "[local_ip]",
    "port": "[local_port]",
}
REMOTE = {
    "address": "[remote_ip]:[remote_port]",
    "host": "[remote_ip]",
    "port": "[remote_port]",
}
ENVID_DIGITS = 4
"""Of the number of an envelope within its call; the number of the call stands before it, so that
SIPp's first 200,000 calls keep within the 32 bits of a client's envid."""
LONG_ENVID, LONG_PREFIX = 16, 9
"""A server's envid has 64 bits; one of that length keeps its first digits, to stay beyond 2^53."""
_KEPT_NOTED = frozenset({"time", "date", "token", "epid", "instance"})


class Values:
    """Values of slots on one side of a dialog."""

    def __init__(
        self, script: Script, dialog: Dialog, ours: str, fields: Mapping[str, int]
    ) -> None:
        """Begin with what is known before the first message.

        Args:
            script: the script.
            dialog: the dialog that is played.
            ours: the party whose side it is.
            fields: columns of the CSV file by slot; empty where the side has none.
        """
        self._slots = {slot.name: slot for slot in script.slots}
        self._calls = {one.call_id: one.id for one in script.dialogs}
        self._dialog = dialog
        self._ours = ours
        self._fields = fields
        self._captured: dict[str, str] = {}
        self._tentative: set[str] = set()
        self._numbers: dict[str, int] = {}
        self.kept: dict[str, Slot] = {}
        """Slots that were used with their recorded value though it is of one occasion."""

    def head(self, name: str) -> str:
        """Return a slot for the start line or a header, as SIPp text."""
        return self._expression(name, xml=False)

    def xml(self, name: str) -> str:
        """Return a slot for an XML body, as SIPp text."""
        return self._expression(name, xml=True)

    def recorded(self, name: str) -> str:
        """Return the recorded value."""
        slot = self._slots.get(name)
        return slot.value if slot else ""

    def is_envid(self, name: str) -> bool:
        """Return whether a slot is an envid that our side chooses."""
        slot = self._slots.get(name)
        return slot is not None and slot.kind == "envid" and slot.said_by == self._ours

    def is_known(self, name: str) -> bool:
        """Return whether a slot is ours to say, or was captured."""
        slot = self._slots.get(name)
        return slot is None or slot.said_by in (self._ours, None) or name in self._captured

    def listen(self, turn: Turn, wanted: Collection[str], *, tentative: bool = False) -> list[Ereg]:
        """Return what captures the wanted slots that the peer says here for the first time.

        ``tentative``: it may not say it here, so it is listened for again.
        """
        new = {name for name in wanted if self._is_learned(name)}
        found = captures_of(turn.message, new, self.recorded)
        for one in found:
            (self._tentative.add if tentative else self._tentative.discard)(one.slot)
        return [self._capture(one) for one in found]

    def envid_pattern(self, name: str) -> str:
        """Return an expression for our own envid, as the peer repeats it."""
        return f"[0-9]*{self._number(name):0{ENVID_DIGITS}d}"

    def _is_learned(self, name: str) -> bool:
        slot = self._slots.get(name)
        captured = name in self._captured and name not in self._tentative
        if slot is None or captured or name in self._fields:
            return False
        return slot.said_by != self._ours and slot.kind not in STANDARD

    def _capture(self, one: Capture) -> Ereg:
        slot = self._slots[one.slot]
        new = f"{slot.kind.replace('-', '')}{len(self._captured) + 1}"
        variable = self._captured.setdefault(one.slot, new)
        if slot.kind == "envid":
            return Ereg(ENVID, "body", (MATCHED, variable), check=True)
        default = escape_attribute(slot.value) if one.where == "body" else slot.value
        return Ereg(one.pattern, one.where, (MATCHED, variable), default=literal(default))

    def _expression(self, name: str, *, xml: bool) -> str:
        slot = self._slots.get(name)
        if slot is None:
            return "[len]" if name == LENGTH else ""
        if name in self._captured:
            return f"[${self._captured[name]}]"
        if name in self._fields:
            return f"[field{self._fields[name]}]"
        known = self._made(slot)
        if known is not None:
            return known
        if slot.kind in _KEPT_NOTED or slot.said_by not in (self._ours, None):
            self.kept[name] = slot
        return literal(escape_attribute(slot.value) if xml else slot.value, lines=False)

    def _made(self, slot: Slot) -> str | None:
        """Return what SIPp makes; None for what keeps its value."""
        mine = slot.said_by == self._ours
        match slot.kind:
            case "call-id":
                dialog = self._calls.get(slot.name)
                own = dialog == self._dialog.id
                return "[call_id]" if own else f"{literal(dialog or slot.name)}///[call_id]"
            case "tag" if mine:
                return f"[pid]-{self._number(slot.name)}-[call_number]"
            case "branch" if mine:
                return "[branch]"
            case "envid" if mine:
                long = slot.value[:LONG_PREFIX] if len(slot.value) >= LONG_ENVID else ""
                return f"{literal(long)}[call_number]{self._number(slot.name):0{ENVID_DIGITS}d}"
            case "address" | "host" | "port":
                return (LOCAL if mine else REMOTE)[slot.kind]
            case _:
                return None

    def _number(self, name: str) -> int:
        return self._numbers.setdefault(name, len(self._numbers) + 1)
