"""From a capture to a script: the only entry to derivation.

The rule: the same capture gives the same script, and nothing of the capture is lost that the
analysis rests on, except credentials.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from analyzer import __version__
from analyzer.collector import paused
from analyzer.ladder.selection import Choice
from analyzer.replay.derive.addresses import Addresses
from analyzer.replay.derive.asides import Asides
from analyzer.replay.derive.authentication import rounds
from analyzer.replay.derive.bodies import Bodies
from analyzer.replay.derive.book import Book
from analyzer.replay.derive.cast import Cast
from analyzer.replay.derive.chats import Chats
from analyzer.replay.derive.dialogs import Dialogs
from analyzer.replay.derive.everywhere import Everywhere
from analyzer.replay.derive.flow import Flow
from analyzer.replay.derive.headers import Headers
from analyzer.replay.derive.losses import CUT, HOLES, LEFT_OUT, PORTS, UNPLAYED, numbered
from analyzer.replay.derive.people import People
from analyzer.replay.derive.recording import Recording
from analyzer.replay.derive.report import Report, report_lines, slot_report
from analyzer.replay.derive.said import Said
from analyzer.replay.derive.secrets import Secrets
from analyzer.replay.derive.taking import take
from analyzer.replay.derive.tokens import Tokens
from analyzer.replay.derive.turns import turns_of
from analyzer.replay.derive.unplayable import counted, unplayable
from analyzer.replay.script import SERVER, Script
from analyzer.replay.template import slots_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from analyzer.replay.script import Aside, Dialog, Slot, Turn
    from analyzer.trace import Trace

    Step = Callable[[float], object]

__all__ = ["Report", "derive", "report_lines", "slot_report"]

ALL = Choice()
PARSED, TAKEN, MARKED = 0.16, 0.28, 0.9
"""How much of the work is done behind each part of it."""


def derive(trace: Trace, choice: Choice = ALL, step: Step = lambda _: None) -> Script:
    """Return the script of what is chosen of an open capture.

    Args:
        trace: of an open capture.
        choice: what of it.
        step: is called every few milliseconds with how much is done, from 0 to 1. It may raise, and
            it may let others look into the capture.

    Raises:
        ValueError: Nothing is there to be chosen, or too much; one line for people.
    """
    with paused():
        return _Deriving(trace, choice, step).script()


class _Deriving:
    def __init__(self, trace: Trace, choice: Choice, step: Step) -> None:
        self._step = step
        self._recording = Recording(trace, choice, lambda done: step(done * PARSED))
        self._cast = Cast(self._recording)
        self._dialogs = Dialogs(self._recording, self._cast)
        self._messages = self._take()
        self._book = Book()

    def _take(self) -> list[Said]:
        recording = self._recording
        found = [
            Said(
                row, number, self._cast.voices[row], self._dialogs.of[row],
                recording.messages[row], self._asked(row),
            )
            for number, row in enumerate(recording.rows, 1)
        ]  # fmt: skip
        of_authentication = rounds(recording, found)
        for one in self._each(found, PARSED, TAKEN):
            one.live = not one.voice.hop and one.row not in of_authentication
            take(one)
        called = (wire.id for wire in self._cast.wires.all() if wire.opener == SERVER)
        self._unplayed = unplayable(found, frozenset(called))
        for one in found:
            one.live = one.live and one.row not in self._unplayed
        return found

    def _each(self, messages: Sequence[Said], begin: float, end: float) -> Iterator[Said]:
        """Yield messages, and say how far that is, between two points."""
        for number, one in enumerate(messages):
            self._step(begin + (end - begin) * number / len(messages))
            yield one

    def _asked(self, row: int) -> int | None:
        """Return the request that a response answers, if it went the other way."""
        asked, voices = self._recording.request_of.get(row), self._cast.voices
        if asked is None:
            return None
        ends = (voices[asked].listener, voices[asked].speaker)
        return asked if ends == (voices[row].speaker, voices[row].listener) else None

    def _mark(self) -> None:
        """Find the slots: first those of live turns, so that their first place is one."""
        recording, book = self._recording, self._book
        services = {
            dialog.service
            for view in recording.scene.views
            for dialog in view.dialogs
            if dialog.service is not None and dialog.role in ("lookup", "channel")
        }
        people = self._people = People(book, self._cast.users, services)
        tokens = self._tokens = Tokens(book)
        addresses = Addresses(book, self._cast.wires.all())
        everywhere = Everywhere(people, addresses, Secrets(book), tokens)
        headers = Headers(book, everywhere)
        bodies = Bodies(book, everywhere, Chats(book, tokens, recording.posts))
        ordered = sorted(self._messages, key=lambda one: (not one.live, one.number))
        of_row = {one.row: one for one in ordered}
        for one in self._each(ordered, TAKEN, MARKED):
            headers.mark(one)
            copied = None if one.voice.copy_of is None else of_row.get(one.voice.copy_of)
            if copied is not None and copied.body.text == one.body.text:
                one.body = copied.body  # a proxy passes a body on as it is
            else:
                bodies.mark(one)
        Flow(book, tokens).mark(ordered)

    def script(self) -> Script:
        """Return the script."""
        self._mark()
        recording, wires = self._recording, self._cast.wires
        names = {
            one.dialog: name
            for one in self._messages
            if (name := self._book.find(("call-id", one.dialog))) is not None
        }
        turns = turns_of(recording, self._messages, self._book, self._dialogs.roles())
        hosts = wires.hosts_of(self._cast.users)
        asides = Asides(recording, hosts, self._people, self._tokens).all()
        dialogs = self._dialogs.all(names)
        slots = _used(self._book.slots(), turns, asides, dialogs)
        return Script(
            title=", ".join((recording.name, *recording.words)),
            parties=self._cast.parties({one.name for one in slots}),
            connections=wires.connections(),
            dialogs=dialogs,
            slots=slots,
            turns=turns,
            started=_iso(recording.started),
            asides=asides,
            origin=self._origin(),
        )

    def _origin(self) -> dict[str, str]:
        recording = self._recording
        found = {"capture": recording.name, "program": f"xccos-analyzer {__version__}"}
        last = recording.trace.quality.last_time
        if last is not None:  # that nothing came after the last turn is a fact too
            found["ended"] = _iso(last)
        if recording.words:
            found["chosen"] = ", ".join(recording.words)
        lost = {
            LEFT_OUT: recording.left_out,
            UNPLAYED: counted(self._unplayed),
            CUT: numbered(recording.cut, "message"),
            HOLES: numbered(recording.holes, "hole"),
            PORTS: numbered(self._cast.wires.invented, "user"),
        }
        return found | {key: text for key, text in lost.items() if text}


def _used(
    slots: Iterable[Slot],
    turns: Iterable[Turn],
    asides: Iterable[Aside],
    dialogs: Iterable[Dialog],
) -> tuple[Slot, ...]:
    """Return the slots that something names; what was found where it was not free is none."""
    used = {name for turn in turns for name in turn.message.slots()}
    used.update(name for one in asides for _, _, text in one.exchanges for name in slots_of(text))
    used.update(one.call_id for one in dialogs)
    found = tuple(slots)
    used.update(one.part_of for one in found if one.part_of and one.name in used)
    return tuple(one for one in found if one.name in used)


def _iso(time_ns: int) -> str:
    """Return a time as ISO 8601, UTC, to the microsecond."""
    when = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{time_ns % 1_000_000_000 // 1000:06d}Z"
