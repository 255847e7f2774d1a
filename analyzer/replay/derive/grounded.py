"""Scripts of a part of a session that can be played: with what the part rests on.

The rule: whoever posts has signed in, called the Channel service and entered the room, and whoever
gets a copy has too. A dialog is whole by itself; what cuts across dialogs is not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.ladder.selection import Choice
from analyzer.replay.derive.build import derive
from analyzer.replay.derive.recording import Recording
from analyzer.replay.parts import grounds, origins, without

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from analyzer.replay.script import Script, Turn
    from analyzer.trace import Trace

ENTERS = ('id="cmd:join"', 'id="cmd:bjoin"')


def derive_playable(
    trace: Trace, choice: Choice, step: Callable[[float], object] = lambda _: None
) -> Script:
    """Return the script of what is chosen, with what it rests on where it cuts across dialogs.

    Args:
        trace: of an open capture.
        choice: what of it.
        step: as for ``derive``.

    Raises:
        ValueError: As ``derive`` does.
    """
    parts = (choice.flows, choice.rooms, choice.findings, choice.frames)
    if not any(parts) and choice.from_time is None and choice.to_time is None:
        return derive(trace, choice, step)
    chosen = Recording(trace, choice)
    sessions = tuple(sorted({view.index for view in chosen.scene.views}))
    if not sessions:
        return derive(trace, choice)
    whole = derive(trace, Choice(sessions=sessions), step)
    place = {row: f"t{number}" for number, row in enumerate(_rows(trace, sessions), 1)}
    wanted = {place[row] for row in chosen.rows if row in place}
    kept = _Grounds(whole).of(wanted)
    left = without(whole, frozenset(turn.id for turn in whole.turns) - kept)
    words = ", ".join((chosen.name, *chosen.words))
    origin = {**left.origin, "chosen": ", ".join(chosen.words), "added": "what it rests on"}
    return _titled(left, words, origin)


def _rows(trace: Trace, sessions: tuple[int, ...]) -> Iterable[int]:
    return Recording(trace, Choice(sessions=sessions)).rows


def _titled(script: Script, title: str, origin: dict[str, str]) -> Script:
    return replace(script, title=title, origin=origin)


class _Grounds:
    """What turns of a script rest on."""

    def __init__(self, script: Script) -> None:
        self._turns = {turn.id: turn for turn in script.turns}
        self._rests: dict[str, set[str]] = {}
        for ground, number in grounds(script):
            self._rests.setdefault(number, set()).add(ground)
        self._answers: dict[str, list[str]] = {}
        for turn in script.turns:
            for origin in origins(turn):
                if turn.message.status is not None or turn.message.method == "ACK":
                    self._answers.setdefault(origin, []).append(turn.id)
        self._entries = [one for one in script.turns if _enters(one)]

    def of(self, wanted: Iterable[str]) -> set[str]:
        """Return turns with all that they rest on."""
        kept: set[str] = set()
        new = list(wanted)
        while new:
            number = new.pop()
            if number not in kept and number in self._turns:
                kept.add(number)
                new += self._under(self._turns[number])
        return kept

    def _under(self, turn: Turn) -> Iterator[str]:
        """Yield what one turn rests on: origin, answers, dialog, values, room."""
        yield from origins(turn)
        yield from self._answers.get(turn.id, ())
        yield from self._rests.get(turn.id, ())
        rooms = {name for name in turn.message.slots() if name.startswith("room")}
        for entry in self._entries:
            if entry.dialog == turn.dialog and rooms & set(entry.message.slots()):
                yield entry.id
                yield from self._replies(entry)

    def _replies(self, entry: Turn) -> Iterator[str]:
        """Yield the replies to a command that enters a room."""
        for turn in self._turns.values():
            if turn.cause == entry.id and turn.is_request and turn.dialog == entry.dialog:
                yield turn.id


def _enters(turn: Turn) -> bool:
    return turn.live and any(mark in turn.message.body for mark in ENTERS)
