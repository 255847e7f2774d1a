"""Colour, width and characters of the place that output goes to."""

from __future__ import annotations

import pytest

from analyzer.cli.terminal import Terminal, plain_terminal, terminal_of
from tests.analyzer.cli.running import Screen


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("environment", "terminal", "choice", "colour"),
    [
        ({}, True, "auto", True),
        ({}, False, "auto", False),
        ({"NO_COLOR": "1"}, True, "auto", False),
        ({"NO_COLOR": ""}, True, "auto", True),
        ({"FORCE_COLOR": "1"}, False, "auto", True),
        ({"FORCE_COLOR": "0"}, True, "auto", False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, "auto", False),
        ({"TERM": "dumb"}, True, "auto", False),
        ({"NO_COLOR": "1"}, False, "always", True),
        ({"FORCE_COLOR": "1"}, True, "never", False),
    ],
)
def test_colour_follows_option_environment_and_terminal_in_this_order(
    environment: dict[str, str],
    terminal: bool,
    choice: str,
    colour: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = terminal_of(Screen(terminal=terminal), choice)  # type: ignore[arg-type]
    assert found.colour is colour


@pytest.mark.parametrize(
    ("columns", "width"), [("120", 120), ("10", 40), ("0", 100), ("-5", 100), ("x", 100)]
)
def test_columns_is_heeded_where_it_makes_sense(
    columns: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert terminal_of(Screen()).width == width


def test_a_file_has_100_columns_and_no_colour() -> None:
    assert plain_terminal() == Terminal(100, colour=False, unicode=True)


def test_symbols_are_ascii_where_the_stream_is() -> None:
    assert terminal_of(Screen(encoding="utf-8")).symbol("ok") == "✓"
    ascii_only = terminal_of(Screen(encoding="ascii"))
    assert [ascii_only.symbol(name) for name in ("ok", "failed", "cut")] == ["+", "x", "~"]
