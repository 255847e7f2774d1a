"""What stands on an arrow: a few words, the whole of it, its tone and its marks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analyzer.header_text import header_text
from analyzer.ladder.values import SLOW_MS, VERY_SLOW_MS
from analyzer.narrative.names import short_room
from analyzer.sessions.rooms import is_good
from analyzer.states import status_text
from analyzer.transaction_table import CHALLENGES, FAILURE, FINAL
from dissectors.notes import QUOTED, TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.commands import Command
    from analyzer.ladder.scene import Scene
    from analyzer.ladder.values import Heat, Tone

WITH_EVENT = ("SUBSCRIBE", "NOTIFY", "BENOTIFY", "PUBLISH")
SHOWN_ITEMS = 3
"""Kinds of XCCOS items that a label names; an INFO may carry hundreds."""
MAX_ID = 20
"""Of a room without a name: a GUID is cut as the tables cut it."""
EVENT_PREFIX = "vnd-microsoft-"
CANCELLED = 487
REDIRECT = range(300, 400)


def heat_of(latency_ms: float | None) -> Heat:
    """Say how a wait feels."""
    if latency_ms is None or latency_ms < SLOW_MS:
        return "quick"
    return "slow" if latency_ms < VERY_SLOW_MS else "very-slow"


class Labels:
    """Words for the messages of a scene."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._rows = scene.rows
        self._names: dict[int, dict[str, str]] = {}

    def label(self, row: int) -> str:
        """Return ``SUBSCRIBE presence``, ``INFO rpl:join 200``, ``503 Service Unavailable``."""
        rows = self._rows
        if rows.status[row] >= 0:
            return status_text(self._scene.trace, row)
        method = rows.strings.values[rows.method[row]] or "?"
        if rows.items[row]:
            return f"{method} {self._items(row)}"
        if method in WITH_EVENT:
            event = (header_text(self._scene.trace, row, "Event") or "").partition(";")[0]
            return f"{method} {event.strip().removeprefix(EVENT_PREFIX)}".strip()
        if method == "REGISTER" and self._signs_off(row):
            return "REGISTER (sign-off)"
        return method

    def _signs_off(self, row: int) -> bool:
        place = self._scene.places.get(row)
        return place is not None and place.view.material.events.asks_zero(row)

    def _items(self, row: int) -> str:
        """Return what an INFO carries: ``join Sales``, ``rpl:bjoin 200, grpchat ×12``."""
        words = []
        for kind, name, code in self._scene.items(row):
            text = name if kind in ("cmd", name) else f"{kind}:{name}"
            words.append(f"{text} {code}" if code else text)
        counts = Counter(words)
        parts = [f"{text} ×{count}" if count > 1 else text for text, count in counts.items()]
        if len(parts) > SHOWN_ITEMS:
            parts[SHOWN_ITEMS:] = [f"and {len(parts) - SHOWN_ITEMS} more"]
        room = self._room(row)
        return ", ".join(parts) + (f" {room}" if room else "")

    def _room(self, row: int) -> str:
        """Return the room that the only command of a message is about."""
        found = self._scene.commands.get(self._scene.origin(row), ())
        if len(found) != 1:
            return ""
        command, view = found[0]
        rooms = view.outcomes.rooms(command)
        if len(rooms) != 1:
            return f"({len(rooms)} rooms)" if rooms else ""
        names = self._names.get(view.index)
        if names is None:
            names = {room.uri: room.name for room in view.rooms if room.name}
            self._names[view.index] = names
        short = short_room(rooms[0])
        return names.get(rooms[0]) or (f"{short[:8]}…" if len(short) > MAX_ID else short)

    def text(self, row: int) -> str:
        """Return the whole of a message in words, without who sent it and when."""
        rows, value = self._rows, self._rows.strings.values
        parts = [self.label(row)]
        if rows.status[row] >= 0:
            parts[0] += f" to {value[rows.method[row]] or 'a request'}"
        elif value[rows.uri[row]]:
            parts.append(f"Request-URI {value[rows.uri[row]]}")
        spoken = [one.text for one in rows.xccos(row) if one.text and one.element == "rpl"]
        if spoken:
            parts.append("; ".join(dict.fromkeys(spoken)))
        cseq = rows.cseqs.values[rows.cseq[row]]
        if cseq is not None:
            parts.append(f"CSeq {cseq[0]} {cseq[1]}")
        parts.append(f"Call-ID {value[rows.call_id[row]] or 'absent'}")
        parts.append(f"{rows.length[row]} bytes")
        return ", ".join(parts)

    def code(self, row: int) -> str | None:
        """Return the worst code of the replies in a message, or None."""
        codes = [code for _, _, code in self._scene.items(row) if code]
        return next((code for code in codes if not is_good(code)), codes[0] if codes else None)

    def tone(self, row: int) -> Tone:
        """Say whether a message is good or bad news by itself."""
        status = self._rows.status[row]
        if status == CANCELLED and self._rows.strings.values[self._rows.method[row]] == "INVITE":
            return "plain"  # what a CANCEL asked for (RFC 3261 section 9.2)
        if status >= FAILURE and status not in CHALLENGES:
            return "doubtful" if status in REDIRECT else "bad"
        if status >= FINAL:
            return "plain" if status in CHALLENGES else "good"
        code = self.code(row) if status < 0 and self._rows.items[row] else None
        if code is None:
            return "plain"
        return "good" if is_good(code) else "bad"

    def marks(self, row: int) -> tuple[tuple[str, ...], Tone]:
        """Return the words beside a message, and the tone that they give it."""
        found: dict[str, Tone] = {}
        transaction = self._scene.transaction(row)
        if transaction is not None and row in transaction.retransmissions:
            found["retransmission"] = "doubtful"
        if transaction is not None and row in transaction.repeated_finals:
            found["repeated answer"] = "doubtful"
        if self._rows.notes[row] & QUOTED:
            found["quoted in ICMP: not delivered"] = "bad"
        if self._rows.notes[row] & TRUNCATED:
            found["cut in the capture"] = "doubtful"
        for command, _ in self._scene.commands.get(self._scene.origin(row), ()):
            found.update(_fate(command))
        tone: Tone = "bad" if "bad" in found.values() else "doubtful" if found else "plain"
        return tuple(found), tone


def _fate(command: Command) -> Iterator[tuple[str, Tone]]:
    """Yield what became of a command, where that is not plain from the arrows."""
    if command.repeats is not None:
        yield "retry", "doubtful"
    if command.outcome == "unanswered":
        yield "never acknowledged" if command.post else "never answered", "bad"
    elif command.outcome == "rejected" and command.repeated is None and command.post:
        yield "lost", "bad"
