"""Ladders as SVG: well-formed, complete, light and dark, and the same bytes every time."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from lxml import etree

from analyzer.ladder.drawing.theme import DARK, LIGHT
from analyzer.ladder.look import Look
from analyzer.ladder.svg import NAMESPACE, render_svg, style_sheet
from tests.analyzer.ladder.examples import alone, empty, long, sign_in
from tests.analyzer.ladder.shapes import LADDERS, ladders

if TYPE_CHECKING:
    from collections.abc import Callable

    from lxml.etree import _Element

    from analyzer.ladder.look import Theme
    from analyzer.ladder.values import Ladder

GOLDEN = Path(__file__).parent / "golden"
every_ladder = pytest.mark.parametrize("name", LADDERS)
every_theme = pytest.mark.parametrize("theme", ["auto", "light", "dark"])
ALLOWED = {"svg", "title", "desc", "style", "g", "path", "rect", "circle", "text"}


def drawn(ladder: Ladder, look: Look | None = None) -> bytes:
    return next(render_svg(ladder, look or Look()))


def parsed(document: bytes) -> _Element:
    return etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))


def found(root: _Element, name: str) -> list[_Element]:
    return list(root.iter(f"{{{NAMESPACE}}}{name}"))


@every_ladder
@every_theme
def test_every_ladder_is_well_formed_of_a_few_kinds_of_elements(name: str, theme: Theme) -> None:
    root = parsed(drawn(LADDERS[name](), Look(theme=theme)))
    assert {etree.QName(one).localname for one in root.iter(etree.Element)} <= ALLOWED


@given(ladders())
@settings(max_examples=20, deadline=None)
def test_any_ladder_is_well_formed(ladder: Ladder) -> None:
    root = parsed(drawn(ladder))
    arrows = [one for one in found(root, "g") if one.get("class") == "arrow"]
    assert len(arrows) == len(ladder.arrows)


def test_markup_and_control_characters_of_a_capture_stay_text() -> None:
    root = parsed(drawn(alone()))
    said = "".join(map(str, root.itertext()))
    assert "<script>alert('x')</script>" in said
    assert "\\x00\\x1b[31m\\ud800" in said
    assert found(root, "script") == []


def test_characters_that_xml_does_not_have_are_spelt_out() -> None:
    ladder = replace(sign_in(), title="a\ufffeb\uffffc\x0bd\udfff")
    assert (
        parsed(drawn(ladder)).findtext(f"{{{NAMESPACE}}}title") == "a\\ufffeb\\uffffc\\x0bd\\udfff"
    )


def test_nothing_is_taken_from_elsewhere_and_nothing_runs() -> None:
    document = drawn(sign_in()).decode()
    assert re.findall(r"https?://[^\"]*", document) == [NAMESPACE]
    assert re.search(r"url\(|@import|href|<script|\son\w+=", document) is None


def test_the_document_tells_a_screen_reader_what_it_shows() -> None:
    root = parsed(drawn(sign_in()))
    assert root.get("role") == "img"
    assert (root.get("aria-label") or "").startswith("Session 1: user1. capture.pcap")
    assert root.findtext(f"{{{NAMESPACE}}}title") == "Session 1: user1"
    said = root.findtext(f"{{{NAMESPACE}}}desc") or ""
    assert "5 lanes: user1, Front End, Lookup, Channel, Web service" in said
    assert "14 arrows and 2 notes" in said
    assert "2 of them show an error" in said
    assert "12 keep-alives are not shown" in said


@every_ladder
def test_every_arrow_and_note_has_its_whole_text_as_title(name: str) -> None:
    ladder = LADDERS[name]()
    root = parsed(drawn(ladder))
    events = [one for one in found(root, "g") if one.get("class") in {"arrow", "note"}]
    titles = [one.findtext(f"{{{NAMESPACE}}}title") or "" for one in events]
    assert len(titles) == len(ladder.events)
    for title, event in zip(titles, ladder.events, strict=True):
        assert title.startswith(event.text[:20])
        assert "2026-11-22" in title


def test_elements_name_their_frame() -> None:
    root = parsed(drawn(sign_in()))
    frames = [one.get("data-frame") for one in found(root, "g") if one.get("class") == "arrow"]
    assert frames == [str(arrow.frame) for arrow in sign_in().arrows]


@every_ladder
def test_classes_are_those_of_the_style_sheet(name: str) -> None:
    document = drawn(LADDERS[name]())
    root = parsed(document)
    used = {
        str(one.get("class")) for one in root.iter("{*}path", "{*}rect", "{*}circle", "{*}text")
    }
    styled = set(re.findall(r"\.ladder (?:text)?\.([\w-]+)\{", style_sheet("auto")))
    assert used <= styled


def test_one_that_follows_the_reader_is_light_and_only_on_a_dark_screen_dark() -> None:
    light, dark = style_sheet("auto").split("@media screen and (prefers-color-scheme:dark)")
    assert LIGHT["paper"] in light
    assert DARK["paper"] not in light
    assert DARK["paper"] in dark
    assert "print-color-adjust:exact" in light


def test_no_theme_needs_variables_which_many_programs_do_not_know() -> None:
    assert "var(" not in style_sheet("light") + style_sheet("dark") + style_sheet("auto")
    assert DARK["paper"] not in style_sheet("light")
    on_screen, on_paper = style_sheet("dark").split("@media print")
    assert LIGHT["paper"] not in on_screen
    assert DARK["paper"] not in on_paper


def test_styles_touch_nothing_beyond_the_drawing() -> None:
    rules = re.findall(r"^([^@}\n][^{\n]*)\{", style_sheet("dark"), re.MULTILINE)
    assert len(rules) > 50
    assert all(rule.startswith("svg.ladder") for rule in rules)


def test_a_ladder_of_more_events_than_a_page_becomes_several_documents() -> None:
    documents = list(render_svg(long(60), Look(page=25)))
    titles = [parsed(one).findtext(f"{{{NAMESPACE}}}title") for one in documents]
    assert titles == [f"Long (page {number} of 3)" for number in (1, 2, 3)]


def test_the_same_ladder_gives_the_same_bytes() -> None:
    assert drawn(sign_in()) == drawn(sign_in())


@pytest.mark.parametrize(
    ("name", "ladder", "theme"),
    [("sign_in", sign_in, "auto"), ("alone", alone, "light"), ("empty", empty, "dark")],
)
def test_the_golden_documents(name: str, ladder: Callable[[], Ladder], theme: Theme) -> None:
    assert drawn(ladder(), Look(theme=theme)) == (GOLDEN / f"{name}.svg").read_bytes()


def test_an_arrow_is_a_few_elements() -> None:
    root = parsed(drawn(long(1000)))
    assert len(list(root.iter())) < 9 * 1000
