"""Older script files are converted when they are read; newer ones are refused with what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.replay.script import VERSION
from analyzer.replay.script_json import ScriptError, read_script, write_script
from analyzer.replay.versions import CONVERTERS, current
from tests.analyzer.replay.by_hand import case


def draft() -> dict[str, Any]:
    """Return the case as the draft had it: times in seconds, ``needs`` for ``after``."""
    document: dict[str, Any] = json.loads(write_script(case()))
    document["version"] = 0
    for turn in document["turns"]:
        turn["at"] = turn.pop("at_ms") / 1000
        if "after" in turn:
            turn["needs"] = turn.pop("after")
    return document


def test_a_draft_is_read_as_the_same_case() -> None:
    assert read_script(json.dumps(draft())) == case()


def test_every_version_that_ever_was_has_a_converter() -> None:
    assert set(CONVERTERS) == set(range(VERSION))


def test_converters_follow_one_another() -> None:
    steps = {
        3: lambda values: {**values, "three": True},
        4: lambda values: {**values, "four": "three" in values},
    }
    found = current({"version": 3}, "a.json", steps, 5)
    assert found == {"version": 5, "three": True, "four": True}


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        (VERSION + 1, "version: is 2, and this program reads up to 1: update it"),
        (-1, "version: is -1, which never was one"),
        ("1", "version: must be a whole number"),
        (True, "version: must be a whole number"),
        (None, "version: must be a whole number"),
    ],
)
def test_other_versions_are_refused(version: object, reason: str) -> None:
    document = {**draft(), "version": version}
    with pytest.raises(ScriptError) as caught:
        read_script(json.dumps(document), "case.json")
    assert str(caught.value) == f"case.json: {reason}"


scalars = st.none() | st.text(max_size=3) | st.integers() | st.floats()


@given(scalars | st.lists(scalars | st.dictionaries(st.sampled_from(["at", "needs"]), scalars)))
def test_a_draft_of_any_shape_is_converted_or_refused(turns: object) -> None:
    text = json.dumps({**draft(), "turns": turns}).replace("NaN", "1e999")
    text = text.replace("Infinity", "1e999")
    if turns == []:
        assert read_script(text).turns == ()
        return
    with pytest.raises(ScriptError):
        read_script(text)
