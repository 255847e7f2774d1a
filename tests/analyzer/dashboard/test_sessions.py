"""The list of sessions: what it says of each, what it can leave out, and the facts of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analyzer.dashboard.pages import sessions
from analyzer.dashboard.verdict.listing import Wanted, indexes
from analyzer.dashboard.verdict.paging import part_of
from tests.paths import SAMPLES, SHARED, require_shared
from tests.support.dashboard import drawings, looked_at, markup, opened

if TYPE_CHECKING:
    from pathlib import Path

require_shared()
FANOUT = SHARED / "flows" / "fanout-missing.pcapng"
USERS = ["chandra", "eva", "bob.keller"]


def test_each_session_has_a_line_with_its_verdict_and_its_ways() -> None:
    drawn = markup(looked_at(opened(FANOUT), "sessions"), "sessions")
    assert drawn.count("<tr data-href=") == len(USERS)
    assert [drawn.index(f"{user}@emea.adatum.example") for user in USERS] == sorted(
        drawn.index(f"{user}@emea.adatum.example") for user in USERS
    )
    for words in ("problem", "no problem seen", "complete", "UCCAPI/3.5.6907.0", "tcp"):
        assert words in drawn, words
    assert "view=findings&amp;session=1" in drawn
    assert "data-selected" not in drawn


def test_a_selected_session_shows_its_facts_beneath() -> None:
    case = opened(FANOUT)
    page = looked_at(case, "sessions", session=0)
    facts = markup(page, "session-facts")
    for words in ("Session 1: chandra", "GC404", "Rooms (2)", "Slowest commands"):
        assert words in facts, words
    assert "never got the copy" in facts
    assert 'data-selected=""' in markup(page, "sessions")
    assert "session-facts" not in drawings(looked_at(case, "sessions"))


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, [0, 1, 2]),
        ({"verdict": "failed"}, [0]),
        ({"verdict": "ok"}, [1, 2]),
        ({"verdict": "nonsense"}, [0, 1, 2]),
        ({"user": "BOB"}, [2]),
        ({"user": "sip:eva"}, [1]),
        ({"user": "*keller@emea*"}, [2]),
        ({"user": "nobody"}, []),
        ({"first": "GC404"}, [0]),
        ({"first": "GC101"}, []),
        ({"order": "worst", "verdict": "ok"}, [1, 2]),
        ({"order": "slowest"}, [1, 2, 0]),
    ],
)
def test_the_address_chooses_sessions_and_their_order(
    more: dict[str, str], found: list[int]
) -> None:
    assert [*indexes(opened(FANOUT), Wanted.of(more))] == found


def test_what_is_left_out_is_said_and_offered() -> None:
    drawn = markup(looked_at(opened(FANOUT), "sessions", user="bob"), "sessions")
    assert "1 of 3 sessions" in drawn
    assert "show all" in drawn
    assert "eva@" not in drawn


def test_who_types_a_user_finds_it_in_the_address() -> None:
    page = looked_at(opened(FANOUT), "sessions", page="1")
    page.text_input(key="sessions-user").input(" eva ").run()
    assert page.query_params["user"] in ("eva", ["eva"])
    assert "page" not in page.query_params
    assert "1 of 3 sessions" in markup(page, "sessions")


def test_many_sessions_are_paged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "SHOWN", 2)
    case = opened(FANOUT)
    first = markup(looked_at(case, "sessions"), "sessions")
    assert "1 to 2 of 3 sessions" in first
    assert "bob.keller@" not in first
    assert "bob.keller@" in markup(looked_at(case, "sessions", page=2), "sessions")
    assert "bob.keller@" in markup(looked_at(case, "sessions", session=2), "sessions")


def test_a_capture_without_sessions_leads_to_what_is_in_it(tmp_path: Path) -> None:
    empty = tmp_path / "none.pcap"
    empty.write_bytes((SAMPLES / "keepalive.pcap").read_bytes()[:24])
    drawn = markup(looked_at(opened(empty), "sessions"), "sessions")
    assert "No session of a client is in this capture." in drawn


@pytest.mark.parametrize(
    ("given", "at", "page", "first", "last"),
    [
        (None, None, 1, 0, 10),
        ("2", None, 2, 10, 20),
        ("99", None, 3, 20, 25),
        ("0", None, 1, 0, 10),
        ("x", 13, 2, 10, 20),
        ("-1", None, 1, 0, 10),
        ("٣", None, 1, 0, 10),
        ("9" * 500, None, 3, 20, 25),
        ("1", 24, 1, 0, 10),
    ],
)
def test_a_page_that_is_not_there_is_the_nearest_that_is(
    given: str | None, at: int | None, page: int, first: int, last: int
) -> None:
    part = part_of(given, 25, 10, at)
    assert (part.page, part.pages, part.first, part.last) == (page, 3, first, last)
    assert part_of(given, 0, 10, None)[:4] == (1, 1, 0, 0)
