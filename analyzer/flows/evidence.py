"""What shows each step of a flow: from a stretch of a session to what was seen of the step.

A step that only SIP shows is in ``requests``; here are the commands, and the choice between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.flows.requests import answered_once, invited, published, registered, subscribed
from analyzer.flows.seen import Seen, evidence
from analyzer.flows.spec import Command as CommandMatch
from analyzer.flows.spec import Post, Request
from analyzer.flows.stretch import RETRY_NS, SIGN_IN_NS
from analyzer.sessions.rooms import is_good
from dissectors.model import Malformed

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from analyzer.commands import Command
    from analyzer.flows.spec import Match, Step
    from analyzer.flows.stretch import Stretch
    from analyzer.flows.values import StepStatus
    from analyzer.sessions.view import SessionView
    from dissectors.xccos.messages import Item

BATCHED = ("bjoin",)
"""Commands that are done with their first reply: history follows in more of them."""
ATTEMPTS = 100
"""Repetitions long after the first attempt that are looked at."""
SHOWN = 3
"""Names that a sentence lists."""


def look(step: Step, stretch: Stretch) -> Seen | None:
    """Return what was seen of a step; None where nothing was."""
    seen = _look(step.match[0], stretch)
    if seen is None or len(step.match) == 1:
        return seen
    more = [rows for match in step.match[1:] for rows in _also(match, stretch)]
    return seen._replace(rows=evidence(seen.rows, more))


def _look(match: Match, stretch: Stretch) -> Seen | None:
    if isinstance(match, CommandMatch):
        seen = exchanged(stretch, stretch.named(match.name), match.name)
        refine = REFINED.get(match.name)
        if seen is None or refine is None or seen.status not in {"ok", "retried"}:
            return seen
        return refine(stretch, seen)
    if isinstance(match, Post):
        return posted(stretch)
    if isinstance(match, Request):
        return _requested(match, stretch)
    return None  # uploads and copies belong to no session: analyzer.flows.posting


def _requested(match: Request, stretch: Stretch) -> Seen | None:
    if match.method == "REGISTER" and _has_sign_in(stretch):
        return registered(stretch)
    if match.method == "SUBSCRIBE" and match.role in {None, "subscription"}:
        return subscribed(stretch)
    if match.method == "SERVICE":
        return published(stretch)
    if match.method == "INVITE" and match.role is not None:
        return invited(stretch, match.role)
    return answered_once(stretch, stretch.asked(match.method, match.role))


def _has_sign_in(stretch: Stretch) -> bool:
    """Say whether a stretch has the first REGISTER of its session: later ones refresh or end it."""
    first = [one.dialog.rows[0] for one in stretch.view.registrations[:1]]
    return stretch.rows is None or any(row in stretch.rows for row in first)


def _also(match: Match, stretch: Stretch) -> list[int]:
    """Return the rows of what else belongs to a step."""
    if not isinstance(match, Request):
        seen = _look(match, stretch)
        return [] if seen is None else list(seen.rows)
    found = stretch.view.found
    return [
        row
        for one in stretch.requests(match.method, match.role)
        for row in (found.request[one], found.final[one])
        if row >= 0
    ]


def posted(stretch: Stretch) -> Seen | None:
    """Judge the posts of a stretch: SIP acknowledges them."""
    view = stretch.view
    posts = [one for one in stretch.named("grpchat") if one.post and one.element >= 0]
    if not posts:
        return None
    last = posts[-1]
    status: StepStatus = "not-captured"
    if last.outcome == "accepted":
        status = "retried" if any(one.rejected() for one in posts[:-1]) else "ok"
    elif last.outcome != "unknown":
        status = "failed" if last.outcome == "rejected" else "missing"
    final = view.found.final[last.transaction] if last.transaction >= 0 else -1
    rows = [*(one.row for one in posts), *([final] if final >= 0 else [])]
    return Seen.of(view, status, rows, view.outcomes.detail(last), end=final)


def exchanged(stretch: Stretch, known: Sequence[Command], name: str) -> Seen | None:
    """Judge commands of one name: retries, and all members of a set."""
    if not known:
        return None
    view = stretch.view
    commands = known if stretch.rows is not None else _of_sign_in(view, known)
    good = [_good(view, one) for one in commands]
    left = [] if all(good) else _left(view, commands, good)
    if left:
        return _bad(view, commands, left)
    done = [one for one, well in zip(commands, good, strict=True) if well]
    answers = [reply.row for one in done for reply in one.answers]
    start = commands[0].first()[0]
    first_bad = next((one for one, well in zip(commands, good, strict=True) if not well), None)
    status: StepStatus = "ok"
    if first_bad is not None and first_bad.first()[0] < done[-1].first()[0]:
        status = "retried"
        text = f"answered when repeated; at first {_short(view, first_bad)}"
    elif len(commands) == 1:
        text = view.outcomes.detail(done[-1])
    else:
        text = f"{len(commands)} commands answered"
    rows = [one.row for one in commands if one.element >= 0]
    pick = min if name in BATCHED else max
    if not rows:
        return Seen.of(view, status, answers, text, end=min(answers), latency=False)
    waits = [
        view.time(pick(reply.row for reply in one.answers)) - view.time(one.row)
        for one in done
        if one.element >= 0
    ]
    refused = [] if first_bad is None else _refusals(view, commands)
    seen = Seen.of(view, status, [*rows, *answers, *refused], text, end=pick(answers))
    return seen._replace(begin=start, first_done=min(answers), wait_ms=max(waits, default=0) / 1e6)


def _of_sign_in(view: SessionView, known: Sequence[Command]) -> Sequence[Command]:
    """Return the first commands of a kind, and those that repeat what was not done at first."""
    start = view.time(known[0].first()[0])
    taken = [one for one in known if view.time(one.first()[0]) <= start + SIGN_IN_NS]
    if len(taken) == len(known):
        return taken
    for one in known[len(taken) :][:ATTEMPTS]:
        good = [_good(view, command) for command in taken]
        late = view.time(one.first()[0]) - view.time(taken[-1].first()[0]) > RETRY_NS
        if late or all(good) or not _left(view, taken, good):
            break
        taken.append(one)
    return taken


def _good(view: SessionView, command: Command) -> bool:
    return bool(command.answers) and all(
        is_good(view.outcomes.code(one)) for one in command.answers
    )


def _left(view: SessionView, commands: Sequence[Command], good: Sequence[bool]) -> list[Command]:
    """Return the attempts that no other one made good."""
    labels = _Labels(view)
    purposes = [labels.purposes(one) for one in commands]
    done = {
        purpose for well, asked in zip(good, purposes, strict=True) if well for purpose in asked
    }
    return [
        one
        for one, well, asked in zip(commands, good, purposes, strict=True)
        if not well and not done.issuperset(asked)
    ]


class _Labels:
    """Tells what commands ask for; the message read last is kept, as many may be in one."""

    def __init__(self, view: SessionView) -> None:
        self._view = view
        self._row = -1
        self._items: Sequence[Item] = ()

    def purposes(self, command: Command) -> Sequence[Hashable]:
        """Return what a command asks for: a preference by its label, rooms by their URIs."""
        if command.name == "bjoin":
            return self._view.outcomes.rooms(command) or ("bjoin",)
        if command.name != "getpref":
            return (command.name,)
        row, element = command.first()
        if row != self._row:
            document = self._view.trace.document(row)
            self._row = row
            self._items = (
                () if document is None or isinstance(document, Malformed) else document.items
            )
        position = element - self._view.trace.rows.item[row]
        if position >= len(self._items):
            return ("getpref",)
        pref = self._items[position].node.find("data/pref")
        return (None if pref is None else pref.get("label"),)


def _bad(view: SessionView, commands: Sequence[Command], left: Sequence[Command]) -> Seen:
    """Judge commands that did not succeed, by the last attempt."""
    last = left[-1]
    status: StepStatus = "failed"
    if last.outcome == "unanswered":
        status = "missing"
    elif last.outcome == "unknown" and not last.answers:
        status = "not-captured"
    attempts = dict.fromkeys(one.first()[0] for one in left)
    times = f" ({len(attempts)} attempts)" if len(attempts) > 1 else ""
    some = len(commands) - len(left)
    part = f"{len(left)} of {len(commands)} not done: " if some and not times else ""
    rows = [*attempts, *(reply.row for one in left for reply in one.answers)]
    seen = Seen.of(view, status, [*rows, *_refusals(view, left)], part + _short(view, last) + times)
    return seen._replace(partial=any(_good(view, one) for one in commands))


def _refusals(view: SessionView, commands: Sequence[Command]) -> list[int]:
    """Return the SIP answers that refused commands."""
    final = view.found.final
    return [final[one.transaction] for one in commands if one.transaction >= 0 and one.rejected()]


def _short(view: SessionView, command: Command) -> str:
    return view.outcomes.detail(command).partition(";")[0]


def _learned(stretch: Stretch, seen: Seen) -> Seen:
    """``rpl:requri`` must bring the URI of a Channel service."""
    lookups = stretch.view.lookups
    if any(lookups.get(reply.row) for one in stretch.named("requri") for reply in one.answers):
        return seen
    return seen._replace(status="failed", detail="rpl:requri brought no URI")


def _let_in(stretch: Stretch, seen: Seen) -> Seen:
    """Every room of ``bjoin`` must be let into: the reply is a success all the same."""
    view = stretch.view
    elements, reader = view.material.elements, view.material.reader
    asked: dict[str, None] = {}
    joined: set[str] = set()
    refused: dict[str, None] = {}
    for command in stretch.named("bjoin"):
        if command.element >= 0:
            asked.update(dict.fromkeys(view.outcomes.rooms(command)))
        for reply in command.answers:
            facts = reader.facts(reply.row, elements.position(reply.element))
            joined.update(facts.rooms)
            refused.update(dict.fromkeys(facts.failed))
    bad = [room for room in refused if room not in joined]
    told = {room.casefold() for room in (*joined, *refused)}
    silent = [room for room in asked if room.casefold() not in told]
    total = len(asked) or len({*joined, *refused})
    if bad:
        text = f"{len(bad)} of {total} rooms refused (OPERATION_FAILED): {_named(bad)}"
    elif silent and joined and stretch.gaps is None and not view.doubts:
        text = f"{len(silent)} of {total} rooms are in no reply: {_named(silent)}"
    else:
        return seen
    return seen._replace(status="failed", detail=text, partial=bool(joined))


def _named(rooms: Sequence[str]) -> str:
    more = f" and {len(rooms) - SHOWN} more" if len(rooms) > SHOWN else ""
    return ", ".join(rooms[:SHOWN]) + more


REFINED = {"requri": _learned, "bjoin": _let_in}
"""Commands of which a reply alone does not make a step done."""
