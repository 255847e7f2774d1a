"""Copies of posts: missing, late, twice; and the author's own."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from analyzer.diagnostics.reading import who
from analyzer.diagnostics.rule import Hit, Rule
from analyzer.flows.chats import NO_CHAT, Chat, ChatReader
from analyzer.flows.values import DONE
from analyzer.roles import plain_uri
from analyzer.states import OBSOLETE
from analyzer.times import latency_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.commands import Command
    from analyzer.diagnostics.rule import Case
    from analyzer.dialogs import DialogDraft
    from analyzer.flows.values import Copy, FlowRun
    from analyzer.sessions.view import SessionView

POSTED = "4"
"""The step of the flow in which the post itself goes."""
NEXT = 4
"""Later dialogs of a user that are compared with one; more live at a time in no capture."""
SHOWN_ROWS = 20


def _postings(case: Case) -> Iterator[tuple[FlowRun, int]]:
    """Yield the posts that the service accepted, each with its row."""
    for run in case.flows:
        if run.row is not None and run.copies:
            status = next((one.status for one in run.steps if one.id == POSTED), None)
            if status in DONE or _accepted(case, run.row):
                yield run, run.row


def _accepted(case: Case, row: int) -> bool:
    """Say whether SIP accepted the INFO, whatever else was wrong with the step."""
    found = case.analysis.transaction_of.get(row)
    status = None if found is None else case.analysis.transactions[found].status
    return status is not None and 200 <= status < 300


def _evidence(case: Case, row: int) -> tuple[int, ...]:
    found = case.analysis.transaction_of.get(row)
    final = None if found is None else case.analysis.transactions[found].final
    return (row,) if final is None else (row, final)


def _author(run: FlowRun) -> str:
    return run.user or "a client"


def _into(case: Case, run: FlowRun) -> str:
    return f" into {case.view(run.session).room_names.of(run.room)}" if run.room else ""


def _missing(case: Case) -> Iterator[Hit]:
    for run, row in _postings(case):
        for copy in run.copies:
            if copy.row is None and copy.captured and not copy.echo:
                text = (
                    f"{copy.user or 'a member'} was in the room and never got the copy of the "
                    f"post of {_author(run)}{_into(case, run)} in frame {case.frame(row)}, which "
                    "was accepted; the capture would show it"
                )
                yield Hit(text, _evidence(case, row), run.session)


def _late(case: Case) -> Iterator[Hit]:
    limit = case.thresholds.slow_copy_ms
    for run, row in _postings(case):
        for copy in run.copies:
            if copy.row is not None and (copy.latency_ms or 0.0) >= limit:
                whom = "its author" if copy.echo else copy.user or "a member"
                text = (
                    f"the copy of the post of {_author(run)}{_into(case, run)} in frame "
                    f"{case.frame(row)} came late to {whom}: {latency_text(copy.latency_ms)} "
                    f"(frame {case.frame(copy.row)})"
                )
                yield Hit(text, (row, copy.row), run.session)


def _no_echo(case: Case) -> Iterator[Hit]:
    runs = list(_postings(case))
    silent = [(run, row, copy) for run, row in runs for copy in run.copies if _is_lacking(copy)]
    if not silent:
        return
    commands = {one.row: one for view in case.sessions for one in view.named("grpchat")}
    echoing = {
        _service(case, commands.get(row)): row
        for run, row in runs
        if any(copy.echo and copy.row is not None for copy in run.copies)
    }
    for run, row, _ in silent:
        other = echoing.get(_service(case, commands.get(row)))
        if other is not None:
            text = (
                f"{_author(run)} never got the echo of the post{_into(case, run)} in frame "
                f"{case.frame(row)}, though this service sends authors their own posts (that of "
                f"frame {case.frame(other)} for one)"
            )
            yield Hit(text, _evidence(case, row), run.session, "likely")


def _is_lacking(copy: Copy) -> bool:
    return copy.echo and copy.row is None and copy.captured


def _service(case: Case, post: Command | None) -> str | None:
    if post is None or post.dialog < 0:
        return None
    return case.analysis.dialogs[post.dialog].service


class _Live(NamedTuple):
    """A dialog of a user with a Channel service."""

    view: SessionView
    dialog: DialogDraft


def _duplicates(case: Case) -> Iterator[Hit]:
    users: dict[str, list[_Live]] = {}
    for view in case.sessions:
        for dialog in view.of_role("channel"):
            if view.user is not None:
                users.setdefault(plain_uri(view.user), []).append(_Live(view, dialog))
    reader = ChatReader(case.trace)
    for dialogs in users.values():
        dialogs.sort(key=lambda one: one.dialog.started)
        for at, old in enumerate(dialogs):
            for new in dialogs[at + 1 : at + 1 + NEXT]:
                if _overlap(case, old, new) and _one_endpoint(old, new):
                    yield from _twice(case, old, new, reader)


def _overlap(case: Case, old: _Live, new: _Live) -> bool:
    return case.time(old.dialog.rows[-1]) > new.dialog.started


def _one_endpoint(old: _Live, new: _Live) -> bool:
    """Say whether both dialogs are of one client: a user may be signed in at two computers."""
    if old.view is new.view or (old.view.epid and old.view.epid == new.view.epid):
        return True
    hosts = {one.view.client_address.rpartition(":")[0] for one in (old, new)}
    found = old.view.found
    return len(hosts) == 1 or any(
        found.status(one) == OBSOLETE and found.method(one) == "INFO"
        for one in old.dialog.group.notable
    )


def _twice(case: Case, old: _Live, new: _Live, reader: ChatReader) -> Iterator[Hit]:
    times = case.rows.time
    limit = case.thresholds.duplicate_ms * 1e6
    waiting: dict[Chat, deque[int]] = {}
    for chat, row in _delivered(new, reader):
        waiting.setdefault(chat, deque()).append(row)
    rows: list[int] = []
    for chat, row in _delivered(old, reader):
        known = waiting.get(chat)
        while known and times[known[0]] < times[row] - limit:
            known.popleft()
        if known and times[known[0]] <= times[row] + limit:
            rows += (row, known.popleft())
    if rows:
        count = len(rows) // 2
        frames = f"frames {case.frame(rows[0])} and {case.frame(rows[1])}"
        text = (
            f"{count} chat message{'s' if count > 1 else ''} came to {who(new.view)} twice, "
            f"through two dialogs (begun in frames {case.frame(old.dialog.rows[0])} and "
            f"{case.frame(new.dialog.rows[0])}): {frames}{' and so on' if count > 1 else ''}"
        )
        yield Hit(text, tuple(rows[:SHOWN_ROWS]), new.view.index)


def _delivered(one: _Live, reader: ChatReader) -> Iterator[tuple[Chat, int]]:
    """Yield what the service sent into a dialog, with rows."""
    elements, tag = one.view.material.elements, one.dialog.client_side.tag
    for element in elements.of(one.dialog.index):
        if elements.what[element][0] == "grpchat" and elements.sender_tag(element) != tag:
            row = elements.row[element]
            chat = reader.chat(row, elements.position(element))
            if chat != NO_CHAT:
                yield chat, row


RULES: tuple[Rule, ...] = (
    Rule(
        "GC404",
        "error",
        "Post not copied to a member",
        "A user was in the room, the connection to that user was captured, and the copy of an "
        "accepted post never came. The service sends a copy to each participant in the "
        "participant's own dialog.",
        "Look at the Channel service that the member is connected to, and at the replication "
        "between Channel services (WCF) where there are several.",
        "Group Chat Call Flows, posting step 5",
        _missing,
        absence=True,
    ),
    Rule(
        "GC405",
        "warning",
        "Copy late",
        "A copy of a post took longer than people who write to one another notice "
        "(threshold slow_copy_ms).",
        "Compare the copies of several members: all late speaks for the service or its database, "
        "one late for the path to that member.",
        "Group Chat Call Flows, posting step 5",
        _late,
    ),
    Rule(
        "GC406",
        "warning",
        "Author got no echo",
        "This service sends authors a copy of their own posts, but not of this one: clients that "
        "show a post when it comes back do not show it. That services echo posts is not "
        "documented; it is only said where others of the capture were.",
        "Ask whether others got the post; look at the Channel service at that time.",
        "docs/protocol.md sections 2.6 and 10",
        _no_echo,
        absence=True,
    ),
    Rule(
        "GC407",
        "warning",
        "Messages delivered twice",
        "The service writes every message into two dialogs of one client: the older one is left "
        "from a sign-in that was never ended, and lives until its session expires.",
        "None is needed where the client answers 487; else end the old session, or wait for its "
        "Session-Expires.",
        "docs/protocol.md section 6.4 and section 9 row 11; SIPE",
        _duplicates,
    ),
)
