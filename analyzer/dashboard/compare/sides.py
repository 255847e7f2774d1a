"""Which two sessions are compared: what the address says, else a broken one and a healthy one.

The rule: both captures are read under their locks, which are taken in the order of their cases'
ids, whichever side they stand on: two pages that compare the same two captures never wait for each
other for ever.
"""

from __future__ import annotations

import shlex
from collections import OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from analyzer.collector import paused
from analyzer.compare.compare import compare
from analyzer.roles import LOOKUP_USERS, plain_uri, user_part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.compare.values import Comparison
    from analyzer.dashboard.cases import Case, Cases
    from analyzer.dashboard.desk import Desk
    from analyzer.sessions.view import SessionView
    from analyzer.views.told import Verdict

T = TypeVar("T")
MAX_KEPT = 12
"""Comparisons, and ladders of them, that a case keeps: for who turns pages, or swaps sides."""
BROKEN: tuple[Verdict, ...] = ("failed", "doubtful", "not-captured", "ok")
"""Verdicts, the one first that people ask about most."""
HEALTHY: tuple[Verdict, ...] = ("ok", "not-captured", "doubtful", "failed")
MAX_DIGITS = 9


class Side(NamedTuple):
    """A session of an open case."""

    case: Case
    session: int

    @property
    def view(self) -> SessionView:
        """The session as the analysis has it."""
        return self.case.views[self.session]

    @property
    def address(self) -> str:
        """As ``other`` in the address: ``CASE:3``, the session counted from 1."""
        return f"{self.case.id}:{self.session + 1}"


class Picked(NamedTuple):
    """The two sides of a comparison."""

    a: Side | None
    b: Side | None
    other: Case
    """The case of B; that of A where none is named."""
    why: str
    """Why these two."""
    wrong: tuple[str, ...] = ()
    """What the address says and is not there, a sentence each."""


def picked(desk: Desk, cases: Cases) -> Picked:
    """Return the sides that the address names, and good ones where it names none."""
    case, named = desk.case, desk.selection.more.get("other", "")
    other, number, wrong = _named(case, named, cases)
    a = desk.selection.session
    chosen = a is not None
    if a is None:
        a = first_of(case, BROKEN)
    if a is None:
        return Picked(None, None, other, "", (*wrong, "This capture has no session."))
    side = Side(case, a)
    if number is not None and (other is not case or number != a):
        why = "the sessions asked for"
        return Picked(side, Side(other, number), other, why, wrong)
    b = counterpart(side, other)
    why = f"{_why_a(side, chosen=chosen)} and {_why_b(side, other, b)}" if b is not None else ""
    return Picked(side, None if b is None else Side(other, b), other, why, wrong)


def _named(case: Case, named: str, cases: Cases) -> tuple[Case, int | None, tuple[str, ...]]:
    """Return the case and the session that ``other`` names, and what is wrong with it."""
    if not named:
        return case, None, ()
    identifier, _, digits = named.partition(":")
    found = case if identifier == case.id else cases.get(identifier)
    if found is None:
        return case, None, ("The other capture is not open here.",)
    if not digits:
        return found, None, ()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS):
        return found, None, (f"{digits[:40]!r} is no number of a session.",)
    number = int(digits) - 1
    if not 0 <= number < len(found.views):
        return found, None, (f"The other capture has no session {digits}.",)
    return found, number, ()


def people(case: Case) -> list[int]:
    """Return the sessions of people: services sign in too, and do nothing else."""
    views = case.views
    return case.once(
        "sessions of people",
        lambda: [
            index
            for index, view in enumerate(views)
            if user_part(view.user or "") not in LOOKUP_USERS
        ],
    )


def first_of(case: Case, order: tuple[Verdict, ...], without: int | None = None) -> int | None:
    """Return the first session with the verdict that stands first."""
    found = [index for index in people(case) if index != without]
    return min(found, key=lambda index: order.index(case.verdict(index)), default=None)


def counterpart(side: Side, other: Case) -> int | None:
    """Return the session that tells most about one: healthy where that is broken, of its user."""
    if other is side.case:
        return other.once(("counterpart", side.session), lambda: _counterpart(side, other))
    return _counterpart(side, other)


def _counterpart(side: Side, other: Case) -> int | None:
    without = side.session if other is side.case else None
    broken = side.case.verdict(side.session) in ("failed", "doubtful")
    order = HEALTHY if broken else BROKEN
    user = plain_uri(side.view.user or "")
    found = [index for index in people(other) if index != without]

    def rank(index: int) -> tuple[int, bool]:
        same = bool(user) and plain_uri(other.views[index].user or "") == user
        return order.index(other.verdict(index)), not same

    return min(found, key=rank, default=None)


def _why_a(side: Side, *, chosen: bool) -> str:
    if chosen:
        return "the session that is selected"
    verdict = side.case.verdict(side.session)
    return {
        "failed": "the first session with a problem",
        "doubtful": "the first session with remarks",
    }.get(verdict, "the first session")


def _why_b(side: Side, other: Case, b: int) -> str:
    where = "of this capture" if other is side.case else f"of {other.name}"
    same = plain_uri(other.views[b].user or "") == plain_uri(side.view.user or "")
    whose = " of the same user" if same else ""
    verdict = other.verdict(b)
    kind = {
        "ok": "without a problem",
        "failed": "with a problem",
        "doubtful": "with remarks",
    }.get(verdict, "that is left")
    return f"the first session {kind}{whose} {where}"


@contextmanager
def both(held: Case, other: Case) -> Iterator[None]:
    """Hold the lock of another case too, while that of the page's case is held, once."""
    if other is held:
        yield
        return
    if other.id < held.id:
        held.lock.release()
        try:
            other.lock.acquire()
        finally:
            held.lock.acquire()
    else:
        other.lock.acquire()
    try:
        yield
    finally:
        other.lock.release()


def comparison(a: Side, b: Side, why: str) -> Comparison:
    """Return what comparing gives; both locks are held."""

    def make() -> Comparison:
        with paused():
            return compare(a.view, b.view, files=(a.case.name, b.case.name), why=why)

    return kept(a.case, ("comparison", a.address, b.address, why), make)


def kept(case: Case, key: object, make: Callable[[], T]) -> T:
    """Return what ``make`` returned for a key; a case keeps the last few, not all of them."""
    known: OrderedDict[object, T] = case.once("comparisons", OrderedDict)
    if key not in known:
        known[key] = make()
        while len(known) > MAX_KEPT:
            known.popitem(last=False)
    known.move_to_end(key)
    return known[key]


def command(a: Side, b: Side) -> str:
    """Return the command line that compares them in a terminal; empty where it takes several."""
    one, two = a.case.words, b.case.words
    if len(one) != 1 or len(two) != 1:
        return ""
    keys = dict.fromkeys((a.case.key_words, b.case.key_words))
    options = [word for words in keys for word in words]
    if a.case is b.case:
        numbers = f"--session {a.session + 1} --session {b.session + 1}"
        return f"xccos diff {shlex.join((*one, *options))} {numbers}"
    numbers = f"--session-a {a.session + 1} --session-b {b.session + 1}"
    return f"xccos diff {shlex.join((*one, *two, *options))} {numbers}"
