"""What is selected, as it stands in the address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.dashboard.selection import MAX_VALUE, VIEWS, Selection, parse_selection

TEXTS = st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=30)


def _address(selection: Selection) -> dict[str, str]:
    from urllib.parse import parse_qsl

    return dict(parse_qsl(selection.href()[1:]))


SELECTIONS = st.builds(
    Selection,
    case=TEXTS,
    name=TEXTS,
    view=st.sampled_from([*VIEWS]),
    session=st.none() | st.integers(0, 10**8),
    message=st.none() | st.integers(0, 10**8),
    filter=TEXTS,
    zone=TEXTS,
    more=st.dictionaries(st.sampled_from(["page", "rule", "other"]), TEXTS.filter(bool)),
)


@given(SELECTIONS)
def test_an_address_says_all_that_is_selected(selection: Selection) -> None:
    assert parse_selection(_address(selection)) == selection


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=60), max_size=60))
def test_no_address_is_an_error(params: dict[str, str]) -> None:
    found = parse_selection(params)
    assert found.view in VIEWS
    assert (found.session or 0) >= 0


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("view", "cockpit", "there is no page 'cockpit'"),
        ("session", "0", "'0' in the address is no number of a session"),
        ("session", "٣", "'٣' in the address is no number of a session"),
        ("message", "-1", "'-1' in the address is no number of a message"),
        ("filter", "x" * (MAX_VALUE + 1), "the filter in the address is too long"),
    ],
)
def test_what_is_wrong_in_an_address_is_told_and_passed_over(
    key: str, value: str, said: str
) -> None:
    found = parse_selection({"case": "c", key: value})
    assert found.wrong == (said,)
    assert found.but() == Selection(case="c")


def test_another_page_keeps_what_is_selected_and_begins_at_its_first_table_page() -> None:
    before = Selection("c", "n", "messages", 2, 41, "user:ann", "", {"page": "7"})
    after = before.but(view="ladder")
    assert (after.session, after.message, after.filter) == (2, 41, "user:ann")
    assert after.more == {}


def test_another_case_begins_anew() -> None:
    before = Selection("c", "n", "messages", 2, 41, "user:ann", "local", {"page": "7"})
    assert before.but(case="d") == Selection("d", view="messages", zone="local")


def test_none_takes_a_key_out_of_the_address() -> None:
    assert "page" not in Selection("c").but(page=3).but(page=None).href()
