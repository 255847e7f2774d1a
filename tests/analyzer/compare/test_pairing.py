"""Which sessions are compared: the same user first, else the first sign-ins; and why is said."""

from __future__ import annotations

import pytest

from analyzer.compare import pairing
from analyzer.compare.pairing import Choice, Pairings, pairings
from tests.analyzer.compare.sides import opened
from tests.paths import require_shared

require_shared()


def chosen(a: str, b: str, choice: Choice) -> Pairings:
    return pairings(opened(a), opened(b), choice)


def users(found: Pairings) -> list[tuple[str | None, str | None, str]]:
    return [(one.a.user, one.b.user, one.why) for one in found.pairs]


U1, U2 = "sip:user1@contoso.com", "sip:user2@contoso.com"


def test_sessions_of_the_same_user_go_first() -> None:
    found = chosen("signin-tcp", "twousers-post", Choice())
    assert users(found) == [(U1, U1, "the first sessions of the same user")]


def test_without_a_common_user_the_first_sign_ins_are_compared() -> None:
    found = chosen("signin-tcp", "r2-signin-full", Choice())
    why = "no user is in both captures: their first sign-ins"
    assert users(found) == [(U1, "sip:hiro@emea.adatum.example", why)]


def test_a_user_may_be_asked_for() -> None:
    found = chosen("twousers-post", "coalesce", Choice(users=("user1",)))
    assert users(found) == [(U1, U1, "the first sessions of the same user")]


def test_a_session_asked_for_is_paired_by_user() -> None:
    found = chosen("signin-tcp", "twousers-post", Choice(a=1))
    assert users(found)[0][2] == "the session asked for and the same user"
    other = chosen("r2-signin-full", "twousers-post", Choice(b=2))
    assert users(other)[0][:2] == ("sip:hiro@emea.adatum.example", U1)
    assert "as no session is of the same user" in users(other)[0][2]


def test_two_sessions_of_one_capture_are_its_first_two() -> None:
    trace = opened("twousers-post")
    assert users(pairings(trace, trace, Choice())) == [
        (U2, U1, "the first two sessions of the capture")
    ]
    assert users(pairings(trace, trace, Choice(a=2, b=1))) == [(U1, U2, "the sessions asked for")]


def test_two_sessions_of_one_user_go_before_others() -> None:
    trace = opened("reconnect")
    (found,) = pairings(trace, trace, Choice(a=1)).pairs
    assert found.why in {
        "two sessions of one user of the capture",
        "the first two sessions of the capture",
    }
    assert found.a is not found.b


def test_all_pairs_every_session_by_user_and_names_the_rest() -> None:
    found = chosen("signin-tcp", "twousers-post", Choice(all=True))
    assert users(found) == [(U1, U1, "the same user")]
    assert ([one.user for one in found.left_a], [one.user for one in found.left_b]) == ([], [U2])


def test_all_without_common_users_goes_by_order() -> None:
    found = chosen("fanout-missing", "twousers-post", Choice(all=True))
    assert [(one.a.index, one.b.index) for one in found.pairs] == [(0, 0), (1, 1)]
    assert [one.index for one in found.left_a] == [2]


def test_no_more_pairs_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairing, "MAX_PAIRS", 1)
    assert len(chosen("fanout-missing", "twousers-post", Choice(all=True)).pairs) == 1


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        (Choice(a=9), "A has no session 9: there is 1"),
        (Choice(b=9), "B has no session 9: there are 2"),
        (Choice(users=("nobody",)), "A has no session of nobody"),
    ],
)
def test_what_is_not_there_is_said(choice: Choice, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        chosen("signin-tcp", "twousers-post", choice)


def test_one_capture_with_one_session_cannot_be_compared() -> None:
    trace = opened("signin-tcp")
    with pytest.raises(ValueError, match="the capture has no two sessions"):
        pairings(trace, trace, Choice())
