"""Messages of a session, of a dialog, and of what findings are about."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from analyzer.filters.words import session_number
from analyzer.named import dialog_named, findings_named

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from analyzer.filters.facts import Facts


def of_session(facts: Facts, text: str) -> Collection[int]:
    """Return the messages of a session, hop copies too. Raises ValueError where there is none."""
    index, count = session_number(text) - 1, len(facts.scene.views)
    if index >= count:
        raise ValueError(f"there is no session {index + 1}: the capture has {count}")
    return {row for row, session in enumerate(facts.session) if session == index}


def of_dialog(facts: Facts, text: str) -> Collection[int]:
    """Return the messages of a dialog, hop copies too. Raises ValueError where there is none."""
    return set(dialog_named(facts.trace, text))


def of_evidence(facts: Facts, text: str) -> Collection[int]:
    """Return what findings rest on. Raises ValueError where there is no such finding here."""
    return set(_evidence(facts, text))


def of_finding(facts: Facts, text: str) -> Collection[int]:
    """Return the dialogs of what findings rest on; of messages in none, their transactions.

    As ``xccos ladder --finding``. Raises ValueError where there is no such finding here.
    """
    scene = facts.scene
    found: set[int] = set()
    for row in _evidence(facts, text):
        place = scene.places.get(row)
        dialog = None if place is None else place.dialog
        found.update((row,) if dialog is None else (*dialog.rows, *dialog.copies))
    found = scene.exchanges(found)
    return {one for row in found for one in scene.seen(scene.origin(row))}


def _evidence(facts: Facts, text: str) -> Iterator[int]:
    frames = facts.rows.frame
    for one in findings_named(facts.findings, text):
        for frame in one.frames:
            yield from range(bisect_left(frames, frame), bisect_right(frames, frame))
