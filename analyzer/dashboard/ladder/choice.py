"""Which ladder the page shows: what of the capture, how it is folded, and which part of a long one.

The rule: a long ladder begins with a part that is there at once; the whole of it is one click away,
and every part says of how many messages it is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analyzer.dashboard.ladder.recent import Recent
from analyzer.ladder.build import MAX_EVENTS, Options, ladder_of
from analyzer.ladder.selection import Choice
from analyzer.meaning import outline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.dashboard.cases import Case
    from analyzer.dashboard.selection import Selection
    from analyzer.ladder.values import Ladder

PART = 2_000
"""Messages of a part: made in less than a second, with all that belongs to them."""
WHOLE = "all"
"""The part that is as much as one ladder may hold (``MAX_EVENTS``)."""
KEPT = 12
"""Ladders that are kept for a case at most."""
KEPT_EVENTS = 120_000
"""Events of all ladders that are kept for a case: about 1 kB each."""
KEPT_ROWS = 500_000
"""Numbers of messages that are kept in order, by session and filter: 8 bytes each."""
HIDEABLE = 60
"""Methods and commands that can be left out; real captures have some forty."""
MAX_HIDDEN = 20
_DIGITS = 9
_SWITCHES = {"hops": "0", "fold": "1", "answers": "0"}
"""Keys of the address, with what they are where they are not in it."""
_LEFT_OUT = (
    (": --hops draws each hop", ": “each hop” draws them one by one"),
    (" hidden by --hide-method", " left out by your choice"),
    (": --session or --user shows fewer", ": choose a session to have fewer"),
)
"""What the command line advises, in words of the page."""


@dataclass(frozen=True, slots=True)
class Part:
    """A ladder, and which of the messages that were chosen it is of."""

    ladder: Ladder
    first: int
    """The first message of it, counted from 0 among those chosen."""
    end: int
    total: int
    lacks: bool
    """The message that is selected is none of those chosen, or lies behind what is drawn."""

    @property
    def number(self) -> int:
        """Which part of the address this is, from 1."""
        return self.first // PART + 1

    @property
    def behind(self) -> tuple[int, int]:
        """Return the number of the part behind this one, and how many messages it has."""
        return self.end // PART + 1, min(PART, self.total - self.end)


def is_on(selection: Selection, switch: str) -> bool:
    """Return whether a switch (``hops``, ``fold``, ``answers``) is on."""
    return selection.more.get(switch, _SWITCHES[switch]) == "1"


def switched(switch: str, *, on: bool) -> str | None:
    """Return what stands in the address for it; None: nothing, it is as always."""
    value = "1" if on else "0"
    return None if value == _SWITCHES[switch] else value


def hidden(selection: Selection) -> tuple[str, ...]:
    """Return the methods and commands that are left out."""
    names = (name.strip() for name in selection.more.get("hide", "").split(","))
    return tuple(dict.fromkeys(name for name in names if name))[:MAX_HIDDEN]


def hideable(case: Case) -> Sequence[str]:
    """Return the methods and commands of a capture, the most frequent first."""
    return case.once("ladder methods", lambda: _methods(case))


def _methods(case: Case) -> list[str]:
    strings = case.trace.rows.strings.values
    methods = Counter(case.trace.rows.method)
    found = Counter({str(strings[one]): count for one, count in methods.items() if strings[one]})
    found.update(Counter(pair.command for pair in outline(case.trace).pairs))
    return [name for name, _ in found.most_common(HIDEABLE)]


def part_of(case: Case, selection: Selection, rows: Sequence[int] | None) -> Part:
    """Return the part that an address asks for; ``rows``: what its filter lets through.

    That of the message which is selected, else the one that it names, else the first.
    """
    chosen = _chosen(case, selection, rows)
    first, size = _place(case, selection, chosen)
    end = min(first + size, len(chosen))
    options = Options(
        hops=is_on(selection, "hops"),
        fold=is_on(selection, "fold"),
        fold_answers=is_on(selection, "answers"),
        hide_methods=hidden(selection),
    )
    whole = rows is None and first == 0
    sessions = () if selection.session is None else (selection.session,)
    choice = Choice(sessions, rows=None if whole else tuple(chosen[first:end]))
    # A dict in the options has no hash, and of what is in them the aliases are always empty here.
    key = (sessions, *_filter(selection), first, end, options.hops, options.fold,
           options.fold_answers, options.hide_methods)  # fmt: skip
    recent: Recent[Ladder] = case.once("ladders", lambda: Recent(KEPT_EVENTS, _weight))
    ladder = recent.get(key, lambda: _worded(ladder_of(case.trace, choice, options, most=size)))
    at = _position(case, selection.message, chosen)
    lacks = selection.message is not None and (at is None or not first <= at < end)
    return Part(ladder, first, end, len(chosen), lacks)


def _chosen(case: Case, selection: Selection, rows: Sequence[int] | None) -> Sequence[int]:
    """Return the messages of the session and the filter in order of time, without hop copies."""
    recent: Recent[Sequence[int]] = case.once("ladder rows", lambda: Recent(KEPT_ROWS, len))
    key = (selection.session, *_filter(selection))
    return recent.get(key, lambda: _ordered(case, selection.session, rows))


def _filter(selection: Selection) -> tuple[str, str]:
    """Return what a filter lets through depends on: times in it are of the zone."""
    return selection.filter, selection.zone if selection.filter else ""


def _ordered(case: Case, session: int | None, rows: Sequence[int] | None) -> Sequence[int]:
    scene, times = case.scene, case.trace.rows.time
    of: Sequence[int] = range(len(times)) if rows is None else rows
    if session is not None:
        places = scene.places
        of = [row for row in of if row in places and places[row].view.index == session]
    copies = scene.analysis.copy_of
    origins = sorted({*of}.difference(copies) | {copies[row] for row in of if row in copies})
    return sorted(origins, key=times.__getitem__)


def _place(case: Case, selection: Selection, chosen: Sequence[int]) -> tuple[int, int]:
    """Return where the part begins, and how many messages it may have."""
    wanted = selection.more.get("part", "")
    if wanted == WHOLE:
        return 0, MAX_EVENTS
    at = _position(case, selection.message, chosen)
    if at is not None:
        return at // PART * PART, PART
    parts = max(1, -(-len(chosen) // PART))
    if wanted.isascii() and wanted.isdigit() and len(wanted) < _DIGITS:
        return min(max(int(wanted), 1), parts) * PART - PART, PART
    return 0, PART


def _position(case: Case, message: int | None, chosen: Sequence[int]) -> int | None:
    """Return which of the chosen messages one is; None: it is none of them."""
    if message is None:
        return None
    times, row = case.trace.rows.time, case.scene.origin(message)
    at = bisect_left(chosen, (times[row], row), key=lambda one: (times[one], one))
    return at if at < len(chosen) and chosen[at] == row else None


def _weight(ladder: Ladder) -> int:
    return len(ladder.events) + KEPT_EVENTS // KEPT


def _worded(ladder: Ladder) -> Ladder:
    """Return a ladder that says what is not shown in words of the page.

    Of what lies before and behind the part the page itself tells.
    """
    said = [one for one in ladder.left_out if "after these" not in one]
    for words, ours in _LEFT_OUT:
        said = [one.replace(words, ours) for one in said]
    return replace(ladder, left_out=tuple(said))
