"""What a look at a growing capture shows: sessions and findings, as values that outlive it."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any, NamedTuple

from analyzer.collector import paused
from analyzer.diagnostics.table import RULES, diagnose
from analyzer.meaning import outline
from analyzer.times import SECOND, time_text
from analyzer.views.findings import finding_record

if TYPE_CHECKING:
    from analyzer.diagnostics.rule import Finding
    from analyzer.model import Session, Step
    from analyzer.trace import Trace

NOT_YET = frozenset({"GC905", "GC907"})
"""Rules about what only the end of a capture can tell: how it ends, and which TLS nobody has keys
for (connections that stay dark meanwhile are counted)."""
OF_THE_CAPTURE = "GC9"
ABSENT_NS = 2 * SECOND
"""What says that something did not happen was waited for already, by the rule itself: so long more
an answer may be on its way from where the packets are captured."""
PATIENT_NS = 60 * SECOND
"""What says that somebody did not go on: a person types a password meanwhile."""
PATIENT = frozenset({"GC107", "GC111", "GC603", "GC604", "GC701"})
"""Rules whose less certain findings later messages take back though none was missing: a client that
answers a challenge or takes the next step (GC107, GC111), more readings of a clock (GC603, GC604),
replies that come after all (GC701). What messages prove, a refusal, is certain and told at once."""
CAPTURE_NS = 6 * SECOND
"""What says that a capture is one-sided is true of every connection until it is first answered:
longer than an answer is waited for (``visibility.REPLY_GRACE_NS``)."""
DONE = ("ok", "slow", "retried", "out-of-order")

SessionKey = tuple[int, str, str]
"""What tells a session from others at every look: begin, first Call-ID, address of the client."""
FindingKey = tuple[str, SessionKey | None, str | None, int]
"""Rule, session, Call-ID, first frame."""


class StepSeen(NamedTuple):
    """One step of a sign-in, as it stands now."""

    id: str
    title: str
    status: str
    frames: tuple[int, ...]
    latency_ms: float | None
    detail: str
    time: int
    """Of its first message; nanoseconds since 1970 UTC, 0 where there is none."""


class Act(NamedTuple):
    """What a user did after the sign-in."""

    what: str
    """``joined``, ``left``, ``posted``, ``signed off``."""
    room: str | None
    """URI."""
    name: str | None
    """Of the room."""
    frame: int
    time: int
    """Of the message that shows it; nanoseconds since 1970 UTC."""


class SessionSeen(NamedTuple):
    """One session, as it stands now."""

    key: SessionKey
    user: str | None
    client: str
    front_end: str
    started: int
    """Nanoseconds since 1970 UTC."""
    last: int
    """Time of its last message."""
    steps: tuple[StepSeen, ...]
    rooms: int
    """That it is in."""
    posts: int
    commands: int
    waiting: int
    """Commands of which nothing is known yet."""
    signed_off: bool
    acts: tuple[Act, ...] = ()
    """In the order in which they were seen."""


class FindingSeen(NamedTuple):
    """One finding, as it stands now."""

    key: FindingKey
    record: dict[str, Any]
    """As of ``xccos findings``."""
    settles_ns: int
    """So long it has to stand before it is told: what comes next may make it untrue."""


class Picture(NamedTuple):
    """All that is shown of one look."""

    time: int
    """When it was looked, by the clock of the capture; nanoseconds since 1970 UTC, 0: unknown."""
    digits: int
    sessions: tuple[SessionSeen, ...]
    findings: tuple[FindingSeen, ...]
    holes: int
    """Places where bytes of SIP connections are missing."""
    connections: int
    first_frame: int
    """Of the messages that are looked at; what rested on earlier ones was let go."""

    def moment(self) -> str | None:
        """Return the time as text."""
        return time_text(self.time, self.digits) if self.time else None


def picture_of(trace: Trace) -> Picture:
    """Return what a snapshot shows; the findings are those of all sessions."""
    with paused():
        analysis = outline(trace)
        sessions = tuple(_session(trace, one) for one in analysis.sessions)
        findings = [
            _finding(trace, sessions, one) for one in diagnose(trace) if one.rule not in NOT_YET
        ]
    quality = trace.quality
    return Picture(
        quality.last_time or 0, quality.digits, sessions, tuple(findings), len(quality.holes),
        len(trace.connections), trace.rows.frame[0] if len(trace) else 0,
    )  # fmt: skip


def _session(trace: Trace, session: Session) -> SessionSeen:
    analysis = outline(trace)
    pairs = [analysis.pairs[index] for index in session.pairs]
    first = analysis.dialogs[session.joins[0].dialog].call_id if session.joins else ""
    return SessionSeen(
        (session.started, first, session.client_address),
        session.user,
        session.client_address,
        session.front_end or "",
        session.started,
        session.ended,
        tuple(_step(trace, one) for one in session.steps),
        sum(one.joined is not None and one.left is None for one in session.rooms),
        len(session.posts),
        len(pairs),
        sum(one.outcome == "unknown" for one in pairs),
        session.signed_off is not None,
        _acts(trace, session),
    )


def _acts(trace: Trace, session: Session) -> tuple[Act, ...]:
    names = {one.uri: one.name for one in session.rooms}
    found = [(one.row, "posted", one.room) for one in session.posts]
    for room in session.rooms:
        found += [(room.joined, "joined", room.uri)] if room.joined is not None else []
        found += [(room.left, "left", room.uri)] if room.left is not None else []
    if session.signed_off is not None:
        found.append((session.signed_off, "signed off", None))
    rows = trace.rows
    return tuple(
        Act(what, room, names.get(room or ""), rows.frame[row], rows.time[row])
        for row, what, room in sorted(found, key=lambda one: one[0])
    )


def _step(trace: Trace, step: Step) -> StepSeen:
    rows, time = trace.rows, 0
    at = bisect_left(rows.frame, step.frames[0]) if step.frames else len(rows)
    if at < len(rows):
        time = rows.time[at]
    return StepSeen(
        step.id, step.title, step.status, step.frames, step.latency_ms, step.detail, time
    )


def _finding(trace: Trace, sessions: tuple[SessionSeen, ...], finding: Finding) -> FindingSeen:
    session = None if finding.session is None else sessions[finding.session].key
    settles = ABSENT_NS if RULES[finding.rule].absence else 0
    if finding.rule.startswith(OF_THE_CAPTURE):
        settles = CAPTURE_NS
    if finding.rule in PATIENT and finding.confidence != "certain":
        settles = PATIENT_NS
    key = (finding.rule, session, finding.call_id, min(finding.frames, default=0))
    return FindingSeen(key, finding_record(trace, finding), settles)
