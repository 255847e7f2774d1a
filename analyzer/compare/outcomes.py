"""What became of an exchange: one value that compares, and the words for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.compare.values import Outcome
from analyzer.outcomes import diagnosis
from analyzer.sessions.rooms import is_good
from analyzer.states import status_text
from analyzer.transaction_table import FAILURE, FINAL, NO_ANSWER
from dissectors.sip.ms_headers import ms_diagnostics

if TYPE_CHECKING:
    from analyzer.commands import Command
    from analyzer.compare.source import Source

SENT = Outcome(well=True, known=True, key=("sent",), words="has it", frames=())
"""Of a request that nobody answers: ACK, BENOTIFY."""
LOST = "lost"
NO_REQUEST = "its request is not in the capture"


def sip_outcome(source: Source, index: int, ended: int | None = None) -> Outcome:
    """Return the outcome of a SIP transaction.

    Args:
        source: the side.
        index: number of the transaction.
        ended: row of the BYE that ended its dialog.
    """
    found = source.view.found
    request, final = found.request[index], found.final[index]
    if final >= 0:
        return _answered(source, final)
    if found.method(index) in NO_ANSWER:
        return SENT._replace(frames=(source.rows.frame[request],))
    reason = NO_REQUEST if request < 0 else source.view.visibility.why_unknown(request, ended)
    frames = () if request < 0 else (source.rows.frame[request],)
    if reason is not None:
        return Outcome(well=False, known=False, key=("unknown",), words=reason, frames=frames)
    return Outcome(well=False, known=True, key=("silence",), words="never answered", frames=frames)


def _answered(source: Source, final: int) -> Outcome:
    status = source.rows.status[final]
    frames = (source.rows.frame[final],)
    text = f"answered {status_text(source.trace, final)}"
    if FINAL <= status < FAILURE:
        return Outcome(well=True, known=True, key=(str(status),), words=text, frames=frames)
    key = (str(status), *_diagnostics(source, final))
    text += diagnosis(source.trace, final)
    return Outcome(well=False, known=True, key=key, words=text, frames=frames)


def _diagnostics(source: Source, row: int) -> tuple[str, ...]:
    message = source.message(row)
    if message is None:
        return ()
    return tuple(str(found.id) for _, found in ms_diagnostics(message.headers)[:1])


def command_outcome(source: Source, command: Command) -> Outcome:
    """Return the outcome of a command or post."""
    view = source.view
    if command.answers:
        return _replied(source, command)
    if command.outcome in {"rejected", "accepted"}:
        return sip_outcome(source, command.transaction)
    frame = (view.frame(source.near(command.row)),)
    detail = view.outcomes.detail(command)
    if command.outcome == "unanswered":
        accepted = command.status is not None
        words = "accepted by SIP, but no reply came" if accepted else "never answered"
        key = ("no reply",) if accepted else ("silence",)
        return Outcome(well=False, known=True, key=key, words=words, frames=frame)
    return Outcome(well=False, known=False, key=("unknown",), words=detail, frames=frame)


def _replied(source: Source, command: Command) -> Outcome:
    outcomes = source.view.outcomes
    codes = [outcomes.code(one) for one in command.answers]
    bad = [at for at, code in enumerate(codes) if not is_good(code)]
    told = command.answers[bad[0] if bad else 0]
    text = source.view.material.elements.text("text", told.element) or ""
    code = codes[bad[0] if bad else 0] or ""
    words = " ".join(part for part in (outcomes.answer_id(told), code, text) if part)
    key = tuple(sorted({code or "" for code in codes}))
    refused = command.rejected()
    if refused:
        sip = sip_outcome(source, command.transaction)
        key, words = (*sip.key, *key), f"{sip.words.removeprefix('answered ')}, and then {words}"
    frame = source.view.frame(source.near(told.row))
    return Outcome(
        well=not bad and not refused,
        known=True,
        key=("reply", *key),
        words=f"answered {words}",
        frames=(frame,),
    )


def delivery_outcome(source: Source, index: int, row: int) -> Outcome:
    """Return the outcome of something that the service sent: it came, and how it was answered."""
    frames = (source.rows.frame[row],)
    status = source.view.found.status(index) if index >= 0 else None
    if status is not None and not FINAL <= status < FAILURE:
        final = source.view.found.final[index]
        words = f"came, and was answered {status_text(source.trace, final)}"
        return Outcome(well=False, known=True, key=(str(status),), words=words, frames=frames)
    return Outcome(well=True, known=True, key=("came",), words="came", frames=frames)
