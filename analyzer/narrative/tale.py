"""What all sentences of a story are made with: the session, and how things are named."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from analyzer.causes.messages import Messages, channel_sources
from analyzer.lazy import once
from analyzer.narrative.names import listed, room_names, room_text
from analyzer.narrative.posts import sent_posts
from analyzer.outcomes import diagnosis
from analyzer.sessions.rooms import is_good
from analyzer.states import status_text
from analyzer.times import latency_text
from analyzer.transaction_table import FAILURE
from analyzer.views.numbers import frames_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.commands import Command
    from analyzer.narrative.names import Names
    from analyzer.sessions.view import SessionView

Tone = Literal["plain", "bad", "doubtful"]


class Sentence(NamedTuple):
    """One sentence."""

    time: int
    """When what it tells began; nanoseconds since 1970 UTC."""
    order: int
    """Row that it begins with: of sentences of one time, the one that comes first."""
    frames: tuple[int, ...]
    """Evidence, ascending."""
    text: str
    tone: Tone = "plain"


class Tale:
    """One session, as its story speaks of it."""

    def __init__(self, view: SessionView, names: Names) -> None:
        self.view = view
        self.names = names
        self.who = names.person(view.user)
        self.near = Messages(view).near
        """Return the copy of a message on the connection nearest to the client."""

    @once
    def sources(self) -> dict[str, list[int]]:
        """Return the URIs of Channel services that were learned, with the rows of the replies."""
        return channel_sources(self.view)

    @once
    def branches(self) -> Counter[int]:
        """Return how many branches of a forked INVITE each dialog has besides itself."""
        fork_of = self.view.material.groups.fork_of
        return Counter(fork_of[one.index] for one in self.view.dialogs if one.index in fork_of)

    @once
    def posts(self) -> dict[int, Command]:
        """Return the posts by frame."""
        return sent_posts(self.view)

    @once
    def _rooms(self) -> dict[str, str]:
        return room_names(self.view.rooms)

    def sentence(self, rows: Iterable[int], text: str, tone: Tone = "plain") -> Sentence:
        """Return a sentence about messages; it stands where the first of them does."""
        known = sorted({self.near(row) for row in rows if row >= 0})
        frames = tuple(sorted({self.view.frame(row) for row in known}))
        return Sentence(self.view.time(known[0]), known[0], frames, text, tone)

    def room(self, uri: str | None) -> str:
        """Return a room as a sentence names it."""
        return room_text(self._rooms, uri)

    def rooms(self, uris: Iterable[str]) -> str:
        """Return several rooms."""
        return listed([self.room(uri) for uri in uris], "others")

    def frame(self, row: int) -> str:
        """Return ``frame 17``: of the copy of a message nearest to its client."""
        return f"frame {self.view.frame(self.near(row))}"

    def frames(self, rows: Iterable[int]) -> str:
        """Return ``frames 17, 19-21``."""
        return frames_text(self.view.frame(self.near(row)) for row in rows)

    def answer(self, index: int) -> tuple[str, Tone]:
        """Return what answered a transaction: ``200 OK after 18.4 ms (frame 25)``."""
        found, view = self.view.found, self.view
        final = found.final[index]
        if final < 0:
            why = view.visibility.why_unknown(found.first[index])
            if why is None:
                return "it was never answered", "bad"
            return f"its answer is not captured ({why})", "doubtful"
        text = status_text(view.trace, final)
        status = view.trace.rows.status[final]
        if status >= FAILURE:
            text += diagnosis(view.trace, final)
        taken = latency_text(found.latency_ms(index))
        after = f" after {taken}" if taken else ""
        return f"{text}{after} ({self.frame(final)})", "bad" if status >= FAILURE else "plain"

    def outcome(self, commands: Sequence[Command]) -> tuple[str, Tone]:
        """Return what became of commands of one name in one message."""
        last = commands[-1]
        lost = [one for one in commands if one.outcome in {"rejected", "unanswered", "unknown"}]
        if lost:
            text = self.view.outcomes.detail(lost[-1])
            some = f"{len(lost)} of {len(commands)}: " if 1 < len(commands) != len(lost) else ""
            return some + text, "doubtful" if lost[-1].outcome == "unknown" else "bad"
        answers = sorted({answer.row for one in commands for answer in one.answers})
        if not answers:
            return self.view.outcomes.detail(last), "plain"
        codes = [self.view.outcomes.code(answer) for one in commands for answer in one.answers]
        if not all(map(is_good, codes)):
            return self.view.outcomes.detail(last), "bad"
        if last.element < 0:
            return f"answered in {self.frames(answers)}; the command is not captured", "doubtful"
        taken = latency_text((self.view.time(answers[0]) - self.view.time(last.row)) / 1e6)
        again = self._again(last)
        return f"answered after {taken} ({self.frames(answers)}){again}", "plain"

    def _again(self, command: Command) -> str:
        if command.repeats is None:
            return ""
        return f", a repetition of the refused one in {self.frame(command.repeats)}"
