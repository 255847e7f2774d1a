"""How a filter is read: words, values, signs, and where it is wrong."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.filters.lexing import MAX_LENGTH, MAX_TERMS, MAX_VALUES, FilterError
from analyzer.filters.parse import parse_filter
from analyzer.filters.words import BY_NAME, WORDS
from tests.paths import ROOT

Read = list[tuple[str, tuple[str, ...], bool]]


def _read(text: str) -> Read:
    return [(term.word, term.texts, term.negated) for term in parse_filter(text).terms]


def _wrong(text: str) -> FilterError:
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    error = caught.value
    assert 0 <= error.at <= len(text)
    assert error.sentence
    assert "\n" not in error.sentence
    return error


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("user:ann", [("user", ("ann",), False)]),
        ("USER:ann", [("user", ("ann",), False)]),
        ("status:200,4xx,>=500", [("status", ("200", "4xx", ">=500"), False)]),
        ("status:200, 4xx", [("status", ("200", "4xx"), False)]),
        ("status:(200, 4xx | 503 or 504)", [("status", ("200", "4xx", "503", "504"), False)]),
        ("status:200 status:404", [("status", ("200", "404"), False)]),
        ("-method:BYE", [("method", ("BYE",), True)]),
        ("not method:BYE", [("method", ("BYE",), True)]),
        ("not -method:BYE", [("method", ("BYE",), False)]),
        ('room:"Sales, EMEA"', [("room", ("Sales, EMEA",), False)]),
        ("room:Sales,EMEA", [("room", ("Sales,EMEA",), False)]),
        ("cmd:join", [("command", ("cmd:join",), False)]),
        ('command:"rpl:join"', [("command", ("rpl:join",), False)]),
        ("frame:4,8-13", [("frame", ("4", "8-13"), False)]),
        ("frame >= 100", [("frame", (">=100",), False)]),
        ("direction:client", [("direction", ("out",), False)]),
        ("is:hop-copy", [("is", ("copy",), False)]),
        ("after:07:20", [("after", ("07:20",), False)]),
        ("dialog:#3", [("dialog", ("#3",), False)]),
        ("finding:gc204", [("finding", ("gc204",), False)]),
        ("no such room", [("", ("no",), False), ("", ("such",), False), ("", ("room",), False)]),
        ('"no such room"', [("", ("no such room",), False)]),
        (r'"say \"no\""', [("", ('say "no"',), False)]),
        ("-hello", [("", ("hello",), True)]),
        ("sip:ann@contoso.com", [("", ("sip:ann@contoso.com",), False)]),
        ("ma-chan://contoso.com/1", [("", ("ma-chan://contoso.com/1",), False)]),
        ("a=b", [("", ("a=b",), False)]),
        ("12:30", [("", ("12:30",), False)]),
        ("", []),
        ("   ", []),
    ],
)
def test_a_filter_is_read_as_people_type_it(text: str, read: Read) -> None:
    assert _read(text) == read


@pytest.mark.parametrize(
    ("typed", "ours"),
    [
        ('sip.Method == "INFO"', "method:INFO"),
        ("sip.Status-Code >= 400", "status:>=400"),
        ("sip.Call-ID==abc && !sip.Method==BYE", "call-id:abc -method:BYE"),
        ("frame.number == 4 and ip.addr == 10.0.0.5", "frame:4 host:10.0.0.5"),
        ("frame.number in 4", "frame.number in 4"),
        ("sip.Method != INFO", "-method:INFO"),
        ("frame.number == {4,8-13}", "frame:4,8-13"),
    ],
)
def test_what_people_type_in_wireshark_is_understood(typed: str, ours: str) -> None:
    assert _read(typed) == _read(ours)


@pytest.mark.parametrize(
    ("text", "marked", "instead"),
    [
        ("user:ann statsu:200", "statsu", "status"),
        ("form:ann", "form", "from"),
        ("zzzzzz:1", "zzzzzz", None),
        ("status:20x user:a", "20x", None),
        ("status:200,abc", "abc", None),
        ("direction:ou", "ou", "out"),
        ("is:retransmited", "retransmited", "retransmission"),
        ("kind:reqest", "reqest", "request"),
        ("finding:GC240", "GC240", "GC204"),
        ("after:yesterday", "yesterday", None),
        ("session:0", "0", None),
        ("frame:13-8", "13-8", None),
        ('room:"Sales', '"Sales', '"Sales"'),
        ("status:(200, 404", "(200, 404", None),
        ("user:ann or user:bob", "or", None),
        ("(user:ann)", "(", None),
        ("user:", "user:", None),
        ('text:""', '""', None),
        ("user>ann", ">", ":"),
        ("user:ann not", "not", None),
    ],
)
def test_an_error_points_at_its_place(text: str, marked: str, instead: str | None) -> None:
    error = _wrong(text)
    assert text[error.at : error.at + error.length] == marked
    assert error.instead == instead


def test_what_is_offered_instead_can_be_read() -> None:
    for text in ("statsu:200", "user:a is:eror", 'room:"Sales', "user>ann"):
        mended = _wrong(text).mended(text)
        assert mended is not None
        assert parse_filter(mended).terms
    assert _wrong("zzzzzz:1").mended("zzzzzz:1") is None


def test_length_terms_and_values_are_bounded() -> None:
    assert "2,000 characters" in _wrong("x" * (MAX_LENGTH + 1)).sentence
    assert f"{MAX_TERMS} terms" in _wrong("x " * (MAX_TERMS + 1)).sentence
    assert f"{MAX_VALUES} values" in _wrong("frame:" + ",".join(["1"] * (MAX_VALUES + 1))).sentence
    assert len(parse_filter("x " * MAX_TERMS).terms) == MAX_TERMS


def _place(text: str) -> tuple[int, int] | None:
    """Return where a filter is wrong; None where it is read."""
    try:
        terms = parse_filter(text).terms
    except FilterError as error:
        return error.at, error.length
    assert all(term.values and all(term.texts) for term in terms)
    return None


_pieces = st.sampled_from(
    [*BY_NAME, ":", '"', "(", ")", "{", ",", "-", "not ", "!", ">=", "==", " ", "200", "4xx", "a"]
)


@given(st.one_of(st.text(max_size=120), st.lists(_pieces, max_size=14).map("".join)))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    at, length = _place(text) or (0, 1)
    assert 0 <= at <= len(text)
    assert length >= 1


def test_the_page_about_the_language_has_every_word_and_only_aliases_that_work() -> None:
    page = (ROOT / "docs" / "dashboard-filter.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    assert [row[0].strip("| `:") for row in rows] == [word.name for word in WORDS]
    for row in rows:
        name = row[0].strip("| `:")
        for alias in re.findall(r"`([^`]+)`", row[3]):
            assert BY_NAME[alias].name == name
        for example in re.findall(r"`([^`]+)`", row[2]):
            assert parse_filter(example).terms, example


@pytest.mark.parametrize("text", ["status>=400 status<500", "frame:>=8 and frame:<=13"])
def test_two_bounds_of_one_word_are_no_span_and_the_right_one_is_told(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    error = caught.value
    assert text[error.at : error.at + error.length].startswith(("status<", "frame:<"))
    assert "any of them" in error.sentence
    assert error.sentence.rsplit(" ", 1)[1] in ("status:400-499", "frame:8-13")
    parse_filter("status:<200,>=400")
    parse_filter("-frame:<8 -frame:>13")
