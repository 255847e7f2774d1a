"""The dialogs of a script, named by their role."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analyzer.replay.script import Dialog

if TYPE_CHECKING:
    from collections.abc import Hashable

    from analyzer.replay.derive.cast import Cast
    from analyzer.replay.derive.recording import Recording


class Dialogs:
    """Which dialog each message belongs to."""

    def __init__(self, recording: Recording, cast: Cast) -> None:
        self._recording = recording
        self._cast = cast
        self._numbers: Counter[str] = Counter()
        self._of: dict[Hashable, Dialog] = {}
        self._fork_of: dict[int, int] = {}
        for view in recording.scene.views[:1]:
            self._fork_of = dict(view.material.groups.fork_of)
        self._join_respelled()
        self.of = {row: self._dialog(row) for row in recording.rows}

    def _join_respelled(self) -> None:
        """Let answers that spell addresses otherwise, and what follows, be in one dialog."""
        dialog_of = self._recording.analysis.dialog_of
        for row, asked in sorted(self._recording.respelled.items()):
            other, known = dialog_of.get(row), dialog_of.get(asked)
            if other is None or known is None:
                continue
            known = self._fork_of.get(known, known)
            if known not in (other, self._fork_of.get(other)):
                self._fork_of[other] = known

    def all(self, names: dict[str, str]) -> tuple[Dialog, ...]:
        """Return them in the order of their first message; ``names``: the slots of Call-IDs."""
        return tuple(
            Dialog(one.id, one.client, one.role, names[one.id])
            for one in self._of.values()
            if one.id in names
        )

    def roles(self) -> dict[str, str]:
        """Return the role of each dialog."""
        return {one.id: one.role for one in self._of.values()}

    def _dialog(self, row: int) -> str:
        client = self._cast.voices[row].client
        index = self._recording.analysis.dialog_of.get(row)
        if index is None:
            # Outside dialogs a Call-ID and the client's connection are all there is to tell by.
            origin = self._recording.scene.origin(row)
            call_id = self._recording.messages[row].call_id
            wire = self._cast.voices.get(origin, self._cast.voices[row]).connection
            return self._named((client, call_id, wire), client, self._outside(row))
        index = self._fork_of.get(index, index)
        return self._named((client, index), client, self._recording.analysis.dialogs[index].role)

    def _outside(self, row: int) -> str:
        message = self._recording.messages[row]
        method = (message.method or message.cseq_method or "").upper()
        return "service" if method == "SERVICE" else "other"

    def _named(self, key: Hashable, client: str, role: str) -> str:
        known = self._of.get(key)
        if known is None:
            self._numbers[role] += 1
            known = self._of[key] = Dialog(f"{role}{self._numbers[role]}", client, role, "")
        return known.id
