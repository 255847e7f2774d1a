"""What people call hosts, users and services."""

from __future__ import annotations

import pytest

from analyzer.ladder.aliases import MAX_NAME, Aliases, parse_alias, parse_aliases


@pytest.mark.parametrize(
    ("text", "alias"),
    [
        ("10.0.0.5=fe1", ("10.0.0.5", "fe1")),
        (" 10.0.0.5:5061 = Front End 1 ", ("10.0.0.5:5061", "Front End 1")),
        ("[2001:db8::1]:5061=v6", ("[2001:db8::1]:5061", "v6")),
        ("sip:ann@example.com=Ann=A", ("sip:ann@example.com", "Ann=A")),
        (f"a={'x' * 300}", ("a", "x" * MAX_NAME)),
    ],
)
def test_an_alias_is_an_address_or_uri_and_a_name(text: str, alias: tuple[str, str]) -> None:
    assert parse_alias(text) == alias


@pytest.mark.parametrize("text", ["", "fe1", "=fe1", "10.0.0.5=", " = "])
def test_what_is_no_alias_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no alias; one is written as"):
        parse_alias(text)


def test_a_file_has_one_alias_a_line_in_either_way_of_writing() -> None:
    lines = [
        "# our servers",
        "",
        "10.0.0.5 = Front End 1   # the first",
        "10.0.0.6\tfe2.example.com fe2",
        "::1   localhost ip6-localhost",
        "sip:ann@example.com=Ann",
        "10.0.0.7 name=odd",
        "  \t ",
    ]
    assert dict(parse_aliases(lines)) == {
        "10.0.0.5": "Front End 1",
        "10.0.0.6": "fe2.example.com",
        "::1": "localhost",
        "sip:ann@example.com": "Ann",
        "10.0.0.7": "name=odd",
    }


@pytest.mark.parametrize("line", ["10.0.0.5", "10.0.0.5 =", "= fe1", "\x00"])
def test_a_line_that_is_none_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 2 is no alias: "):
        list(parse_aliases(["10.0.0.1 a", line]))


def test_a_line_of_blanks_takes_no_longer_than_it_is_long() -> None:
    with pytest.raises(ValueError, match="line 1"):
        list(parse_aliases(["a" + " " * 200_000 + "#"]))


def test_names_are_found_whatever_their_case_and_form() -> None:
    names = Aliases(
        {"SIP:Ann@Example.com": "Ann", "bob": "Bob", "10.0.0.5": "fe", "[FD00::1]": "v6",
         "10.0.0.5:5061": "fe tls"}
    )  # fmt: skip
    assert names.of("sip:ann@example.com;opaque=x") == "Ann"
    assert names.of("sips:bob@example.com") == "Bob"
    assert names.of("sip:carl@example.com") is None
    assert names.of(None) is None
    assert names.of_address("10.0.0.5:5060") == "fe"
    assert names.of_address("10.0.0.5:5061") == "fe tls"
    assert names.of_address("[fd00::1]:5060") == "v6"
    assert names.of_address("10.0.0.50:5060") is None


def test_without_aliases_nothing_is_found() -> None:
    assert Aliases({}).of("10.0.0.5") is None
