"""Commands: replies that are missing, refused, doubled, cut or strange.

The one rule: SIP's 200 to a command only says that it was accepted; what became of it is said by
the reply alone. Joins are told by ``rooms``, file
tokens by ``files``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from analyzer.diagnostics import bodies, preferences, rooms
from analyzer.diagnostics.reading import (
    answer_nodes,
    dialog_of,
    later_ones,
    limit_in,
    listed,
    rejected_for_itself,
    rows_of,
    server_infos,
    who,
)
from analyzer.diagnostics.rule import Hit, Rule
from analyzer.sessions.rooms import JOINING, is_good
from analyzer.times import SECOND
from dissectors.xccos.catalogue import known

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.commands import Command
    from analyzer.diagnostics.rule import Case, Confidence, Severity
    from analyzer.sessions.view import SessionView

TOKENS = ("getfutok", "getfdtok")
"""Commands that GC501 tells about."""
SEVERAL = frozenset({"bjoin", "bccontext"})
"""Commands that several replies answer: history comes in as many INFOs as it needs."""
GIVEN_UP_NS = SECOND
"""A client that ends the dialog so soon after a command did not wait for its reply."""


def _unanswered(case: Case) -> Iterator[Hit]:
    for view in case.sessions:
        waiting: dict[tuple[int, str], list[Command]] = {}
        for command in view.commands:
            if command.outcome == "unanswered" and not command.post and command.element >= 0:
                waiting.setdefault((command.row, command.name), []).append(command)
        for (_, name), commands in waiting.items():
            first = commands[0]
            if name not in TOKENS and not _repeated(view, first) and not _given_up(view, first):
                yield _unanswered_hit(view, commands)


def _unanswered_hit(view: SessionView, commands: list[Command]) -> Hit:
    first = commands[0]
    evidenced = known(f"cmd:{first.name}") is not None
    severity: Severity | None = None if evidenced else "warning"
    what = f"{len(commands)} commands {first.name}" if len(commands) > 1 else first.name
    named = view.outcomes.rooms(first)
    of = f" of {view.room_names.of_all(named)}" if named else ""
    text = f"{what}{of} of {who(view)} in frame {view.frame(first.row)} never got a reply: "
    text += view.outcomes.detail(first)
    later = _done_later(view, first)
    if later is not None:
        severity = "warning"
        text += f"; asked again in frame {view.frame(later.row)}, and answered then"
    if not evidenced:
        text += "; whether this command is answered at all is not known"
    sure: Confidence = "certain" if evidenced else "possible"
    return Hit(text, rows_of(view, first), view.index, sure, severity=severity)


def _repeated(view: SessionView, command: Command) -> bool:
    """Say whether the same envelope was sent again and answered: then nothing was lost."""
    return command.repeated is not None and any(
        one.key == command.key and one.outcome == "answered" for one in later_ones(view, command)
    )


def _done_later(view: SessionView, command: Command) -> Command | None:
    """Return the command that asked the same again and was answered.

    Preferences are told apart by their labels, which an outcome does not have: of them none.
    """
    if command.name in {"getpref", "setpref"}:
        return None
    asked = view.outcomes.rooms(command)
    for one in later_ones(view, command):
        if one.outcome == "answered" and view.outcomes.rooms(one) == asked:
            return one
    return None


def _given_up(view: SessionView, command: Command) -> bool:
    """Say whether the client itself ended the dialog before a reply could be expected."""
    dialog = dialog_of(view, command)
    if dialog is None or dialog.end.row is None or dialog.end.ended_by != "BYE from client":
        return False
    return 0 <= view.time(dialog.end.row) - view.time(command.row) < GIVEN_UP_NS


def _refused(case: Case) -> Iterator[Hit]:
    for view in case.sessions:
        refusals: dict[tuple[int, str], list[Command]] = {}
        for command in view.commands:
            if command.post or command.name in TOKENS or command.name == "requri":
                continue
            if _is_refused(view, command) or _is_rejected(case, view, command):
                key = (command.first()[0], view.outcomes.detail(command).partition(" in ")[0])
                refusals.setdefault(key, []).append(command)
        for commands in refusals.values():
            first, name = commands[0], commands[0].name
            what = f"{len(commands)} commands {name}" if len(commands) > 1 else name
            frame = view.frame(first.first()[0])
            text = f"{what} of {who(view)} in frame {frame}: {view.outcomes.detail(first)}"
            rows = [row for one in commands for row in rows_of(view, one)]
            yield Hit(text, tuple(dict.fromkeys(rows)), view.index)


def _is_refused(view: SessionView, command: Command) -> bool:
    return not all(is_good(view.outcomes.code(answer)) for answer in command.answers)


def _is_rejected(case: Case, view: SessionView, command: Command) -> bool:
    """Say whether SIP refused a command, not a join, in a way that nothing else tells."""
    return command.name not in JOINING and rejected_for_itself(case, view, command)


def _truncated_search(case: Case) -> Iterator[Hit]:
    for view in case.sessions:
        searches = [one for one in view.named("chansrch") if one.answers]
        if not searches:
            continue
        limit, row = _search_limit(case, view)
        if row is None:
            continue
        for command in searches:
            found = sum(1 for _ in answer_nodes(case, command, "chanib"))
            if found >= limit:
                text = (
                    f"the search of {who(view)} in frame {view.frame(command.first()[0])} found "
                    f"{found} rooms, as many as the service returns at most "
                    f"(searchLimit {limit}, frame {view.frame(row)})"
                )
                yield Hit(text, (*rows_of(view, command), row), view.index, "likely")


def _search_limit(case: Case, view: SessionView) -> tuple[int, int | None]:
    """Return the greatest number of rooms that a search returns, and the row that says so."""
    for _, row, told in server_infos(case, view):
        limit = limit_in(told, "searchLimit")
        if limit is not None:
            return limit, row
    return 0, None


def _misnamed(case: Case) -> Iterator[Hit]:
    for view in case.sessions:
        for command in view.commands:
            if command.name_mismatch:
                names = sorted({view.outcomes.answer_id(answer) for answer in command.answers})
                text = (
                    f"{command.name} of {who(view)} in frame {view.frame(command.first()[0])} "
                    f"was answered by {listed(names)}, which names it in its commandid"
                )
                yield Hit(text, rows_of(view, command), view.index)


def _answered_twice(case: Case) -> Iterator[Hit]:
    for view in case.sessions:
        twice = [one for one in view.commands if _has_too_many(one)]
        shared = _shared_keys(view) if twice else set()
        for command in twice:
            if (command.dialog, command.key) in shared:
                continue
            frames = [str(view.frame(answer.row)) for answer in command.answers]
            text = (
                f"{command.name} of {who(view)} in frame {view.frame(command.row)} was answered "
                f"{len(frames)} times (frames {listed(frames)})"
            )
            sure: Confidence = "certain" if command.paired_by == "commandid" else "possible"
            yield Hit(text, rows_of(view, command), view.index, sure)


def _has_too_many(command: Command) -> bool:
    several = len(command.answers) > 1 and command.name not in SEVERAL
    return several and command.element >= 0 and not command.name_mismatch


def _shared_keys(view: SessionView) -> set[tuple[int, tuple[int, int]]]:
    """Return dialog, envid and seqid that several commands have: a reply may be any's.

    A command that was refused and sent again is one of them only.
    """
    taken = Counter(
        (one.dialog, one.key)
        for one in view.commands
        if one.element >= 0 and not one.post and not one.rejected()
    )
    return {key for key, count in taken.items() if count > 1}


RULES: tuple[Rule, ...] = (
    Rule(
        "GC301",
        "error",
        "Command without a reply",
        "SIP accepted the command, and the service never sent the reply that is due in an INFO of "
        "its own. The client waits: what needs the reply (rooms, history, a token) does not "
        "happen. A command that SIP did not answer at all is told here too.",
        "Look at the Channel service and its database at that time (event 53530, long queries), "
        "and at the front end's log for an INFO that was not forwarded.",
        "Group Chat Call Flows, sign-in step 6; docs/protocol.md section 9 row 9",
        _unanswered,
        absence=True,
    ),
    Rule(
        "GC302",
        "error",
        "Command refused",
        "The reply carries a code other than 200, or SIP refused the INFO that carried the "
        "command for a reason of its own. The text of the reply is what the client shows.",
        "Read the text of the reply; check that the user may do this, and that the room or "
        "object still exists.",
        "docs/protocol.md sections 2.5 and 5.1",
        _refused,
    ),
    Rule(
        "GC305",
        "note",
        "Search truncated",
        "A search found as many rooms as the service returns at most, as getserverinfo told it: "
        "there are probably more, which the user does not see.",
        "Search with more of the name, or raise the limit of the service.",
        "docs/protocol.md section 9 row 14; SDK",
        _truncated_search,
    ),
    Rule(
        "GC306",
        "note",
        "Reply of another name",
        "A reply names a command by its commandid, but has the name of another one. Known aliases "
        "(getftok, getservinfo) are none of these.",
        "Check the version of the service, and what stands between client and service.",
        "docs/protocol.md section 2.5",
        _misnamed,
    ),
    Rule(
        "GC307",
        "warning",
        "Command answered twice",
        "Several replies name one command that only one answers. Copies of one message on several "
        "hops, and the history that a join brings in several INFOs, are not counted.",
        "Look for two instances of the service that serve one dialog, and for a client that "
        "uses an envid twice.",
        "docs/protocol.md section 2.6",
        _answered_twice,
    ),
    *rooms.RULES,
    *preferences.RULES,
    *bodies.RULES,
)
