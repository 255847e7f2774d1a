"""Ladders as PNG: without a browser and without fonts of the system, bounded in size."""

from __future__ import annotations

import sys
from dataclasses import replace
from io import BytesIO
from math import ceil
from typing import TYPE_CHECKING, cast

import pytest
from PIL import Image

from analyzer.extras import MissingExtra
from analyzer.ladder import png
from analyzer.ladder.drawing.fonts import OPEN_SANS
from analyzer.ladder.drawing.layout import layout, sheets
from analyzer.ladder.drawing.theme import DARK, LIGHT
from analyzer.ladder.look import Look
from analyzer.ladder.png import MOST_PIXELS, TALLEST, WIDEST_SIDE, render_png, scale_of
from tests.analyzer.ladder.examples import empty, long
from tests.analyzer.ladder.shapes import SMALL

if TYPE_CHECKING:
    from analyzer.ladder.drawing.theme import Palette
    from analyzer.ladder.look import Theme

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LOOK = Look()


def opened(picture: bytes) -> Image.Image:
    assert picture[:8] == SIGNATURE
    return Image.open(BytesIO(picture))


def size(picture: bytes) -> tuple[int, int]:
    return opened(picture).size


def colours(picture: bytes, box: tuple[int, int, int, int]) -> list[str]:
    """Return the colours in a part of a picture (left, top, right, bottom), the commonest first."""
    part = opened(picture).convert("RGB").crop(box)
    found = cast("list[tuple[int, tuple[int, int, int]]]", part.getcolors(1 << 20))
    return [f"#{red:02x}{green:02x}{blue:02x}" for _, (red, green, blue) in sorted(found)[::-1]]


@pytest.mark.parametrize("name", SMALL)
def test_every_ladder_is_one_picture_with_something_on_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(png, "SCALE", 0.5)
    pictures = list(render_png(SMALL[name](), LOOK))
    assert len(pictures) == 1
    width, height = size(pictures[0])
    seen = colours(pictures[0], (0, 0, width, height))
    assert seen[0] == LIGHT["paper"]
    assert len(seen) > 50


def test_a_picture_has_two_pixels_for_one_of_the_layout() -> None:
    drawing = next(sheets(empty(), LOOK, OPEN_SANS, TALLEST))
    assert size(next(render_png(empty(), LOOK))) == (2 * drawing.width, 2 * drawing.height)


def test_text_is_drawn_on_a_machine_without_fonts() -> None:
    named = next(render_png(replace(empty(), title="WWWW"), LOOK, system_fonts=False))
    nameless = next(render_png(replace(empty(), title=" "), LOOK, system_fonts=False))
    title = (48, 48, 200, 90)
    # Letters in their ink, their edges of many greys.
    assert LIGHT["ink"] in colours(named, title)
    assert len(colours(named, title)) > 10
    assert colours(nameless, title) == [LIGHT["paper"]]


def test_what_open_sans_has_looks_the_same_with_fonts_of_the_system() -> None:
    assert list(render_png(empty(), LOOK)) == list(render_png(empty(), LOOK, system_fonts=False))


@pytest.mark.parametrize(("theme", "palette"), [("auto", LIGHT), ("light", LIGHT), ("dark", DARK)])
def test_light_unless_dark_is_asked_for(theme: Theme, palette: Palette) -> None:
    picture = next(render_png(empty(), Look(theme=theme)))
    assert colours(picture, (0, 0, 40, 40)) == [palette["paper"]]


def test_a_long_ladder_becomes_several_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "TALLEST", 700)
    monkeypatch.setattr(png, "SCALE", 0.5)
    pictures = list(render_png(long(40), LOOK))
    whole = layout(long(40), LOOK, OPEN_SANS).height
    assert len(pictures) >= ceil(whole / 700)
    assert all(size(picture)[1] <= 700 / 2 for picture in pictures)


def test_no_picture_is_larger_than_viewers_take() -> None:
    drawing = layout(empty(), LOOK, OPEN_SANS)
    for width, height in (
        (500, 400),
        (3_000, 4_000),
        (30_000, 4_000),
        (200_000, 100),
        (600, 90_000),
    ):
        huge = drawing._replace(width=width, height=height)
        scale = scale_of(huge)
        assert 0 < scale <= 2
        assert width * height * scale * scale <= MOST_PIXELS * 1.001
        assert max(width, height) * scale <= WIDEST_SIDE
    assert scale_of(drawing) == 2


def test_the_same_ladder_gives_the_same_bytes() -> None:
    assert list(render_png(empty(), LOOK)) == list(render_png(empty(), LOOK))


@pytest.mark.parametrize("module", ["resvg_py", "ttf_opensans"])
def test_without_the_extra_one_line_says_how_to_get_it(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra) as caught:
        render_png(empty(), LOOK)
    assert str(caught.value) == (
        f"{module} is not installed (pip install 'xccos-analyzer[images]')"
    )
