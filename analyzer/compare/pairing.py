"""Which sessions are compared with which, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from analyzer.meaning import outline
from analyzer.query import user_test
from analyzer.roles import LOOKUP_USERS, plain_uri, user_part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.sessions.view import SessionView
    from analyzer.trace import Trace

MAX_PAIRS = 1000
"""Pairs of sessions that are compared at once: nobody reads more."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody asks for."""

    a: int | None = None
    """Number of the session of A, counted from 1."""
    b: int | None = None
    users: tuple[str, ...] = ()
    """Only sessions of these."""
    all: bool = False
    """Every session that has a counterpart."""


class Pairing(NamedTuple):
    """Two sessions to compare."""

    a: SessionView
    b: SessionView
    why: str


class Pairings(NamedTuple):
    """All pairs, and what is left."""

    pairs: tuple[Pairing, ...]
    left_a: tuple[SessionView, ...] = ()
    """Sessions of A without a counterpart; of ``all`` only."""
    left_b: tuple[SessionView, ...] = ()


def pairings(a: Trace, b: Trace, choice: Choice) -> Pairings:
    """Return the sessions to compare; ``a`` may be ``b``, then two sessions of one capture.

    Raises:
        ValueError: with one line for people, where there are no such sessions.
    """
    of_a, of_b = _wanted(a, choice.users, "A"), _wanted(b, choice.users, "B")
    if choice.all:
        return _all(of_a, of_b)
    if a is b and choice.b is None:
        return Pairings((_of_one(a, of_a, choice),))
    if choice.a is not None or choice.b is not None:
        return Pairings((_numbered(a, b, of_a, of_b, choice),))
    for one in of_a:
        other = _of_user(of_b, one)
        if other is not None:
            return Pairings((Pairing(one, other, "the first sessions of the same user"),))
    why = "no user is in both captures: their first sign-ins"
    return Pairings((Pairing(_first(of_a), _first(of_b), why),))


def sessions_of(trace: Trace) -> Sequence[SessionView]:
    """Return the sessions of a capture, those of services too."""
    return cast("Sequence[SessionView]", outline(trace).sessions)


def _wanted(trace: Trace, users: tuple[str, ...], name: str) -> list[SessionView]:
    """Return the sessions of people, or of some of them."""
    views = [one for one in sessions_of(trace) if user_part(one.user or "") not in LOOKUP_USERS]
    if not views:
        raise ValueError(f"{name} has no session")
    if users:
        fits = user_test(users)
        views = [one for one in views if fits(one.user)]
        if not views:
            raise ValueError(f"{name} has no session of {', '.join(users)}")
    return views


def _first(views: Sequence[SessionView]) -> SessionView:
    """Return the first session that signs in, else the first."""
    return next((one for one in views if one.registrations), views[0])


def _of_user(views: Sequence[SessionView], like: SessionView) -> SessionView | None:
    user = plain_uri(like.user or "")
    same = [one for one in views if user and plain_uri(one.user or "") == user]
    return _first(same) if same else None


def _numbered(
    a: Trace,
    b: Trace,
    of_a: Sequence[SessionView],
    of_b: Sequence[SessionView],
    choice: Choice,
) -> Pairing:
    if choice.a is not None and choice.b is not None:
        one, other = _session(a, choice.a, "A"), _session(b, choice.b, "B")
        return Pairing(one, other, "the sessions asked for")
    if choice.a is not None:
        one = _session(a, choice.a, "A")
        same = _of_user(of_b, one)
        other = same or _first(of_b)
    else:
        other = _session(b, choice.b or 0, "B")
        same = _of_user(of_a, other)
        one = same or _first(of_a)
    with_ = "the same user" if same else "the first sign-in, as no session is of the same user"
    return Pairing(one, other, f"the session asked for and {with_}")


def _session(trace: Trace, number: int, name: str) -> SessionView:
    views = sessions_of(trace)
    if not 1 <= number <= len(views):
        some = f"there are {len(views)}" if len(views) != 1 else "there is 1"
        raise ValueError(f"{name} has no session {number}: {some}")
    return views[number - 1]


def _of_one(trace: Trace, views: Sequence[SessionView], choice: Choice) -> Pairing:
    """Return two sessions of one capture."""
    one = views[0] if choice.a is None else _session(trace, choice.a, "A")
    others = [view for view in views if view is not one]
    if not others:
        raise ValueError("the capture has no two sessions: give two captures, or two numbers")
    same = _of_user(others, one)
    why = "two sessions of one user" if same else "the first two sessions"
    return Pairing(one, same or others[0], f"{why} of the capture")


def _all(of_a: Sequence[SessionView], of_b: Sequence[SessionView]) -> Pairings:
    """Pair the sessions of each user in order; without common users, all in order."""
    by_user: dict[str, list[SessionView]] = {}
    for view in of_b:
        by_user.setdefault(plain_uri(view.user or ""), []).append(view)
    pairs: list[Pairing] = []
    left: list[SessionView] = []
    for view in of_a:
        same = by_user.get(plain_uri(view.user or ""))
        if same and view.user:
            pairs.append(Pairing(view, same.pop(0), "the same user"))
        else:
            left.append(view)
    if not pairs:
        why = "no user is in both captures: in the order of their sign-ins"
        pairs = [Pairing(one, two, why) for one, two in zip(of_a, of_b, strict=False)]
    shown = pairs[:MAX_PAIRS]
    used = {id(view) for pair in shown for view in pair[:2]}
    return Pairings(
        tuple(shown),
        tuple(view for view in of_a if id(view) not in used),
        tuple(view for view in of_b if id(view) not in used),
    )
