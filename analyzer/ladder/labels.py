"""What stands on an arrow: a few words, the whole of it, its tone and its marks."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from analyzer.diagnostics.silences import LEAVING, LEAVING_NS
from analyzer.header_text import header_text
from analyzer.ladder.values import SLOW_MS, VERY_SLOW_MS
from analyzer.narrative.names import short_room
from analyzer.outcomes import diagnosis
from analyzer.sessions.rooms import JOINING, is_good
from analyzer.states import status_text
from analyzer.transaction_table import CHALLENGES, FAILURE, FINAL
from analyzer.views.inputs import sightings_text
from analyzer.views.numbers import amount
from dissectors.model import Malformed
from dissectors.notes import QUOTED, TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.commands import Command
    from analyzer.ladder.scene import Place, Scene
    from analyzer.ladder.values import Heat, Tone
    from analyzer.model import Transaction
    from analyzer.sessions.view import SessionView

    Item = tuple[str, str, str | None]

WITH_EVENT = ("SUBSCRIBE", "NOTIFY", "BENOTIFY", "PUBLISH")
ENDING = ("BYE", "CANCEL")
SHOWN_ITEMS = 3
"""Kinds of XCCOS items that a label names; an INFO may carry hundreds."""
READ_ITEMS = 20
"""Items of a delivery that are asked for their room; the label names one room at most."""
MAX_ID = 20
"""Of a room without a name: a GUID is cut as the tables cut it."""
SHOWN_URIS = 3
EVENT_PREFIX = "vnd-microsoft-"
UNANSWERED, UNACKNOWLEDGED = "never answered", "never acknowledged"
CANCELLED = 487
REDIRECT = range(300, 400)
_SCHEME = re.compile(
    rb"\r\n(?:(?:WWW|Proxy)-Authenticate|(?:Proxy-)?Authorization)[ \t]*+:[ \t]*+([\w-]++)",
    re.IGNORECASE,
)


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
        self._last: tuple[int, list[Item]] = (-1, [])

    def items(self, row: int) -> list[Item]:
        """Return the XCCOS items of a message; those of the one asked for last are kept."""
        if self._last[0] != row:
            self._last = (row, self._scene.items(row))
        return self._last[1]

    def label(self, row: int) -> str:
        """Return ``SUBSCRIBE presence``, ``INFO rpl:join 200``, ``503 Service Unavailable``."""
        rows = self._rows
        status = rows.status[row]
        if status >= 0:
            text = status_text(self._scene.trace, row)
            return f"{text} {self._referred(row)}".rstrip() if status in REDIRECT else text
        method = rows.strings.values[rows.method[row]] or "?"
        if rows.items[row]:
            return f"{method} {self._items(row)}"
        if method in WITH_EVENT:
            return self._with_event(row, method)
        if method == "REGISTER" and self._asks_zero(row):
            return "REGISTER (sign-off)"
        if method == "INVITE" and rows.strings.values[rows.to_tag[row]]:
            return "re-INVITE"
        if method == "UPDATE" and not rows.content_length[row]:
            return "UPDATE (session refresh)"  # nothing else is offered (RFC 4028 section 7.4)
        return method

    def _referred(self, row: int) -> str:
        """Return where a 3xx sends its client: ``to sip:pool2.example.com``."""
        message = self._scene.trace.message(row)
        if isinstance(message, Malformed) or not message.contacts:
            return ""
        return f"to {(message.contacts[0].uri or '').partition(';')[0]}"

    def _with_event(self, row: int, method: str) -> str:
        """Return ``SUBSCRIBE presence``, ``SUBSCRIBE presence (end)`` where that ends it."""
        event = (header_text(self._scene.trace, row, "Event") or "").partition(";")[0]
        text = f"{method} {event.strip().removeprefix(EVENT_PREFIX)}".rstrip()
        if method == "SUBSCRIBE" and self._asks_zero(row):
            # The first one asks for the state once and subscribes to nothing (RFC 6665 4.4.3).
            begun = self._rows.strings.values[self._rows.to_tag[row]]
            return f"{text} ({'end' if begun else 'once'})"
        if method.endswith("NOTIFY"):
            state = header_text(self._scene.trace, row, "Subscription-State") or ""
            return f"{text} (end)" if state.lower().startswith("terminated") else text
        return text

    def _asks_zero(self, row: int) -> bool:
        place = self._scene.places.get(row)
        if place is not None:
            return place.view.material.events.asks_zero(row)
        return header_text(self._scene.trace, row, "Expires") == "0"

    def _items(self, row: int) -> str:
        """Return what an INFO carries: ``join Sales``, ``rpl:bjoin 200, grpchat ×12``."""
        words = []
        for kind, name, code in self.items(row):
            text = name if kind in ("cmd", name) else f"{kind}:{name}"
            words.append(f"{text} {code}" if code else text)
        counts = Counter(words)
        parts = [f"{text} ×{count}" if count > 1 else text for text, count in counts.items()]
        if len(parts) > SHOWN_ITEMS:
            parts[SHOWN_ITEMS:] = [f"and {len(parts) - SHOWN_ITEMS} more"]
        place = self._scene.places.get(row)
        room = "" if place is None else self._room_text(self._rooms(row, place), place.view)
        return ", ".join(parts) + (f" {room}" if room else "")

    def _rooms(self, row: int, place: Place) -> tuple[str, ...]:
        """Return the rooms of a command, of a reply's command, of a chat message or a notice."""
        origin, outcomes = self._scene.origin(row), place.view.outcomes
        asked = self._scene.commands.get(origin, ())
        if asked:
            return outcomes.rooms(asked[0][0]) if len(asked) == 1 else ()
        answered = self._scene.replies.get(origin, ())
        if answered:
            # Of several rooms each reply may bring some.
            rooms = outcomes.rooms(answered[0].command) if len(answered) == 1 else ()
            return rooms if len(rooms) == 1 else ()
        reader = place.view.material.reader
        found: dict[str, None] = {}
        for position, (kind, _, _) in enumerate(self.items(row)[:READ_ITEMS]):
            if kind in {"grpchat", "ntc"}:
                found.update(dict.fromkeys(reader.facts(row, position).rooms))
        return tuple(found) if len(found) == 1 else ()

    def _room_text(self, rooms: tuple[str, ...], view: SessionView) -> str:
        if len(rooms) != 1:
            return f"({len(rooms)} rooms)" if rooms else ""
        names = self._names.get(view.index)
        if names is None:
            names = {room.uri: room.name for room in view.rooms if room.name}
            self._names[view.index] = names
        short = short_room(rooms[0])
        return names.get(rooms[0]) or (f"{short[:8]}…" if len(short) > MAX_ID else short)

    def text(self, row: int, label: str) -> str:
        """Return the whole of a message in words, without who sent it and when."""
        rows, value = self._rows, self._rows.strings.values
        answer = rows.status[row] >= 0
        parts = [f"{label} to {value[rows.method[row]] or 'a request'}" if answer else label]
        parts += self._because(row)
        if not answer:
            parts += self._content(row)
            if value[rows.uri[row]]:
                parts.append(f"Request-URI {value[rows.uri[row]]}")
        cseq = rows.cseqs.values[rows.cseq[row]]
        if cseq is not None:
            parts.append(f"CSeq {cseq[0]} {cseq[1]}")
        parts.append(f"Call-ID {value[rows.call_id[row]] or 'absent'}")
        parts.append(f"{rows.length[row]} bytes")
        if self._scene.trace.inputs:
            parts.append(f"seen in {sightings_text(self._scene.trace, row)}")
        return ", ".join(parts)

    def _content(self, row: int) -> Iterator[str]:
        """Yield what the XCCOS of a message says beyond its label."""
        rows = self._rows
        if not rows.items[row]:
            return
        spoken = [one.text for one in rows.xccos(row) if one.text and one.element == "rpl"]
        if spoken:
            yield "; ".join(dict.fromkeys(spoken))
        place = self._scene.places.get(row)
        if place is not None:
            rooms = self._rooms(row, place)
            if len(rooms) == 1:
                yield f"room {rooms[0]}"
            learned = place.view.lookups.get(self._scene.origin(row)) or ()
            if learned:
                yield f"it brought {', '.join(learned[:SHOWN_URIS])}"

    def _because(self, row: int) -> Iterator[str]:
        """Yield why a message says what it says: diagnostics, Reason, what authenticates it."""
        trace, status = self._scene.trace, self._rows.status[row]
        method = self._rows.strings.values[self._rows.method[row]]
        if status in CHALLENGES or (status < 0 and method == "REGISTER"):
            schemes = dict.fromkeys(one.decode() for one in _SCHEME.findall(trace.raw(row)))
            if schemes:
                yield f"{'offers' if status >= 0 else 'signed by'} {', '.join(schemes)}"
        elif status >= FAILURE or (status < 0 and method in ENDING):
            said = diagnosis(trace, row).strip(" ()")
            if said:
                yield f"ms-diagnostics {said}"
            for name in ("Reason", "Warning", "Retry-After"):
                value = header_text(trace, row, name)
                if value:
                    yield f"{name}: {value}"

    def code(self, row: int) -> str | None:
        """Return the worst code of the replies in a message, or None."""
        codes = [code for _, _, code in self.items(row) if code]
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
        if transaction is not None:
            found.update(self._part(row, transaction))
        if self._rows.notes[row] & QUOTED:
            found["quoted in ICMP: not delivered"] = "bad"
        if self._rows.notes[row] & TRUNCATED:
            found["cut in the capture"] = "doubtful"
        for command, _ in self._scene.commands.get(self._scene.origin(row), ()):
            found.update(_fate(command))
        if UNACKNOWLEDGED in found:
            found.pop(UNANSWERED, None)  # it says the same
        silent = transaction is not None and transaction.final is None
        for which in self._scene.trace.unseen(row) if silent else ():
            found[f"never in {self._scene.trace.inputs[which].name}"] = "doubtful"
        refused = self._refused(row)
        if refused:
            found[f"{amount(refused, 'room')} refused"] = "doubtful"
        tone: Tone = "bad" if "bad" in found.values() else "doubtful" if found else "plain"
        return tuple(found), tone

    def _refused(self, row: int) -> int:
        """Return how many rooms a reply refuses that is a success as a whole."""
        refused: set[str] = set()
        for one in self._scene.replies.get(self._scene.origin(row), ()):
            if one.command.name in JOINING:
                material, answer = one.view.material, one.answer
                position = material.elements.position(answer.element)
                refused.update(material.reader.facts(answer.row, position).failed)
        return len(refused)

    def _part(self, row: int, transaction: Transaction) -> Iterator[tuple[str, Tone]]:
        """Yield what a message is in its transaction, where that is not plain."""
        if self._rows.status[row] >= 0:
            if row != transaction.final and row in transaction.repeated_finals:
                yield "repeated answer", "doubtful"
        elif row != transaction.request:
            if row not in transaction.acks:
                yield "retransmission", "doubtful"
        elif transaction.final is None and self._is_silent(row, transaction):
            yield UNANSWERED, "bad"

    def _is_silent(self, row: int, transaction: Transaction) -> bool:
        """Say whether a request has no answer that the capture would show."""
        scene = self._scene
        if not transaction.expects_answer or transaction.method == "CANCEL":
            return False
        if scene.visibility.why_unknown(row) is not None:
            return False
        hops = [scene.transaction(one) for one in scene.seen(scene.origin(row))]
        if any(one is not None and one.final is not None for one in hops):
            return False
        connection = scene.trace.connections[self._rows.stream[row] >> 1]
        leaves = scene.visibility.closed(connection.number) and (
            connection.last_time - self._rows.time[row] < LEAVING_NS
        )
        return not (leaves and transaction.method in LEAVING)


def _fate(command: Command) -> Iterator[tuple[str, Tone]]:
    """Yield what became of a command, where that is not plain from the arrows."""
    if command.repeats is not None:
        yield "retry", "doubtful"
    if command.outcome == "unanswered":
        yield UNACKNOWLEDGED if command.post else UNANSWERED, "bad"
    elif command.outcome == "rejected" and command.repeated is None and command.post:
        yield "lost", "bad"
