"""The filter box: what it is given to complete, what it says is wrong, what it lets through."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from analyzer.dashboard.desk import Desk
from analyzer.dashboard.filtering.shown import FILTERED, chosen_rows, filtered
from analyzer.dashboard.selection import MAX_VALUE, Selection
from analyzer.filters.lexing import MAX_LENGTH
from analyzer.filters.words import WORDS
from tests.paths import ROOT, SAMPLES
from tests.support.contrast import contrast
from tests.support.dashboard import drawings, looked_at, markup, opened

if TYPE_CHECKING:
    from analyzer.dashboard.cases import Case

ASSETS = ROOT / "analyzer" / "dashboard" / "assets"


@pytest.fixture(scope="module")
def case() -> Case:
    return opened(SAMPLES / "r2-post-full.pcap")


def _desk(case: Case, **selected: Any) -> Desk:  # noqa: ANN401  (as ``Selection.but``)
    return Desk(case, Selection(case=case.id).but(view="messages", **selected))


def test_without_filter_and_session_everything_is_let_through(case: Case) -> None:
    assert chosen_rows(_desk(case)) is None
    assert chosen_rows(_desk(case, filter="  ")) is None


def test_session_and_filter_are_met_together(case: Case) -> None:
    mine = chosen_rows(_desk(case, session=0))
    assert mine is not None
    assert mine == [row for row in range(len(case.trace.rows)) if case.session_of(row) == 0]
    both = chosen_rows(_desk(case, session=0, filter="method:INFO"))
    infos = chosen_rows(_desk(case, filter="method:INFO"))
    assert infos is not None
    assert both == [row for row in infos if row in {*mine}]
    assert both


def test_a_filter_that_is_wrong_hides_nothing(case: Case) -> None:
    found = filtered(_desk(case, filter="statsu:200"))
    assert found.rows is None
    assert found.wrong is not None
    within = filtered(_desk(case, filter="session:99", session=1))
    assert within.rows == chosen_rows(_desk(case, session=1))
    assert within.wrong is not None


def test_the_same_filter_in_another_zone_is_another_filter(case: Case) -> None:
    here = chosen_rows(_desk(case, filter="after:12:18:22"))
    there = chosen_rows(_desk(case, filter="after:12:18:22", zone="+02:00"))
    assert here is not None
    assert there is not None
    assert 0 < len(here) < len(there)


def test_the_box_is_given_words_and_values_of_the_capture(case: Case) -> None:
    data: Any = drawings(looked_at(case, "messages", filter="command:join"))["filter-box"]
    assert data["text"] == "command:join"
    assert data["wrong"] is None
    assert data["count"] == "6 of 221 messages"
    assert [name for name, _, _ in data["words"]] == [word.name for word in WORDS]
    assert ["join", "6"] in [list(one) for one in data["offers"]["command"]]


def test_an_error_is_given_with_its_place_and_what_may_have_been_meant(case: Case) -> None:
    page = looked_at(case, "messages", filter="user:hiro statsu:200")
    data: Any = drawings(page)["filter-box"]
    assert data["wrong"] == {
        "at": 10,
        "length": 6,
        "sentence": "there is no word 'statsu'; put it in quotes to look for the text",
        "instead": "status",
        "mended": "user:hiro status:200",
    }
    assert data["count"] == "221 messages"
    assert "In a terminal" not in markup(page, "filter-about")


def test_the_command_that_says_the_same_can_be_copied(case: Case) -> None:
    about = markup(looked_at(case, "messages", filter="status:>=400"), "filter-about")
    said = f"xccos messages {case.files[0]} --status '&gt;=400'"
    assert f"<code>{said}</code>" in about
    assert "data-copy=" in about
    assert "<summary>What can be typed here</summary>" in about


@pytest.mark.parametrize("view", sorted(FILTERED))
def test_every_page_that_filters_has_the_box(case: Case, view: str) -> None:
    assert "filter-box" in drawings(looked_at(case, view, filter="method:INFO"))


def test_the_language_takes_as_much_as_the_address_keeps() -> None:
    assert MAX_LENGTH >= MAX_VALUE


def test_the_box_is_a_combobox_to_screen_readers_and_writes_text_alone() -> None:
    script = (ASSETS / "filter.js").read_text(encoding="utf-8")
    for attribute in ("combobox", "listbox", "option", "aria-activedescendant", "aria-expanded",
                      "aria-invalid", "alert"):  # fmt: skip
        assert attribute in script
    assert "innerHTML" not in script
    assert "insertAdjacentHTML" not in script


def test_what_is_written_in_soft_colours_can_be_read_on_both_grounds() -> None:
    colours = (ASSETS / "colours.css").read_text(encoding="utf-8")
    light, dark = colours.split('[data-theme="dark"]')
    for sheet, ground in ((light, "#ffffff"), (dark, "#0e1117")):
        for name in ("soft", "bad", "doubt", "link"):
            found = re.search(rf"--{name}: (#[0-9a-f]{{6}})", sheet)
            assert found is not None
            assert contrast(found[1], ground) >= 4.5
