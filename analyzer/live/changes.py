"""What has changed between two looks at a growing capture, as events.

The one rule: nothing flickers. What says that something did not happen is told when it has stood
for some seconds, because the next packet may make it untrue; what messages say is told at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.live.picture import DONE
from analyzer.times import time_text

if TYPE_CHECKING:
    from analyzer.live.picture import (
        Act,
        FindingKey,
        FindingSeen,
        Picture,
        SessionKey,
        SessionSeen,
        StepSeen,
    )

TOLD_STEPS = (*DONE, "failed")
"""A step that is missing is told by a finding, when that has settled."""

Event = dict[str, Any]


class Changes:
    """Remembers what was told; every look gives the events since the one before."""

    def __init__(self) -> None:
        self.numbers: dict[SessionKey, int] = {}
        """Sessions by the number that they are told by, from 1; a number is never given again."""
        self.told: dict[FindingKey, FindingSeen] = {}
        """Findings that stand."""
        self._steps: dict[tuple[SessionKey, str], str] = {}
        self._acts: set[Act] = set()
        self._waiting: dict[FindingKey, int] = {}
        """When findings that still settle were first seen."""
        self._names: dict[SessionKey, str | None] = {}
        self._count = 0
        self._quality: tuple[int, int] = (0, 0)

    def look(self, picture: Picture, *, dark: int = 0, settled: bool = False) -> list[Event]:
        """Return the events since the last look.

        Args:
            picture: what is seen now.
            dark: connections under TLS that are not read.
            settled: the capture has ended: nothing waits any more.
        """
        picture = self._recognised(picture)
        present = {one.key for one in picture.sessions}
        events: list[Event] = []
        for session in picture.sessions:
            events += self._session(picture, session)
        events += self._gone(picture, present)
        events += self._new(picture, settled=settled)
        events += self._of_the_capture(picture, dark)
        for known in (self.numbers, self._names):
            for key in known.keys() - present:
                del known[key]
        self._acts = {one for one in self._acts if one.frame >= picture.first_frame}
        self._steps = {at: value for at, value in self._steps.items() if at[0] in present}
        return events

    @property
    def waiting(self) -> bool:
        """Some findings still settle."""
        return bool(self._waiting)

    def of_session(self, key: SessionKey) -> list[FindingSeen]:
        """Return the findings about a session that stand."""
        return [one for one in self.told.values() if one.key[1] == key]

    def reached(self, key: SessionKey) -> tuple[int, tuple[str, ...]]:
        """Return the last step of a sign-in that was seen done, and those that failed.

        What was let go since is remembered.
        """
        steps = {at[1]: status for at, status in self._steps.items() if at[0] == key}
        done = (int(one) for one, status in steps.items() if status in DONE and one.isdecimal())
        return max(done, default=0), tuple(one for one in steps if steps[one] == "failed")

    def _recognised(self, picture: Picture) -> Picture:
        """Give sessions the keys by which they are known, where their beginnings were let go."""
        present = {one.key for one in picture.sessions}
        missing = {
            (key[2], self._names.get(key)): key for key in self.numbers if key not in present
        }
        known = {
            one.key: missing[one.key[2], one.user]
            for one in picture.sessions
            if one.key not in self.numbers and (one.key[2], one.user) in missing
        }
        if not known:
            return picture
        return picture._replace(
            sessions=tuple(
                one._replace(key=known.get(one.key, one.key)) for one in picture.sessions
            ),
            findings=tuple(
                one._replace(key=(one.key[0], known.get(one.key[1], one.key[1]), *one.key[2:]))
                if one.key[1] is not None
                else one
                for one in picture.findings
            ),
        )

    def _session(self, picture: Picture, session: SessionSeen) -> list[Event]:
        events = []
        if session.key not in self.numbers:
            self._count += 1
            self.numbers[session.key] = self._count
            events.append(self._event("session", picture, session, session.started))
        elif session.user != self._names.get(session.key):
            events.append(self._event("session", picture, session, session.last))
        self._names[session.key] = session.user
        for step in session.steps:
            at = (session.key, step.id)
            if step.status in TOLD_STEPS and self._steps.get(at) != step.status:
                self._steps[at] = step.status
                events.append(self._step(picture, session, step))
        for act in session.acts:
            if act not in self._acts:
                self._acts.add(act)
                events.append(self._act(picture, session, act))
        return events

    def _act(self, picture: Picture, session: SessionSeen, act: Act) -> Event:
        event = self._event(act.what, picture, session, act.time)
        if act.room is not None:
            event |= {"room": act.room, "room_name": act.name}
        return event | {"frames": [act.frame]}

    def _step(self, picture: Picture, session: SessionSeen, step: StepSeen) -> Event:
        event = self._event("step", picture, session, step.time)
        event |= {
            "step": step.id, "title": step.title, "status": step.status,
            "frames": list(step.frames), "latency_ms": step.latency_ms, "detail": step.detail,
        }  # fmt: skip
        return event

    def _event(self, name: str, picture: Picture, session: SessionSeen, time: int) -> Event:
        return {
            "event": name,
            "time": time_text(time, picture.digits) if time else None,
            "session": self.numbers[session.key],
            "user": session.user,
            "client_address": session.client,
            "front_end": session.front_end,
        }

    def _new(self, picture: Picture, *, settled: bool) -> list[Event]:
        events = []
        waiting: dict[FindingKey, int] = {}
        for one in picture.findings:
            if one.key in self.told:
                self.told[one.key] = one
                continue
            since = self._waiting.get(one.key, picture.time)
            if not settled and picture.time - since < one.settles_ns:
                waiting[one.key] = since
                continue
            self.told[one.key] = one
            events.append(self._finding("finding", picture, one))
        self._waiting = waiting
        return events

    def _gone(self, picture: Picture, present: set[SessionKey]) -> list[Event]:
        """Return the findings that stand no more; those of sessions let go are only forgotten."""
        found = {one.key for one in picture.findings}
        events = []
        for key, one in list(self.told.items()):
            if key in found:
                continue
            del self.told[key]
            if (key[1] is None or key[1] in present) and key[3] >= picture.first_frame:
                events.append(self._finding("finding gone", picture, one))
        return events

    def _finding(self, name: str, picture: Picture, one: FindingSeen) -> Event:
        session = None if one.key[1] is None else self.numbers.get(one.key[1])
        return {"event": name, **one.record, "session": session, "seen": picture.moment()}

    def _of_the_capture(self, picture: Picture, dark: int) -> list[Event]:
        if (picture.holes, dark) == self._quality:
            return []
        self._quality = (picture.holes, dark)
        return [
            {"event": "quality", "time": picture.moment(), "holes": picture.holes, "tls_dark": dark}
        ]
