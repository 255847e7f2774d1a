"""The capture itself: what is missing from it, and what could not be read.

The one rule: what concerns no SIP session is no finding. Each says what it makes uncertain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.commands import accepted
from analyzer.diagnostics import tls_closed
from analyzer.diagnostics.reading import dialog_of, listed, who
from analyzer.diagnostics.rule import Hit, Rule
from analyzer.transaction_table import NO_ANSWER
from analyzer.views.quality import damage
from dissectors.notes import HOLE, TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from analyzer.commands import Command
    from analyzer.diagnostics.rule import Case
    from analyzer.sessions.view import SessionView

SHOWN_FRAMES = 20
CHAT_ROLES = ("lookup", "channel")
CUT_FRAMES = "cut frames"
"""The counter of frames that a snap length cut."""


def _connections(case: Case) -> Iterator[tuple[int, list[SessionView]]]:
    """Yield the connections of all sessions in order, each with the sessions that used it."""
    used: dict[int, list[SessionView]] = {}
    for view in case.sessions:
        for connection in view.connections:
            used.setdefault(connection, []).append(view)
    yield from sorted(used.items())


def _session_of(views: list[SessionView]) -> int | None:
    """Return the session that a connection belongs to, where it is that of one only."""
    return views[0].index if len(views) == 1 else None


def _users(views: list[SessionView]) -> str:
    return listed(list(dict.fromkeys(who(view) for view in views)))


def _holes(case: Case) -> Iterator[Hit]:
    streams = case.trace.connections
    lengths: dict[int, int] = {}
    for hole in case.trace.quality.holes:
        lengths[hole.stream >> 1] = lengths.get(hole.stream >> 1, 0) + hole.length
    if not lengths:
        return
    for connection, views in _connections(case):
        frames = views[0].visibility.holes(connection)
        if not frames:
            continue
        one = streams[connection]
        size = f" ({lengths[connection]:,} bytes or more)" if lengths.get(connection) else ""
        shown = ("frames " if len(frames) > 1 else "frame ") + listed([str(one) for one in frames])
        text = (
            f"{len(frames)} hole{'s' if len(frames) > 1 else ''}{size} in the connection "
            f"{one.opener} to {one.responder}, used by {_users(views)}, before "
            f"{shown}: what seems to be missing there may only not have been captured"
        )
        yield Hit(text, (), _session_of(views), frames=frames[:SHOWN_FRAMES])


def _one_way(case: Case) -> Iterator[Hit]:
    connections = case.trace.connections
    lonely = {
        number: views
        for number, views in _connections(case)
        if connections[number].transport != "udp" and min(connections[number].messages) == 0
    }
    waiting = _waiting(case, lonely) if lonely else {}
    for number, row in waiting.items():
        one = connections[number]
        src, dst = one.opener, one.responder
        if not one.messages[0]:
            src, dst = dst, src
        text = (
            f"only what {src} sent to {dst} was captured of a connection of "
            f"{_users(lonely[number])}: the answers, and all that the other side asked, may exist "
            "and are not there"
        )
        yield Hit(text, (row,), _session_of(lonely[number]))


def _waiting(case: Case, connections: Container[int]) -> dict[int, int]:
    """Return for each connection the first row that shows that there was another direction.

    A connection may carry nothing but notifications without answers: it has none.
    """
    rows = case.rows
    found: dict[int, int] = {}
    silent = {rows.strings.find(name) for name in NO_ANSWER}
    methods, status = rows.method, rows.status
    for row, stream in enumerate(rows.stream):
        connection = stream >> 1
        if connection not in connections or connection in found:
            continue
        if status[row] >= 0 or methods[row] not in silent:
            found[connection] = row
    return found


def _late(case: Case) -> Iterator[Hit]:
    for view in case.sessions:
        if not view.late or not _is_chat(view):
            continue
        running = [one for one in view.dialogs if not one.began_in_capture]
        first = min(running or view.dialogs, key=lambda one: one.started)
        where = f"(first seen in frame {case.frame(first.rows[0])})"
        if running or view.registrations:
            text = (
                f"the session of {who(view)} was going on before the capture began {where}: what "
                "came before is not captured, which does not mean that it was missing"
            )
        else:
            text = (
                f"the sign-in (REGISTER) of {who(view)} is not captured {where}: it came before "
                "the capture, or does not pass where it was taken"
            )
        yield Hit(text, (first.rows[0],), view.index)


def _is_chat(view: SessionView) -> bool:
    """Say whether it is the session of a chat client: others' beginnings are of no interest."""
    return bool(view.commands) or any(view.of_role(role) for role in CHAT_ROLES)


def _cut(case: Case) -> Iterator[Hit]:
    count = case.trace.quality.counters.get(CUT_FRAMES, 0)
    if not count:
        return
    broken = [row for row, notes in enumerate(case.rows.notes) if notes & (HOLE | TRUNCATED)]
    if not broken:
        return
    text = (
        f"{count} frame{'s' if count > 1 else ''} cut short when captured (snap length): "
        f"{len(broken)} SIP message{'s' if len(broken) > 1 else ''} incomplete, what they said "
        "is partly unknown"
    )
    yield Hit(text, tuple(broken[:SHOWN_FRAMES]))


def _damaged(case: Case) -> Iterator[Hit]:
    quality = case.trace.quality
    if quality.damaged:
        frames = [
            one.frame
            for one in quality.problems
            if one.layer == "capture" and one.frame is not None
        ]
        text = (
            f"the capture file is damaged: {damage(quality)}; what comes after that place may "
            "be missing"
        )
        yield Hit(text, (), frames=tuple(frames[:1]))


def _waits_at_end(case: Case) -> Iterator[Hit]:
    for view in case.sessions:
        waiting = [one for one in view.commands if _waits(view, one)]
        if waiting:
            names = [
                f"{'post' if one.post else one.name} (frame {view.frame(one.row)})"
                for one in waiting
            ]
            text = (
                f"the capture ends while {listed(names)} of {who(view)} "
                f"{'wait' if len(waiting) > 1 else 'waits'} for an answer: whether it came is "
                "unknown"
            )
            rows = dict.fromkeys(one.row for one in waiting)
            yield Hit(text, tuple(rows)[:SHOWN_FRAMES], view.index)


def _waits(view: SessionView, command: Command) -> bool:
    """Say whether a command is without answer for no other reason than the end of the capture."""
    if command.element < 0 or command.outcome != "unknown" or command.answers:
        return False
    if command.status is not None and (command.post or not accepted(command.status)):
        return False
    connection = view.trace.rows.stream[command.row] >> 1
    visible = view.visibility
    if visible.closed(connection) or visible.one_way(connection):
        return False
    dialog = dialog_of(view, command)
    over = dialog is not None and dialog.end.row is not None and dialog.end.row > command.row
    return not over and visible.hole_after(command.row) is None


RULES: tuple[Rule, ...] = (
    Rule(
        "GC901",
        "warning",
        "Holes in a SIP connection",
        "Bytes of a connection of a session are not in the capture: packets were dropped by the "
        "capturing computer or the mirror port. Findings that something did not happen are less "
        "sure for its sessions.",
        "Capture with a larger buffer (tcpdump -B), to a fast disk, with a filter for the hosts "
        "concerned; check the counters of the mirror port.",
        "docs/design.md",
        _holes,
    ),
    Rule(
        "GC902",
        "warning",
        "Only one direction captured",
        "Of a SIP connection only one side's messages are in the capture: the mirror port or the "
        "filter takes one direction, or another path was used for the other. No answer, reply or "
        "copy of that connection can be called missing.",
        "Mirror both directions (rx and tx); capture on the host itself.",
        "docs/design.md",
        _one_way,
    ),
    Rule(
        "GC903",
        "note",
        "The capture begins after the session did",
        "Dialogs were going on when the capture began: the steps before are not captured, which "
        "is not the same as missing.",
        "Start the capture before the client signs in.",
        "docs/design.md",
        _late,
    ),
    Rule(
        "GC904",
        "warning",
        "Frames cut by the snap length",
        "The capture kept only the beginning of frames, and SIP messages lost their ends: "
        "commands and texts in them are unknown.",
        "Capture whole frames (tcpdump -s 0).",
        "docs/design.md",
        _cut,
    ),
    *tls_closed.RULES,
    Rule(
        "GC906",
        "warning",
        "The capture file is damaged",
        "The file breaks off or is not well-formed at a place; what could be read before (and "
        "behind, where reading resumed) is shown.",
        "Repeat the transfer of the file in binary mode, or the capture.",
        "docs/design.md",
        _damaged,
    ),
    Rule(
        "GC907",
        "note",
        "The capture ends while a command waits",
        "A command was sent shortly before the end of the capture; its answer, if there was one, "
        "came after it.",
        "Let the capture run a minute longer.",
        "docs/design.md",
        _waits_at_end,
    ),
)
