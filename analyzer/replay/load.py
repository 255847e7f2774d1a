"""Many clients at once: who they are, when each begins, and what they came to, as figures.

The rule: nothing here waits or connects. Starts are absolute times, so that a late one does not
shift the next; what is kept of 1,000 clients is bounded, and what is not kept is counted.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from io import StringIO
from math import ceil, exp, floor, log, sqrt
from typing import TYPE_CHECKING, NamedTuple

from analyzer.replay.options import User
from analyzer.replay.results import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from analyzer.replay.actions import Play
    from analyzer.replay.results import Latency, Status, Verdict

MAX_RATE = 50.0
"""Starts per second, unless more is asked for expressly: a server in use bears that."""
MAX_CLIENTS = 1000
"""Unless more is asked for expressly."""
MAX_USERS = 100_000
MAX_USERS_BYTES = 64 << 20
MAX_KEPT = 1000
"""Verdicts that did not hold, and as many notes: nobody reads more."""
MAX_KINDS = 200
"""Of latencies that are told apart; a script has a few dozen."""
FAILURES = ("refused", "timeout", "tls", "rst")
"""Ends of connections that are errors."""
MAX_EXACT = 5000
"""Samples of a kind that are kept as they are; of more, only how many lie in each bucket."""
BUCKET = log(1.01)
"""Width of a bucket: a percentile of very many samples is right within half a per cent."""
LEAST = 1e-6
"""Seconds: shorter ones are taken for this."""
COLUMNS = ("user", "password", "login")
_SLOT_NAME = re.compile(r"[A-Za-z][\w.-]{0,80}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class UsersError(Exception):
    """A file of users cannot be used; the text is one line with the place."""


def read_users(path: Path) -> tuple[User, ...]:
    """Read users from a CSV file (``parse_users``); UsersError with the line for what is wrong."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_USERS_BYTES + 1)
    except OSError as error:
        raise UsersError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > MAX_USERS_BYTES:
        raise UsersError(f"{path}: larger than {MAX_USERS_BYTES >> 20} MiB")
    try:
        return parse_users(data.decode("utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsersError(f"{path}:{line}: not UTF-8") from error


def parse_users(text: str, name: str) -> tuple[User, ...]:
    """Return the users of CSV with a header: ``user,password[,login][,SLOT...]``.

    Every other column is a slot of the script that this user sets; empty fields set nothing.
    ``name`` is what errors call the text.
    """
    rows = csv.reader(StringIO(text, newline=""), strict=True)
    users: list[User] = []
    try:
        columns = _columns(next(rows, []), name)
        for row in rows:
            if any(row):
                users.append(_user(row, columns, f"{name}:{rows.line_num}"))
            if len(users) > MAX_USERS:
                raise UsersError(f"{name}: more than {MAX_USERS} users")
    except csv.Error as error:
        raise UsersError(f"{name}:{rows.line_num}: {error}") from error
    if not users:
        raise UsersError(f"{name}: no users below the header")
    return tuple(users)


def _columns(header: list[str], name: str) -> list[str]:
    columns = [column.strip() for column in header]
    if "user" not in columns:
        wanted = "user,password[,login][,SLOT...]"
        raise UsersError(f"{name}:1: the first line names the columns: {wanted}")
    for column in columns:
        if not _SLOT_NAME.fullmatch(column):
            raise UsersError(f"{name}:1: {column[:80]!r} is no name of a slot")
        if columns.count(column) > 1:
            raise UsersError(f"{name}:1: two columns {column}")
    return columns


def _user(row: list[str], columns: list[str], place: str) -> User:
    if len(row) != len(columns):
        raise UsersError(f"{place}: {len(row)} fields, and {len(columns)} columns")
    fields = {column: field for column, field in zip(columns, row, strict=True) if field}
    for column, field in fields.items():
        if _CONTROL.search(field) or (column in COLUMNS and "\n" in field):
            raise UsersError(f"{place}: control character in {column}")
    user = fields.get("user", "").strip().removeprefix("sip:")
    if user.count("@") != 1 or any(character.isspace() for character in user):
        raise UsersError(f"{place}: the user is no name@domain: {user[:80]!r}")
    slots = {column: field for column, field in fields.items() if column not in COLUMNS}
    return User(user, fields.get("password"), fields.get("login"), slots)


@dataclass(frozen=True, slots=True)
class Load:
    """Clients to be played."""

    make: Callable[[int, User | None], Play]
    """Makes the play of a client from its number, from 0, and its user."""
    users: Sequence[User] = ()
    """Taken in turn, from the beginning again when there are more clients; empty: None for all."""
    clients: int = 1
    rate: float = MAX_RATE
    """Starts per second."""
    ramp: float = 0.0
    """Seconds in which the rate grows from nothing to that."""
    concurrent: int | None = None
    """At the same time, at most; None: no matter how many."""

    def user(self, index: int) -> User | None:
        """Return who a client is."""
        return self.users[index % len(self.users)] if self.users else None

    def starts(self) -> Iterator[float]:
        """Return when each client begins, in seconds after the first."""
        ramped = self.rate * self.ramp / 2
        for index in range(self.clients):
            if index < ramped:
                yield sqrt(2 * index * self.ramp / self.rate)
            else:
                yield self.ramp + (index - ramped) / self.rate


class Percentiles(NamedTuple):
    """How long answers of one kind took, in seconds."""

    what: str
    """As of ``Latency``."""
    samples: int
    p50: float
    p90: float
    p95: float
    p99: float
    max: float


class Histogram:
    """Durations: exact while they are few, then counted in buckets of one per cent."""

    def __init__(self) -> None:
        self.count = 0
        self.max = 0.0
        self._exact: list[float] = []
        self._buckets: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        """Take a duration."""
        self.count += 1
        self.max = max(self.max, seconds)
        self._exact.append(seconds)
        if len(self._exact) > MAX_EXACT:
            self._buckets.update(floor(log(max(sample, LEAST)) / BUCKET) for sample in self._exact)
            self._exact = []

    def percentile(self, share: float) -> float:
        """Return the least duration that so large a share of all does not exceed; 0 of none."""
        rank = ceil(share * self.count)
        samples = Counter(self._exact)
        for bucket, number in self._buckets.items():
            samples[min(exp((bucket + 0.5) * BUCKET), self.max)] += number
        for seconds in sorted(samples):
            rank -= samples[seconds]
            if rank <= 0:
                return seconds
        return 0.0

    def percentiles(self, what: str) -> Percentiles:
        """Return the usual ones."""
        p50, p90, p95, p99 = (self.percentile(share) for share in (0.5, 0.9, 0.95, 0.99))
        return Percentiles(what, self.count, p50, p90, p95, p99, self.max)


class LoadView(NamedTuple):
    """How it stands."""

    seconds: float
    """Since the first start."""
    clients: int
    started: int
    running: int
    done: int
    failed: int
    """Of those done: something did not hold."""
    messages: int
    """Said and heard."""
    rate: float
    """Messages per second since the view before."""
    errors: tuple[tuple[str, int], ...]
    """By kind, the most frequent first."""
    latencies: tuple[Percentiles, ...]
    """By kind, in the order in which they came first."""


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What many clients came to."""

    outcome: Outcome
    """The first verdicts that did not hold and the first notes, without latencies."""
    verdicts: dict[Status, int]
    """All of them."""
    left_out: int
    """Verdicts that did not hold and are not in ``outcome``."""
    view: LoadView
    """At the end."""

    @property
    def held(self) -> bool:
        """Whether every client was played and everything was as the script wants it."""
        return self.outcome.complete and not self.view.failed


class Tally:
    """Counts while it goes on."""

    def __init__(self, clients: int) -> None:
        self._clients = clients
        self._started = self._done = self._failed = self._left_out = self._played = 0
        self._complete = True
        self._verdicts: Counter[Status] = Counter()
        self._errors: Counter[str] = Counter()
        self._kept: list[Verdict] = []
        self._notes: dict[str, int] = {}
        self._latencies: dict[str, Histogram] = {}
        self._last = (0.0, 0)

    def begin(self) -> None:
        """Count a client that begins."""
        self._started += 1

    def finish(self, outcome: Outcome) -> None:
        """Count a client that is through."""
        self._done += 1
        self._played += outcome.played
        self._failed += not outcome.held
        self._complete = self._complete and outcome.complete
        for verdict in outcome.verdicts:
            self._verdicts[verdict.status] += 1
            if not verdict.good:
                self._keep(verdict)
        for note in outcome.notes:
            self.note(note)
        for latency in outcome.latencies:
            self._time(latency)

    def note(self, text: str) -> None:
        """Keep a sentence; one that was said before is counted."""
        if text in self._notes or len(self._notes) < MAX_KEPT:
            self._notes[text] = self._notes.get(text, 0) + 1

    def _keep(self, verdict: Verdict) -> None:
        self._errors[verdict.status] += 1
        if len(self._kept) < MAX_KEPT:
            self._kept.append(verdict)
        else:
            self._left_out += 1

    def _time(self, latency: Latency) -> None:
        known = self._latencies
        if latency.what in known or len(known) < MAX_KINDS:
            known.setdefault(latency.what, Histogram()).add(latency.seconds)

    def view(self, seconds: float, messages: int, ended: Mapping[str, int]) -> LoadView:
        """Return how it stands; ``ended`` counts connections that peers ended, by how."""
        before, counted = self._last
        self._last = (seconds, messages)
        span = seconds - before
        errors = self._errors + Counter({how: ended.get(how, 0) for how in FAILURES})
        return LoadView(
            seconds,
            self._clients,
            self._started,
            self._started - self._done,
            self._done,
            self._failed,
            messages,
            (messages - counted) / span if span > 0 else 0.0,
            tuple(errors.most_common()),
            tuple(times.percentiles(what) for what, times in self._latencies.items()),
        )

    def result(self, view: LoadView) -> LoadResult:
        """Return what it came to."""
        notes = [
            text if times == 1 else f"{text} (×{times})" for text, times in self._notes.items()
        ]
        complete = self._complete and self._done == self._clients
        outcome = Outcome(tuple(self._kept), tuple(notes), (), complete, self._played)
        return LoadResult(outcome, dict(self._verdicts), self._left_out, view)


class Watch(NamedTuple):
    """Who wants to see how it stands, and how often."""

    every: float
    """Seconds."""
    show: Callable[[LoadView], None]


def line_of(view: LoadView) -> str:
    """Return a view as one line."""
    parts = [
        f"{view.seconds:.0f} s",
        f"{view.started} of {view.clients} started",
        f"{view.running} running",
        f"{view.failed} failed",
        f"{view.rate:.0f} messages/s",
    ]
    parts += [f"{count} {kind}" for kind, count in view.errors]
    if view.latencies:
        slowest = max(view.latencies, key=lambda times: times.p99)
        parts.append(f"slowest: {slowest.what} p99 {slowest.p99 * 1000:.0f} ms")
    return ", ".join(parts)
