"""Posts: refused, lost, malformed, not copied to everybody.

The one rule: a post that was repeated and accepted was not lost; load and the repetition are told
by GC201. Copies are told by ``deliveries``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.commands import accepted
from analyzer.diagnostics import codes, deliveries
from analyzer.diagnostics.bodies import refused_as_busy, unreadable, why_unreadable
from analyzer.diagnostics.fates import PostReader, fates_of, rows_of_attempts
from analyzer.diagnostics.reading import final_row, rows_of, who
from analyzer.diagnostics.rule import Hit, Rule
from analyzer.times import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.commands import Command
    from analyzer.diagnostics.fates import Fate, Kind
    from analyzer.diagnostics.rule import Case, Confidence
    from analyzer.sessions.view import SessionView

GONE = 481
REPEATED_NS = 60 * SECOND
"""A client that repeats a post does so within a minute."""


def _called(view: SessionView, post: Command) -> str:
    """Return ``post of sip:ann@... into *Sales* in frame 12``."""
    rooms = view.outcomes.rooms(post)
    into = f" into {view.room_names.of(rooms[0])}" if rooms else ""
    return f"post of {who(view)}{into} in frame {view.frame(post.row)}"


def _answer(case: Case, fate: Fate) -> str:
    """Return what the last attempt was answered, with its diagnostics."""
    final = final_row(fate.view, fate.last)
    if final is None:
        return "was never answered"
    text = f"was answered {codes.answer_text(case.trace, final)} in frame {case.frame(final)}"
    times = len(fate.attempts)
    return text if times == 1 else f"{text}, like all {times} attempts"


def _of_kind(case: Case, kind: Kind) -> Iterator[Fate]:
    return (fate for fate in fates_of(case) if fate.kind == kind)


def _hit(fate: Fate, text: str, confidence: Confidence = "certain") -> Hit:
    rows = (*rows_of_attempts(fate.view, fate.attempts), *fate.evidence)
    return Hit(text, rows, fate.view.index, confidence)


def _refused(case: Case) -> Iterator[Hit]:
    for fate in _of_kind(case, "refused"):
        text = f"{_called(fate.view, fate.attempts[0])} {_answer(case, fate)}: it is lost"
        if fate.last.status == GONE:
            text += ", because the session had expired, and it was not posted again"
        yield _hit(fate, text)


def _lost(case: Case) -> Iterator[Hit]:
    for fate in _of_kind(case, "busy"):
        view = fate.view
        final = final_row(view, fate.last)
        left = view.visibility.time_left(fate.last.row if final is None else final)
        hole = view.visibility.hole_after(fate.last.row)
        sure: Confidence = "certain" if left >= REPEATED_NS and hole is None else "likely"
        again = "was not repeated" if len(fate.attempts) == 1 else "was given up then"
        text = (
            f"{_called(view, fate.attempts[0])} {_answer(case, fate)} and {again} in the "
            f"{left / SECOND:.1f} s that the capture goes on: it is lost"
        )
        yield _hit(fate, text, sure)


def _malformed(case: Case) -> Iterator[Hit]:
    for fate in _of_kind(case, "malformed"):
        text = f"{_called(fate.view, fate.attempts[0])} {_answer(case, fate)}: {fate.why}"
        yield _hit(fate, text, "likely")
    for view, row in unreadable(case):
        if refused_as_busy(case, view, row):
            yield _bad_xml(case, view, row)


def _bad_xml(case: Case, view: SessionView, row: int) -> Hit:
    final = view.found.final[view.found.of[row]]
    text = (
        f"message of {who(view)} in frame {case.frame(row)} was answered "
        f"{codes.answer_text(case.trace, final)}: its XML cannot be read"
        f"{why_unreadable(case, row)}"
    )
    return Hit(text, (row, final), view.index, "likely")


def _silent(case: Case) -> Iterator[Hit]:
    fates = list(_of_kind(case, "silent"))
    further_on = _accepted_further_on(case, fates) if fates else {}
    for fate in fates:
        view = fate.view
        left = view.visibility.time_left(fate.last.row) / SECOND
        text = (
            f"{_called(view, fate.attempts[0])} was never acknowledged: no answer to the INFO in "
            f"the {left:.1f} s that the capture goes on"
        )
        further = next((further_on[one.row] for one in fate.attempts if one.row in further_on), -1)
        if further < 0:
            yield _hit(fate, text)
            continue
        text += f", though the service accepted it on a further hop (frame {case.frame(further)})"
        hit = _hit(fate, text, "possible")
        yield hit._replace(rows=(*hit.rows, further), severity="warning")


def _accepted_further_on(case: Case, fates: list[Fate]) -> dict[int, int]:
    """Return the posts that were accepted on a further hop, each with the row of that answer."""
    found = fates[0].view.found
    sent = {one.row for fate in fates for one in fate.attempts}
    return {
        origin: found.final[found.of[copy]]
        for copy, origin in case.analysis.copy_of.items()
        if origin in sent and found.of[copy] >= 0 and accepted(found.status(found.of[copy]))
    }


def _too_long(case: Case) -> Iterator[Hit]:
    for fate in _of_kind(case, "too long"):
        text = f"{_called(fate.view, fate.attempts[0])} {_answer(case, fate)}: {fate.why}"
        yield _hit(fate, text, "likely")._replace(severity="error")
    reader = PostReader(case)
    for view in case.sessions:
        for post in view.named("grpchat"):
            if not post.post or post.element < 0 or not accepted(post.status):
                continue
            limit = reader.limit(view, post)
            if limit is None or reader.size(view, post) <= limit.size:
                continue
            size = reader.text_size(view, post)
            if size > limit.size:
                text = (
                    f"{_called(view, post)} was accepted, but its text has {size} bytes, and "
                    f"messageSizeLimit is {limit.size} (frame {case.frame(limit.row)}): the "
                    "service may cut or drop it"
                )
                yield Hit(text, (*rows_of(view, post), limit.row), view.index, "likely")


RULES: tuple[Rule, ...] = (
    Rule(
        "GC401",
        "error",
        "Post refused",
        "The INFO with the chat message was refused, and no later attempt was accepted: nobody "
        "in the room will see it.",
        "Read status and diagnostics of the answer; after 481 the client must start again from "
        "the lookup and post once more.",
        "Group Chat Call Flows, sign-in step 6; docs/protocol.md section 6.4",
        _refused,
    ),
    Rule(
        "GC402",
        "error",
        "Malformed post",
        "A chat message without time stamp, author or room, or whose XML is broken, is refused "
        "with 503 and 20000 (Chat service busy): it looks like overload, and is none.",
        "Correct the program that writes the message: ts, author and chanUri are required. "
        "Repeating it does not help.",
        "docs/protocol.md sections 2.8 and 5.3, section 9 row 6; SIPE",
        _malformed,
    ),
    Rule(
        "GC403",
        "warning",
        "Message too long",
        "The text of a post has more bytes than the service takes (messageSizeLimit of "
        "getserverinfo). It is an error where the post was refused.",
        "Write shorter messages, send a file, or raise the limit of the service. Bytes count, "
        "not characters: letters outside of ASCII have two to four.",
        "docs/protocol.md section 9 row 15; SDK",
        _too_long,
    ),
    *deliveries.RULES,
    Rule(
        "GC408",
        "error",
        "Post never acknowledged",
        "SIP never answered the INFO with the chat message, which is the only acknowledgement "
        "that a post has. The user cannot know whether it arrived.",
        "Look for the message in the log of the front end and of the Channel service; check "
        "whether the dialog or the connection was dead.",
        "docs/protocol.md section 2.6; RFC 3261 section 17.1.2",
        _silent,
        absence=True,
    ),
    Rule(
        "GC409",
        "error",
        "Post answered 503 and lost",
        "The post was answered 503, and the client did not repeat it until it was accepted, as "
        "it should: nobody in the room will see it.",
        "Post the message again. Look for the cause: load (GC204), or a message that could not be "
        "read.",
        "Group Chat Call Flows, sign-in step 6; docs/protocol.md section 9 row 5",
        _lost,
        absence=True,
    ),
)
