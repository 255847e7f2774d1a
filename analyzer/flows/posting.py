"""Subscribing to a room and posting: the five documented steps as data, and a run for each post.

Steps 1 to 3 are those before a post for its room; a room that was joined at sign-in needs none. A
post that was refused or never acknowledged and then repeated is one run. What a client began and
could not go on with (a room that it was not let into) is a run without a post.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from analyzer.flows.copies import Fanout
from analyzer.flows.posting_evidence import asked, bare, delivered, posted, unposted
from analyzer.flows.spec import Command as Cmd
from analyzer.flows.spec import Copies, Flow, Need, Post, Step
from analyzer.flows.spec import Upload as UploadMatch
from analyzer.flows.subscriptions import Walk
from analyzer.flows.uploads import Uploads
from analyzer.flows.values import BAD, FlowRun
from analyzer.flows.variants import variant_of
from analyzer.meaning import outline
from analyzer.times import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.flows.sent import Known
    from analyzer.flows.subscriptions import Attempt, Subscription
    from analyzer.flows.values import Copy, FlowOutcome, FlowStep
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace

POSTING = Flow(
    name="posting",
    title="Subscribing to a chat room and posting a message",
    begins="post",
    source="Group Chat Call Flows (TechNet)",
    steps=(
        Step(
            "1", "chansrch: search for a room", "client", "channel", (Cmd("chansrch"),), 1,
            optional=True, repeatable=True,
        ),
        Step(
            "2", "join: enter the room", "client", "channel", (Cmd("join"),), 2,
            optional=True, needs=(Need("1", "the URI of the room"),),
        ),
        Step(
            "3", "bccontext: history", "client", "channel", (Cmd("bccontext"),), 3,
            optional=True, repeatable=True, needs=(Need("2", "the room"),),
        ),
        Step(
            "4", "grpchat: the post, with its file", "client", "channel",
            (Post(), Cmd("getfutok"), UploadMatch()), 4,
            needs=(Need("2", "membership of the room"),),
        ),
        Step(
            "5", "grpchat: copies to the members", "channel", "members", (Copies(),), 5,
            repeatable=True, needs=(Need("4", "the post"),), slow_ms=2000.0,
        ),
    ),
)  # fmt: skip

SEARCH, JOIN, HISTORY, POST, COPIES = POSTING.steps
SEARCHED_NS = 30 * SECOND
"""Who searches joins a room that was found within so much time."""
AT_SIGN_IN = "the room was joined at sign-in"


def posting_runs(
    trace: Trace,
    views: Sequence[SessionView],
    fanout: Fanout | None = None,
) -> list[FlowRun]:
    """Return a run for each post, in the order of sessions and then of time.

    Args:
        trace: the capture, still open.
        views: the sessions whose posts are wanted; copies are looked for in all of the capture.
        fanout: the copies of all posts, where they are known already.
    """
    if fanout is None:
        fanout = fanout_of(trace, views)
    uploads = Uploads(trace)
    runs: list[FlowRun] = []
    for view in views:
        maker = _Maker(Walk(view, fanout), fanout, uploads)
        runs += sorted(maker.runs(), key=_started)
    return runs


def fanout_of(trace: Trace, authors: Sequence[SessionView] | None = None) -> Fanout:
    """Return the copies of all posts of a capture, or of those of some sessions."""
    views = cast("Sequence[SessionView]", outline(trace).sessions)
    some = authors is not None and len(authors) < len(views)
    return Fanout(trace, views, authors if some else None)


def _started(run: FlowRun) -> int:
    return run.started


def _echo_first(copy: Copy) -> tuple[bool, int]:
    return not copy.echo, copy.session


class _Maker:
    """Makes the runs of one session."""

    def __init__(self, walk: Walk, fanout: Fanout, uploads: Uploads) -> None:
        self._walk = walk
        self._view = walk.view
        self._fanout = fanout
        self._uploads = uploads
        self._variant = variant_of(walk.view).name
        self._ways: dict[int, tuple[FlowStep, ...]] = {}
        """Steps 1 to 3 of a subscription, by its identity."""

    def runs(self) -> list[FlowRun]:
        """Return a run for each post, and for what failed before there was one."""
        attempts = self._walk.attempts()
        return [self._run(one) for one in attempts if one.posts or self._is_failure(one)]

    def _is_failure(self, attempt: Attempt) -> bool:
        """Say whether an attempt shows why no post came of it."""
        if attempt.first and any(one.status in BAD for one in self._way(attempt.subscription)):
            return True
        return bool(unposted(POST, self._walk, attempt, self._uploads).frames)

    def _run(self, attempt: Attempt) -> FlowRun:
        view = self._view
        post, spread, copies = self._posted(attempt) if attempt.posts else self._unposted(attempt)
        steps = (*self._way(attempt.subscription), post, spread)
        own = steps if attempt.first else steps[3:]
        started = min((one.time for one in own if one.time is not None), default=view.started)
        ended = max(self._end(own[:-1], copies), started)
        user = view.outcomes.user(attempt.posts[0].command) if attempt.posts else view.user
        return FlowRun(
            flow=POSTING.name,
            session=view.index,
            user=user or view.user,
            variant=self._variant,
            outcome=_outcome(steps, attempt),
            started=started,
            duration_ms=(ended - started) / 1e6,
            steps=steps,
            room=attempt.room,
            row=attempt.posts[-1].row if attempt.posts else None,
            copies=copies,
        )

    def _posted(self, attempt: Attempt) -> tuple[FlowStep, FlowStep, tuple[Copy, ...]]:
        """Return steps 4 and 5 of a post, and its copies."""
        last = attempt.posts[-1].command
        known = self._known(attempt)
        post = posted(POST, self._walk, attempt, self._uploads, known.copies)
        if last.rejected():
            spread = bare(COPIES, "missing", "not reached: the post was refused")
        elif last.outcome == "unanswered" and all(one.row is None for one in known.copies):
            spread = bare(COPIES, "missing", "not reached: the post was not acknowledged")
        else:
            spread = delivered(COPIES, self._view, known)
        return post, spread, known.copies

    def _known(self, attempt: Attempt) -> Known:
        """Return the copies of a post; of one that was repeated those of any attempt."""
        tries = [self._fanout.of(one.command) for one in attempt.posts]
        if len(tries) == 1:
            return tries[0]
        copies: dict[int, Copy] = {}
        for copy in (copy for known in tries for copy in known.copies):
            if copy.session not in copies or copies[copy.session].row is None:
                copies[copy.session] = copy
        got = tuple(sorted(copies.values(), key=_echo_first))
        return tries[-1]._replace(copies=got, others=any(one.others for one in tries))

    def _unposted(self, attempt: Attempt) -> tuple[FlowStep, FlowStep, tuple[Copy, ...]]:
        post = unposted(POST, self._walk, attempt, self._uploads)
        return post, bare(COPIES, "missing", "no post followed"), ()

    def _end(self, steps: Sequence[FlowStep], copies: Sequence[Copy]) -> int:
        """Return the time of the last message that belongs to some steps; 0 without any."""
        time = self._view.trace.rows.time
        ends = [time[one.row] for one in copies if one.row is not None]
        ends += [
            one.time + round((one.latency_ms or 0.0) * 1e6) for one in steps if one.time is not None
        ]
        return max(ends, default=0)

    # steps 1 to 3

    def _way(self, known: Subscription | None) -> tuple[FlowStep, ...]:
        if known is None:
            return self._unknown_way()
        if known.at_sign_in:
            return tuple(bare(step, "not-applicable", AT_SIGN_IN) for step in POSTING.steps[:3])
        way = self._ways.get(id(known))
        if way is None:
            way = self._ways[id(known)] = self._seen_way(known)
        return way

    def _unknown_way(self) -> tuple[FlowStep, ...]:
        """Steps 1 to 3 of a room whose join was not seen."""
        why = self._why_unseen()
        if why is not None:
            return tuple(bare(step, "not-captured", why) for step in POSTING.steps[:3])
        return (
            bare(SEARCH, "not-applicable", "no search"),
            bare(JOIN, "missing", "no join of this room, though the capture has no gap"),
            bare(HISTORY, "not-applicable", "no history was asked for"),
        )

    def _why_unseen(self) -> str | None:
        view = self._view
        if view.late or any(not one.began_in_capture for one in view.of_role("channel")):
            return "the session was going on before the capture began"
        return view.gaps

    def _why_no_search(self, known: Subscription) -> str | None:
        """Say why the search before a join may be unseen, or None."""
        view = self._view
        if known.joins and view.late:
            begun = view.time(known.joins[0].first()[0]) - view.trace.rows.time[0]
            if known.joins[0].element < 0 or begun < SEARCHED_NS:
                return "the capture begins shortly before the join"
        return view.gaps

    def _seen_way(self, known: Subscription) -> tuple[FlowStep, ...]:
        walk = self._walk
        search = bare(SEARCH, "not-applicable", "no search")
        if known.searches:
            search = asked(SEARCH, walk, known.searches)
        else:
            unseen = self._why_no_search(known)
            if unseen is not None:
                search = bare(SEARCH, "not-captured", unseen)
        if not known.joins:
            stopped = "not reached: the search brought nothing"
            return search, bare(JOIN, "missing", stopped), bare(HISTORY, "missing", stopped)
        refused = ""
        if walk.well(known.joins[-1]) and not walk.let_in(known.joins[-1], known.room):
            refused = f"{known.room} refused (OPERATION_FAILED)"
        join = asked(JOIN, walk, known.joins, refused=refused)
        if known.contexts:
            return search, join, asked(HISTORY, walk, known.contexts)
        if join.status in BAD:
            return search, join, bare(HISTORY, "missing", "not reached: the room was not entered")
        if self._view.gaps is not None:
            return search, join, bare(HISTORY, "not-captured", self._view.gaps)
        return search, join, bare(HISTORY, "not-applicable", "no history was asked for")


def _outcome(steps: Sequence[FlowStep], attempt: Attempt) -> FlowOutcome:
    """Return the outcome: what was refused and stopped it, or what was lost on the way."""
    bad = [one.status for one in steps if one.status in BAD]
    post = steps[3]
    if post.status == "not-captured" and not bad:
        return "not-captured"
    if not bad:
        return "complete"
    reached = bool(attempt.posts) and attempt.posts[-1].command.outcome == "accepted"
    return "failed" if "failed" in bad and not reached else "incomplete"
