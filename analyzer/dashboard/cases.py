"""What was opened: one case is one story, from one input or several, read once for all who look.

The rule: whoever looks into a case holds its lock; a trace reads its capture back on demand and was
not made for several threads. What is worked out is kept, by name, as long as the case is open.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeVar, cast

from analyzer.collector import paused
from analyzer.diagnostics.rule import SEVERITIES
from analyzer.diagnostics.table import diagnose
from analyzer.ladder.scene import Scene
from analyzer.meaning import outline
from analyzer.views.findings import finding_record
from analyzer.views.told import judged, verdict_of
from analyzer.views.triage import triage_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from analyzer.diagnostics.rule import Finding
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace
    from analyzer.views.told import Verdict

T = TypeVar("T")
Record = dict[str, Any]
MAX_CASES = 12
"""Cases that stay open."""
MAX_MESSAGES = 3_000_000
"""Messages of all open cases: about 700 bytes each. The one opened last always stays."""
MAX_DIAGNOSED = 3_000
"""Sessions whose findings are looked for when a case is opened: two or three seconds of work."""


@dataclass(eq=False)
class Case:
    """An open case."""

    id: str
    """Of its content, the keys and the version of this program that read it."""
    name: str
    """For people: names of files, without their directories."""
    files: tuple[str, ...]
    """Where they are."""
    trace: Trace
    words: tuple[str, ...] = ()
    """What names them on a command line."""
    key_words: tuple[str, ...] = ()
    """The options there that give their keys."""
    remarks: tuple[str, ...] = ()
    """What was said when it was opened, a sentence each."""
    lock: RLock = field(default_factory=RLock)
    closed: bool = False
    _kept: dict[Any, Any] = field(default_factory=dict)

    def once(self, key: object, make: Callable[[], T]) -> T:
        """Return what ``make`` returned the first time it was asked for under this key."""
        with self.lock:
            if key not in self._kept:
                self._kept[key] = make()
            return cast("T", self._kept[key])

    @contextmanager
    def let_in(self) -> Iterator[None]:
        """Let others look into the case while a page, which holds its lock, waits for them."""
        self.lock.release()
        try:
            yield
        finally:
            self.lock.acquire()

    def has(self, key: object) -> bool:
        """Return whether somebody asked for what is kept under this key."""
        return key in self._kept

    @property
    def views(self) -> Sequence[SessionView]:
        """Return the sessions as the analysis has them."""
        with self.lock:
            return cast("Sequence[SessionView]", outline(self.trace).sessions)

    @property
    def record(self) -> Record:
        """Return the record of the whole capture (docs/json.md); its sessions are made on demand.

        Of a session that is looked at for itself, ``sessions[i]`` is its record.
        """
        return self.once("record", self._record)

    def _record(self) -> Record:
        with paused():
            return triage_record(self.trace, self.trace.name, whole=False)

    @property
    def sessions(self) -> Sequence[Record]:
        """Return the records of the sessions."""
        return cast("Sequence[Record]", self.record["sessions"])

    @property
    def diagnosed(self) -> Sequence[Finding]:
        """Return the findings, errors first; of ``MAX_DIAGNOSED`` sessions, the worst ones."""
        return self.once("diagnosed", self._diagnosed)

    def _diagnosed(self) -> Sequence[Finding]:
        with paused():
            few = None if not self.undiagnosed else self._worst()
            return diagnose(self.trace, sessions=few)

    def _worst(self) -> list[int]:
        """Return the sessions to be diagnosed where there are too many: those in trouble first."""
        ranks = {"failed": 0, "doubtful": 1}
        records = self.sessions
        ranked = sorted(range(len(records)), key=lambda one: ranks.get(judged(records[one]), 2))
        return sorted(ranked[:MAX_DIAGNOSED])

    @property
    def undiagnosed(self) -> int:
        """Return how many sessions were not looked at for findings."""
        return max(0, len(self.views) - MAX_DIAGNOSED)

    @property
    def findings(self) -> Sequence[Record]:
        """Return the records of the findings, in the same order (docs/json.md)."""
        return self.once("findings", self._findings)

    def _findings(self) -> list[Record]:
        return [finding_record(self.trace, one) for one in self.diagnosed]

    def findings_of(self, session: int | None) -> Sequence[int]:
        """Return the numbers (from 0) of the findings about a session; None: of the capture."""
        return self.once("findings by session", self._by_session).get(session, ())

    def _by_session(self) -> dict[int | None, list[int]]:
        found: dict[int | None, list[int]] = {}
        for number, one in enumerate(self.diagnosed):
            found.setdefault(one.session, []).append(number)
        return found

    def verdict(self, session: int) -> Verdict:
        """Return what became of a session, as ``xccos triage`` and the report say it."""
        return self.once(("verdict", session), lambda: self._verdict(session))

    def _verdict(self, session: int) -> Verdict:
        findings = self.findings
        mine = (findings[number] for number in self.findings_of(session))
        return verdict_of(self.sessions[session], mine)

    def verdicts(self) -> Sequence[Verdict]:
        """Return those of all sessions."""
        return self.once("verdicts", lambda: [*map(self.verdict, range(len(self.views)))])

    def severities(self) -> dict[str, int]:
        """Return how many findings there are of each severity."""
        found: dict[str, int] = dict.fromkeys(SEVERITIES, 0)
        for one in self.diagnosed:
            found[one.severity] += 1
        return found

    def row_of_frame(self, frame: int) -> int | None:
        """Return the message that a frame completes, else one that it has a part of."""
        return self.once("rows by frame", self._rows_by_frame).get(frame)

    def _rows_by_frame(self) -> dict[int, int]:
        rows, found = self.trace.rows, dict[int, int]()
        for row, frame in enumerate(rows.frame):
            found.setdefault(frame, row)
        for row in range(len(rows)):
            for frame in self.trace.frames(row):
                found.setdefault(frame, row)
        return found

    def session_of(self, row: int) -> int | None:
        """Return the session that a message belongs to."""
        place = self.scene.places.get(row)
        return None if place is None else place.view.index

    @property
    def scene(self) -> Scene:
        """Return all messages with session, dialog and hop copies."""
        return self.once("scene", lambda: Scene(self.trace))

    def close(self) -> None:
        """Close the capture; who still holds the case finds what is kept."""
        self.closed = True
        with self.lock:
            self.trace.close()
        gc.unfreeze()  # what was kept for good while it was open may go now


class Cases:
    """The open cases of this process, the one looked at last at the end."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._open: OrderedDict[str, Case] = OrderedDict()

    def get(self, identifier: str) -> Case | None:
        """Return an open case."""
        with self._lock:
            found = self._open.get(identifier)
            if found is not None:
                self._open.move_to_end(identifier)
            return found

    def add(self, case: Case) -> Case:
        """Keep a case; the ones not looked at for longest are closed where there are too many."""
        with self._lock:
            known = self._open.get(case.id)
            if known is not None:
                case.close()
                return known
            self._open[case.id] = case
            for old in [*self._surplus()]:
                del self._open[old.id]
                old.close()
            return case

    def _surplus(self) -> Iterator[Case]:
        messages = 0
        for number, case in enumerate(reversed(self._open.values())):
            messages += len(case.trace.rows)
            if number and (number >= MAX_CASES or messages > MAX_MESSAGES):
                yield case

    def close(self, identifier: str) -> None:
        """Close one."""
        with self._lock:
            case = self._open.pop(identifier, None)
        if case is not None:
            case.close()

    def close_all(self) -> None:
        """Close all of them."""
        for case in self:
            self.close(case.id)

    def __iter__(self) -> Iterator[Case]:
        """Iterate over them, the one looked at last first."""
        with self._lock:
            return iter([*reversed(self._open.values())])
