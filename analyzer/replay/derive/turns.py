"""The turns of a script, from messages whose slots are marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.replay.derive.expectations import expectations
from analyzer.replay.derive.order import Order
from analyzer.replay.derive.taking import template
from analyzer.replay.script import Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.replay.derive.book import Book
    from analyzer.replay.derive.recording import Recording
    from analyzer.replay.derive.said import Said
    from analyzer.rows import Rows

FINAL = 200


def _time(rows: Rows, one: Said) -> int:
    """Return when a message was said: no answer before its request."""
    return max(rows.time[one.row], rows.time[one.row if one.asked is None else one.asked])


def turns_of(
    recording: Recording, messages: Sequence[Said], book: Book, roles: dict[str, str]
) -> tuple[Turn, ...]:
    """Return the turns in the order of the recording; ``roles``: of dialogs by id."""
    order = Order(recording, messages, roles, book)
    names = {one.row: one.turn for one in messages}
    rows = recording.trace.rows
    found = []
    for one in messages:
        before = order.of(one)
        status = one.message.status
        found.append(
            Turn(
                id=one.turn,
                speaker=one.voice.speaker,
                listener=one.voice.listener,
                connection=one.voice.connection,
                dialog=one.dialog,
                message=template(one),
                at_ms=recording.milliseconds(_time(rows, one)),
                frame=rows.frame[one.row],
                answers=None if one.asked is None else names.get(one.asked),
                cause=before.cause,
                after=before.after,
                expect=expectations(one, book) if one.live else (),
                optional=status is not None and status < FINAL,
                live=one.live,
                copy_of=None if one.voice.copy_of is None else names.get(one.voice.copy_of),
            )
        )
    return tuple(found)
