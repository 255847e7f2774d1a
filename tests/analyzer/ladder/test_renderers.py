"""The table of formats."""

from __future__ import annotations

import pytest

from analyzer.ladder.look import Look
from analyzer.ladder.renderers import FORMATS, format_of_name, renderer_of
from tests.analyzer.ladder import examples

BEGINS = {
    "txt": b"Session 1",
    "svg": b"<?xml",
    "html": b"<!DOCTYPE html>",
    "png": b"\x89PNG\r\n\x1a\n",
    "pdf": b"%PDF-",
    "mmd": b"",
    "puml": b"@startuml",
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_renderer_that_writes_it(name: str) -> None:
    page = next(iter(renderer_of(name)(examples.sign_in(), Look())))
    assert page.lstrip().startswith(BEGINS[name])


def test_suffixes_tell_formats_apart() -> None:
    suffixes = [suffix for one in FORMATS.values() for suffix in one.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    for name, one in FORMATS.items():
        for suffix in one.suffixes:
            assert format_of_name(f"dir.svg/out{suffix.upper()}") == name


@pytest.mark.parametrize("name", ["out", "out.jpeg", "out.", ".svg", "svg"])
def test_other_names_have_no_format(name: str) -> None:
    assert format_of_name(name) is None


def test_what_is_binary_is_no_text() -> None:
    assert {name for name, one in FORMATS.items() if one.binary} == {"png", "pdf"}
    assert not any(one.binary and one.text for one in FORMATS.values())


def test_a_format_that_there_is_not_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        renderer_of("jpeg")
