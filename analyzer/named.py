"""What people name of a capture to choose a part of it: sessions, dialogs, runs, findings, frames.

The same words mean the same to every command. What is not there is a ValueError with one line.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from analyzer.meaning import outline
from analyzer.query import call_id_test, user_test

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from analyzer.diagnostics.rule import Finding
    from analyzer.flows.values import FlowRun
    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace

Span = tuple[int, int]
"""First and last, inclusive."""
MAX_FRAME = 2**63
MAX_DIGITS = 9
"""Of a number that somebody types; what is cut off is out of range anyway."""


def parse_frames(text: str) -> tuple[Span, ...]:
    """Read ``4,6,8-13,20-``. Raises ValueError with one line for people."""
    spans = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        first, dash, last = (one.strip() for one in part.partition("-"))
        numbers = [one for one in (first, last) if one]
        if not numbers or not all(one.isascii() and one.isdigit() for one in numbers):
            raise ValueError(f"{part!r} is not a frame, or a span of frames such as 8-13")
        low = int(first[:19] or 0)
        high = (int(last[:19]) if last else MAX_FRAME) if dash else low
        if high < low:
            raise ValueError(f"{part!r} ends before it begins")
        spans.append((low, high))
    if not spans:
        raise ValueError("no frame is given; frames are written as 4,6,8-13")
    return tuple(spans)


class Frames:
    """Spans of frames, joined where they touch."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in sorted(spans):
            if self._lasts and first <= self._lasts[-1] + 1:
                self._lasts[-1] = max(self._lasts[-1], last)
            else:
                self._firsts.append(first)
                self._lasts.append(last)

    def __contains__(self, frame: int) -> bool:
        """Say whether a frame is in one of them."""
        at = bisect_right(self._firsts, frame) - 1
        return at >= 0 and frame <= self._lasts[at]


def sessions_named(
    views: Sequence[SessionView], indexes: Sequence[int], users: tuple[str, ...]
) -> list[SessionView]:
    """Return the sessions of these indexes (from 0) and users; an empty choice means any."""
    for index in indexes:
        if index >= len(views):
            raise ValueError(f"there is no session {index + 1}: the capture has {len(views)}")
    user = user_test(users)
    return [
        view
        for view in views
        if (not indexes or view.index in indexes) and (not users or user(view.user))
    ]


def runs_named(runs: Sequence[FlowRun], text: str) -> list[int]:
    """Return the numbers of the runs that are named: ``posting``; ``posting:2`` is the second."""
    name, colon, nth = text.partition(":")
    found = [number for number, run in enumerate(runs) if run.flow == name]
    if not found:
        known = ", ".join(sorted({run.flow for run in runs})) or "none"
        raise ValueError(f"there is no flow {name!r} here; there are: {known}")
    if not colon:
        return found
    if not (_is_number(nth) and 0 < int(nth[:MAX_DIGITS]) <= len(found)):
        raise ValueError(f"{text!r}: of {name} there are 1 to {len(found)}")
    return [found[int(nth[:MAX_DIGITS]) - 1]]


def dialog_named(trace: Trace, text: str) -> Sequence[int]:
    """Return the messages of a dialog, hop copies too.

    ``#3`` is the number that ``xccos dialogs`` shows; anything else is a Call-ID or its beginning
    with ``*`` and, where there is none of that text, a number.
    """
    rows, values = trace.rows, trace.rows.strings.values
    if text[:1] != "#":
        test = call_id_test((text,))
        calls = {number for number in set(rows.call_id) if test(values[number])}
        if calls:
            return [row for row, number in enumerate(rows.call_id) if number in calls]
    number, dialogs = text.removeprefix("#"), outline(trace).dialogs
    if not _is_number(number):
        raise ValueError(f"there is no dialog {text}")
    if int(number[:MAX_DIGITS]) >= len(dialogs):
        raise ValueError(f"there is no dialog {text}: there are {len(dialogs)}, from #0")
    dialog = dialogs[int(number[:MAX_DIGITS])]
    return (*dialog.rows, *dialog.copies)


def findings_named(known: Sequence[Finding], text: str) -> Sequence[Finding]:
    """Return the findings that a text names: a number from 1, or the id of a rule."""
    wanted = text.strip().upper()
    if _is_number(wanted):
        if not 0 < int(wanted[:MAX_DIGITS]) <= len(known):
            raise ValueError(f"there is no finding {text}: there are {len(known)}")
        return [known[int(wanted[:MAX_DIGITS]) - 1]]
    found = [one for one in known if one.rule.startswith(wanted)] if wanted else []
    if not found:
        there = ", ".join(dict.fromkeys(one.rule for one in known)) or "none"
        raise ValueError(f"there is no finding {text} here; there are: {there}")
    return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
