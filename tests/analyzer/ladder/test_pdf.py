"""Ladders as PDF: pages that can be printed, text that can be copied, the same bytes every time."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import given, settings
from pypdf import PdfReader

from analyzer.extras import MissingExtra
from analyzer.ladder.drawing.glyphs import Fonts
from analyzer.ladder.look import Look
from analyzer.ladder.pdf import A3, A4, LEAST_SCALE, MOST_SCALE, WIDEST_PAGE, page_for, render_pdf
from analyzer.ladder.values import Ladder
from tests.analyzer.ladder.examples import LANES, alone, empty, long, sign_in
from tests.analyzer.ladder.shapes import LADDERS, ladders

LOOK = Look()


def drawn(ladder: Ladder, look: Look = LOOK) -> PdfReader:
    documents = list(render_pdf(ladder, look))
    assert len(documents) == 1
    return PdfReader(BytesIO(documents[0]))


def said(reader: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


@pytest.mark.parametrize("name", LADDERS)
def test_every_lane_and_frame_can_be_found(name: str) -> None:
    ladder = LADDERS[name]()
    words = re.split(r"\s+", said(drawn(ladder)))
    for arrow in ladder.arrows:
        assert str(arrow.frame) in words
    for lane in ladder.lanes:
        assert lane.title.split()[0][:8] in " ".join(words)


def test_labels_can_be_copied() -> None:
    text = said(drawn(sign_in()))
    for one in (
        "401 Unauthorized",
        "INFO rpl:join 200",
        "SUBSCRIBE ×4",
        "2.50 s very slow",
        "GC204",
    ):
        assert one in text
    assert "hole: 1460 bytes missing" in text
    assert "\\x00\\x1b[31m\\ud800" in said(drawn(alone()))


@given(ladders())
@settings(max_examples=8, deadline=None)
def test_any_ladder_is_a_document(ladder: Ladder) -> None:
    reader = drawn(ladder)
    assert f"Page 1 of {len(reader.pages)}" in said(reader)


def test_a_long_ladder_has_pages_with_heads_and_numbers_on_each() -> None:
    reader = drawn(long(120))
    pages = [page.extract_text() for page in reader.pages]
    assert len(pages) >= 3
    for number, text in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in text
        assert "Front End" in text
        assert "Long" in text


def test_all_pages_are_one_document_whatever_a_page_of_svg_holds() -> None:
    assert len(drawn(long(60), Look(page=10)).pages) == len(drawn(long(60)).pages)


def test_the_document_names_itself_and_the_time_of_the_capture() -> None:
    about = drawn(sign_in()).metadata
    assert about is not None
    assert about.title == "Session 1: user1"
    assert about.subject is not None
    assert "14 arrows" in about.subject
    assert about.creation_date_raw == "D:20261122070646+00'00'"
    assert about.modification_date_raw == about.creation_date_raw


def test_the_contents_name_every_step_once() -> None:
    outline = drawn(sign_in()).outline
    assert [one.title for one in outline if not isinstance(one, list)] == [
        "sign-in 1 REGISTER: ok",
        "sign-in 2 SUBSCRIBE: contact list: ok",
        "sign-in 4 INVITE to Lookup: ok",
        "posting 2 join: retried",
        "posting 4 upload: not captured",
    ]


def test_fonts_are_embedded() -> None:
    found = {}
    for page in drawn(sign_in()).pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            found[font["/BaseFont"]] = font
    used = [font for name, font in found.items() if "OpenSans" in name]
    assert {name.split("+")[-1] for name in found if "OpenSans" in name} == {
        "OpenSans-Regular",
        "OpenSans-SemiBold",
    }
    assert all("/FontFile2" in font["/FontDescriptor"] for font in used)


def test_what_open_sans_lacks_is_drawn_by_another_font_or_spelt_out() -> None:
    fonts = Fonts()
    plain, other = fonts.runs("abc \u2192 def", bold=False)[0], fonts.runs("\u10ffff", bold=True)
    assert plain.text.startswith("abc ")
    assert "".join(run.text for run in other) in {"\u10ffff", "\\u10ffff"}
    assert fonts.runs("\U000f1234", bold=False)[-1].text in {"\U000f1234", "\\U000f1234"}


def test_ideographs_are_kept_whatever_fonts_there_are() -> None:
    lane = replace(LANES[0], title="\u5f20\u4f1f")
    assert "\u5f20\u4f1f" in said(drawn(Ladder("\u4f1a\u8b70", "", (lane,), ())))


def test_the_page_fits_the_lanes_and_the_letters_stay_readable() -> None:
    assert page_for(700)[:2] == A4
    assert page_for(1400)[:2] == A4[::-1]
    assert page_for(2000)[:2] == A3[::-1]
    for width in (300, 700, 1400, 2000, 5000):
        page = page_for(width)
        assert LEAST_SCALE <= page.scale <= MOST_SCALE
        assert width * page.scale <= page.width
    assert page_for(200_000).width == WIDEST_PAGE


def test_the_same_ladder_gives_the_same_bytes() -> None:
    assert list(render_pdf(sign_in(), LOOK)) == list(render_pdf(sign_in(), LOOK))


def test_dark_when_asked_for() -> None:
    assert list(render_pdf(empty(), LOOK)) == list(render_pdf(empty(), Look(theme="light")))
    assert list(render_pdf(empty(), LOOK)) != list(render_pdf(empty(), Look(theme="dark")))


@pytest.mark.parametrize("module", ["reportlab", "ttf_opensans"])
def test_without_the_extra_one_line_says_how_to_get_it(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra) as caught:
        render_pdf(empty(), LOOK)
    assert str(caught.value) == (
        f"{module} is not installed (pip install 'xccos-analyzer[images]')"
    )
