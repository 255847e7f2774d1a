"""The page ``flow``: the steps of sign-in and posting, what failed, critical path, story."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree

from analyzer.dashboard.flow.timeline import Timeline
from analyzer.dashboard.flow.told import loss_text, path_of, runs_of, story_told
from analyzer.dashboard.verdict.findings import advice
from analyzer.dashboard.verdict.paging import pager, part_of, ways
from analyzer.dashboard.verdict.places import session_ways
from analyzer.dashboard.verdict.told import told_of
from analyzer.flows.values import BAD
from analyzer.markup import SIGNS, add, badge, say, section
from analyzer.narrative.names import room_names, short_room
from analyzer.report.head import who
from analyzer.report.sessions import TONES
from analyzer.report.steps import MAX_WAITS, Steps, by_party
from analyzer.times import latency_text
from analyzer.views.dialogs import span_time
from analyzer.views.narrative import path_record
from analyzer.views.told import VERDICT_WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.dashboard.desk import Desk
    from analyzer.dashboard.flow.told import Numbered
    from analyzer.dashboard.verdict.told import Failure
    from analyzer.flows.values import FlowRun
    from analyzer.markup import Element

Record = dict[str, Any]
SIGN_INS = 4
"""Sign-ins on one page: each is a table and a path."""
POSTS = 10
OPENED = 3
"""Of so few posts each is open."""
SENTENCES = 100


def show(desk: Desk) -> None:
    """Draw the page."""
    made = etree.Element("div")
    made.set("class", "flow")
    index = desk.selection.session
    index = told_of(desk.case).worst() if index is None else index
    if index is None:
        add(made, "p", text="No session of a client is in this capture: there is no flow to show.")
        line = add(made, "p")
        add(line, "a", "", "What is in it instead", href=desk.href(view="overview"))
    else:
        _Flow(desk, index).add_to(made)
    desk.draw(made, "flow")


class _Flow:
    def __init__(self, desk: Desk, index: int) -> None:
        self._desk, self._case, self._index = desk, desk.case, index
        self._failure = told_of(desk.case).failure(index)
        place = desk.selection.more.get("step") or (self._failure and self._failure.step) or ""
        number, _, self._step = place.partition(".")
        self._number = (
            int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 0
        )
        """Which run of the session has the step that is looked at; 0: none."""

    def add_to(self, made: Element) -> None:
        """Add everything; what failed comes first."""
        self._lead(made)
        if self._failure is not None:
            self._failed(made, self._failure)
        sign_ins = runs_of(self._case, self._index, "sign-in")
        posts = runs_of(self._case, self._index, "posting")
        if any(one.number == self._number for one in posts):
            self._posts(made, posts)
            self._sign_ins(made, sign_ins)
        else:
            self._sign_ins(made, sign_ins)
            self._posts(made, posts)
        self._story(made)

    def _lead(self, made: Element) -> None:
        desk, index, case = self._desk, self._index, self._case
        add(made, "h1", "", f"Session {index + 1}: {who(case.sessions[index])}")
        if desk.selection.session is None and len(case.views) > 1:
            line = add(made, "p", "soft")
            say(line, "No session is selected. This is the one to look at first; ")
            add(line, "a", "", "keep it", href=desk.href(session=index))
            say(line, " or choose another from the list at the side.")
        lead = add(made, "p", "lead")
        verdict = case.verdict(index)
        badge(lead, verdict, VERDICT_WORDS[verdict])
        say(lead, " ")
        desk.page.prose(lead, told_of(case).summary(index))
        links = (one for one in session_ways(desk, index, self._failure) if "step" not in one[0])
        ways(made, links)

    def _failed(self, made: Element, failure: Failure) -> None:
        """Say what failed first, what it took down with it, and what to do."""
        desk, case = self._desk, self._case
        severe = case.verdict(self._index) == "failed"
        part = section(made, "failed", "What failed first" if severe else "What to remark first")
        part.set("class", "card failed" if severe else "card doubtful")
        desk.page.paragraph(part, failure.text, "what")
        lost = loss_text(case, self._index, failure.step)
        if lost:
            line = add(part, "p")
            add(line, "strong", text="What it took down: ")
            desk.page.prose(line, f"{lost}.")
        if failure.finding is not None:
            advice(part, desk, [case.findings[failure.finding]])

    def _sign_ins(self, made: Element, runs: Sequence[Numbered]) -> None:
        part = section(made, "sign-in", f"Sign-in ({len(runs)})" if len(runs) > 1 else "Sign-in")
        if not runs:
            add(part, "p", text="No sign-in of this session is in the capture.")
            return
        shown = part_of(
            self._desk.selection.more.get("signin"), len(runs), SIGN_INS, self._at(runs)
        )
        pager(part, self._desk, shown, "sign-in", "signin")
        for at in range(shown.first, shown.last):
            self._sign_in(part, runs[at], at + 1)

    def _at(self, runs: Sequence[Numbered]) -> int | None:
        """Return which of these runs has the step that is looked at."""
        return next((at for at, one in enumerate(runs) if one.number == self._number), None)

    def _chosen(self, one: Numbered) -> str | None:
        return self._step if one.number == self._number else None

    def _sign_in(self, part: Element, one: Numbered, nth: int) -> None:
        desk, run = self._desk, one.run
        name = "sign-in" if nth == 1 else f"sign-in {nth}"
        line = add(part, "p", "lead")
        badge(line, run.outcome)
        say(line, f" {latency_text(run.duration_ms)} from its first to its last message, ")
        say(line, f"client: {run.variant}, ")
        self._moment(line, run)
        path = path_of(self._case, self._index, one)
        drawn = Timeline(desk, run, path)
        drawn.steps(part, f"Steps of the {name}", self._chosen(one))
        record = path_record(self._case.trace, run, path)
        inner = add(part, "section", aria_label=f"What the {name} waited for")
        add(inner, "h3", text=f"What the {name} waited for")
        if not path.waits:
            add(inner, "p", text="Too little of this sign-in is in the capture to tell.")
            return
        begun = "" if path.whole else " What was waited for before that is not captured."
        took = latency_text(path.ms)
        add(inner, "p", text=f"{took} in all. Waited for {by_party(record)}.{begun}")
        drawn.path(inner)
        _legend(inner)
        details = add(inner, "details", id=f"path-{one.number}")
        add(details, "summary", text=f"Every wait ({len(path.waits)})")
        Steps(desk.page, desk.moments).waits(details, record, name)
        if len(path.waits) > MAX_WAITS:
            add(details, "p", "cut", f"The first {MAX_WAITS} are listed; xccos flows has all.")

    def _moment(self, parent: Element, run: FlowRun) -> None:
        fill = self._desk.moments.moment(span_time(self._case.trace, run.started))
        if callable(fill):
            fill(parent)

    def _posts(self, made: Element, runs: Sequence[Numbered]) -> None:
        if not runs:
            return
        part = section(made, "posts", f"Posts ({len(runs):,})")
        shown = part_of(self._desk.selection.more.get("posts"), len(runs), POSTS, self._at(runs))
        pager(part, self._desk, shown, "post", "posts")
        names = room_names(self._case.views[self._index].rooms)
        for one in runs[shown.first : shown.last]:
            self._post(part, one, names, few=len(runs) <= OPENED)

    def _post(self, part: Element, one: Numbered, names: dict[str, str], *, few: bool) -> None:
        desk, run = self._desk, one.run
        bad = any(step.status in BAD for step in run.steps)
        made = add(part, "details", "post", id=f"post-{one.number}")
        if few or bad or one.number == self._number:
            made.set("open", "open")
        head = add(made, "summary")
        badge(head, run.outcome)
        frame = None if run.row is None else self._case.trace.rows.frame[run.row]
        room = names.get(run.room or "") or short_room(run.room or "") or "a room"
        place = "" if frame is None else f" in frame {frame}"
        say(head, f" Post{place} into {room}, {_copies_text(run)}")
        links = add(made, "p", "links")  # in the summary, nobody who listens would find them
        if frame is not None:
            say(links, "frame ")
            desk.page.frame(links, frame)
            say(links, " · ")
        add(links, "a", "", f"the room {room}", href=desk.href(view="rooms", room=run.room))
        drawn = Timeline(desk, run)
        caption = "Steps of this post" if frame is None else f"Steps of the post in frame {frame}"
        drawn.steps(made, caption, self._chosen(one))
        drawn.copies(made)

    def _story(self, made: Element) -> None:
        """Tell the session in sentences."""
        story = story_told(self._case, self._index)
        sentences = story["sentences"]
        part = section(made, "story", "Story")
        shown = part_of(self._desk.selection.more.get("story"), len(sentences), SENTENCES)
        pager(part, self._desk, shown, "sentence", "story")
        listed = add(part, "ol", "story")
        for one in sentences[shown.first : shown.last]:
            line = add(listed, "li", TONES[one["tone"]])
            fill = self._desk.moments.clock(one["time"])
            if callable(fill):
                fill(line)
            text = add(line, "span")
            word = TONES[one["tone"]]
            if word:
                add(text, "b", "sign", SIGNS[word], title=word)
                say(text, " ")
            self._desk.page.prose(text, one["text"])
        if self._desk.selection.zone:
            add(part, "p", "soft", "Times within sentences are in UTC.")
        if story["left_out"]:
            add(part, "p", "cut", f"{story['left_out']:,} more sentences are not told.")


def _copies_text(run: FlowRun) -> str:
    """Return how many members got a copy: ``2 of 3 copies came``."""
    if not run.copies:
        return "no copy captured"
    came = sum(1 for one in run.copies if one.row is not None)
    return f"{came} of {len(run.copies)} {'copy' if len(run.copies) == 1 else 'copies'} came"


def _legend(parent: Element) -> None:
    """Say which part of the bar stands for whom."""
    line = add(parent, "p", "legend soft")
    for party in ("client", "front end", "lookup", "channel"):
        add(line, "span", f"swatch {party.replace(' ', '-')}", aria_hidden="true")
        say(line, f" {party}  ")
