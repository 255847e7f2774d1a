"""Time: slow steps and commands, clocks that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analyzer.commands import accepted
from analyzer.diagnostics import codes
from analyzer.diagnostics.clocks import Reading, readings_of
from analyzer.diagnostics.reading import final_row, milliseconds, rows_of, who
from analyzer.diagnostics.rule import Hit, Rule
from analyzer.diagnostics.thresholds import Thresholds
from analyzer.times import duration_text, latency_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from analyzer.commands import Command
    from analyzer.diagnostics.rule import Case, Confidence
    from analyzer.flows.values import FlowRun, FlowStep
    from analyzer.sessions.view import SessionView

SKEW = 1013
"""Significant time skew during authentication ([MS-OCER])."""
FAILED = 400
COPIES = ("posting", "5")
"""A step that GC405 tells about, copy by copy."""
SHOWN_ROWS = 8
AGREE_NS = 10_000_000_000
"""Clocks so near to one another are taken for right, and the capture's for wrong."""


def _slow_steps(case: Case) -> Iterator[tuple[FlowRun, FlowStep]]:
    """Yield the slow steps of all flows.

    A flow has limits of its own; a threshold that a person sets goes before them.
    """
    limit = case.thresholds.slow_ms
    given = limit != Thresholds().slow_ms
    for run in case.flows:
        for step in run.steps:
            slow = step.status == "slow" or (given and step.status in {"ok", "out-of-order"})
            if not slow or step.latency_ms is None or (run.flow, step.id) == COPIES:
                continue
            if step.latency_ms >= limit or not given:
                yield run, step


def _slow_step(case: Case) -> Iterator[Hit]:
    views = {view.index: view for view in case.sessions}
    for run, step in _slow_steps(case):
        view = views.get(run.session)
        commands = [] if view is None else _commands_in(view, step)
        names = ", ".join(dict.fromkeys(one.name for one in commands))
        called = f"{step.title} ({names})" if names and names not in step.title else step.title
        text = (
            f"step {step.id} of the {run.flow} of {run.user or 'a client'}, {called}, took "
            f"{latency_text(step.latency_ms)}: {_without_limit(step.detail)}"
        )
        rows = [] if view is None else [row for one in commands for row in rows_of(view, one)]
        yield Hit(text, tuple(dict.fromkeys(rows)), run.session, frames=step.frames)


def _without_limit(detail: str) -> str:
    """Return the sentence of a slow step without the remark that it was slow."""
    return detail.partition(": ")[2] if detail.startswith("slow, ") else detail


def _commands_in(view: SessionView, step: FlowStep) -> list[Command]:
    """Return the commands that a step cites."""
    frames = set(step.frames)
    return [one for one in view.commands if one.element >= 0 and view.frame(one.row) in frames]


def _slow_command(case: Case) -> Iterator[Hit]:
    limit, told = case.thresholds.slow_ms, None
    for view in case.sessions:
        for command in view.commands:
            taken = _taken(view, command)
            if taken is None or taken < limit:
                continue
            if told is None:
                told = {
                    (run.session, frame) for run, step in _slow_steps(case) for frame in step.frames
                }
            frame = view.frame(command.row)
            if (view.index, frame) not in told:
                done = "acknowledged" if command.post else "answered"
                name = "post" if command.post else command.name
                text = f"{name} of {who(view)} in frame {frame} was {done} after "
                yield Hit(text + latency_text(taken), rows_of(view, command), view.index)


def _taken(view: SessionView, command: Command) -> float | None:
    """Return the milliseconds from a command to its first reply, of a post to its SIP answer."""
    if command.element < 0:
        return None
    if command.post:
        final = final_row(view, command) if accepted(command.status) else None
        return None if final is None else milliseconds(view.time(final), view.time(command.row))
    if not command.answers:
        return None
    first = min(answer.row for answer in command.answers)
    return milliseconds(view.time(first), view.time(command.row))


class _Clock(NamedTuple):
    """One server's clock."""

    server: str
    role: str
    offset: int
    """Nanoseconds ahead of the capture."""
    readings: tuple[Reading, ...]

    @property
    def rows(self) -> tuple[int, ...]:
        """The first messages that show it."""
        return tuple(dict.fromkeys(one.row for one in self.readings))[:SHOWN_ROWS]

    @property
    def what(self) -> str:
        """Where it stands in them: ``serverTime, ts``."""
        return ", ".join(dict.fromkeys(one.what for one in self.readings))

    def apart(self) -> str:
        """Return ``17 min 3 s ahead of``."""
        return f"{duration_text(abs(self.offset))} {'ahead of' if self.offset > 0 else 'behind'}"


def _clocks(case: Case) -> list[_Clock]:
    servers: dict[str, list[Reading]] = {}
    for reading in readings_of(case):
        servers.setdefault(reading.server, []).append(reading)
    found = []
    for server, readings in servers.items():
        # serverTime and Date are the server's own; ts may be that of an author.
        best = [one for one in readings if one.what != "ts"] or readings
        offset = sorted(one.offset for one in best)[(len(best) - 1) // 2]
        found.append(_Clock(server, readings[0].role, offset, tuple(best + _ts(readings, best))))
    return found


def _ts(readings: Sequence[Reading], best: Sequence[Reading]) -> list[Reading]:
    return [one for one in readings if one not in best] if len(best) < len(readings) else []


def _skew(case: Case) -> Iterator[Hit]:
    limit = case.thresholds.clock_skew_ms * 1e6
    clocks = _clocks(case)
    off = [clock for clock in clocks if abs(clock.offset) >= limit]
    own = len(clocks) > 1 and len(off) == len(clocks) and _agree([one.offset for one in off])
    right = [clock for clock in clocks if abs(clock.offset) < limit]
    for clock in off:
        only_ts = all(one.what == "ts" for one in clock.readings)
        sure: Confidence = "possible" if only_ts and len(clock.readings) < 2 else "likely"
        text = (
            f"clock skew: the clock of the {clock.role} {clock.server} is {clock.apart()} the "
            f"capture ({clock.what} in frames "
            f"{', '.join(str(case.frame(row)) for row in clock.rows)})"
        )
        if own:
            sure = "possible"
            text += "; all servers agree, so that the clock of the capture may be the wrong one"
        elif right:
            text += f"; that of the {right[0].role} {right[0].server} agrees with the capture"
        yield Hit(text, clock.rows, clock.readings[0].session, sure)
    yield from _refused_for_skew(case)


def _agree(offsets: Sequence[int]) -> bool:
    return max(offsets) - min(offsets) <= AGREE_NS


def _refused_for_skew(case: Case) -> Iterator[Hit]:
    """Yield refusals for the clock (1013)."""
    for view in case.sessions:
        found = view.found
        registered = [one for each in view.registrations for one in each.transactions]
        others = [one for dialog in view.dialogs for one in dialog.group.notable]
        for index in dict.fromkeys((*registered, *others)):
            final = found.final[index]
            if final >= 0 and case.rows.status[final] >= FAILED and _is_skew(case, final):
                row = found.first[index]
                text = (
                    f"{found.method(index)} of {who(view)} in frame {case.frame(row)} was "
                    f"refused for clock skew: {codes.answer_text(case.trace, final)}"
                )
                yield Hit(text, tuple(dict.fromkeys((row, final))), view.index)


def _is_skew(case: Case, final: int) -> bool:
    if b"1013" not in case.trace.raw(final):
        return False  # most have not: parsing all challenges would cost twenty times as much
    code = codes.diagnostics_of(case.trace, final)
    return code is not None and code.id == SKEW


def _servers_apart(case: Case) -> Iterator[Hit]:
    limit = case.thresholds.clock_skew_ms * 1e6
    clocks = sorted(_clocks(case), key=lambda one: one.offset)
    if len(clocks) < 2 or clocks[-1].offset - clocks[0].offset < limit:
        return
    behind, ahead = clocks[0], clocks[-1]
    if (abs(behind.offset) >= limit) != (abs(ahead.offset) >= limit):
        return  # the capture agrees with one of them: GC603 tells of the other
    text = (
        f"the clocks of the {behind.role} {behind.server} ({behind.what}) and the {ahead.role} "
        f"{ahead.server} ({ahead.what}) are {duration_text(ahead.offset - behind.offset)} apart"
    )
    yield Hit(text, (*behind.rows, *ahead.rows), ahead.readings[0].session, "likely")


RULES: tuple[Rule, ...] = (
    Rule(
        "GC601",
        "warning",
        "Slow step",
        "A step of a documented flow took longer than its limit (threshold slow_ms). Servers "
        "that are well answer within milliseconds; the user waits for the sum of all steps.",
        "Look at what answered late: the front end (REGISTER, SUBSCRIBE, SERVICE), the Lookup "
        "service (requri), or the Channel service and its database (all else).",
        "docs/protocol.md section 9 row 22; Group Chat Call Flows",
        _slow_step,
    ),
    Rule(
        "GC602",
        "warning",
        "Slow command",
        "A command outside of the documented flows was answered late, or a post acknowledged "
        "late (threshold slow_ms).",
        "Look at the Channel service and its database at that time.",
        "docs/protocol.md section 9 row 22",
        _slow_command,
    ),
    Rule(
        "GC603",
        "warning",
        "Clock skew",
        "The clock of a server (serverTime of getserverinfo, Date of challenges, time stamps of "
        "delivered posts) and that of the capture are further apart than clock_skew_ms. "
        "Authentication fails from 5 minutes (Kerberos) or 15 minutes (NTLM) on, and posts are "
        "shown in the wrong order.",
        "Compare the clocks with a time server; the capture's may be the wrong one.",
        "docs/protocol.md section 6.3 and section 9 row 16; [MS-SIP]",
        _skew,
    ),
    Rule(
        "GC604",
        "warning",
        "Clocks of servers differ",
        "Two servers of the capture have clocks further apart than clock_skew_ms, and the clock "
        "of the capture agrees with neither or with both: they do not use one time server.",
        "Let all servers of the pools use one time source.",
        "docs/protocol.md section 6.3 and section 9 row 16",
        _servers_apart,
    ),
)
