"""A ladder as PNG, drawn by resvg without a browser and without fonts of the system.

Open Sans comes with the package; what it lacks (an ideograph in a name) a font of the system draws,
if there is one.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from analyzer.extras import MissingExtra
from analyzer.ladder.drawing.fonts import OPEN_SANS
from analyzer.ladder.drawing.layout import sheets
from analyzer.ladder.svg import svg_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.ladder.drawing.primitives import Drawing
    from analyzer.ladder.look import Look, Theme
    from analyzer.ladder.values import Ladder

SCALE = 2.0
"""Pixels of the picture for one of the layout: sharp on today's screens and on paper."""
TALLEST = 4000
"""Pixels of the layout, some hundred rows: twice that is below the 16,384 that browsers and
graphics cards take for one side of a picture."""
WIDEST_SIDE = 16_000
"""Pixels of the picture's width, for the same reason."""
MOST_PIXELS = 48_000_000
"""Of one picture: at four bytes each the drawing takes 192 MB, and a viewer as much again."""


def render_png(ladder: Ladder, look: Look, *, system_fonts: bool = True) -> Iterator[bytes]:
    """Return the pages of a ladder, each a PNG file; of long ladders smaller pages than SVG has.

    Raises:
        MissingExtra: resvg_py or ttf_opensans is not installed.
    """
    try:
        import resvg_py  # noqa: F401
        import ttf_opensans
    except ImportError as error:
        raise MissingExtra(error.name or "resvg_py", "images") from error
    folder = ttf_opensans.OPENSANS_REGULAR.path.parent
    fonts = [str(folder / f"OpenSans-{weight}.ttf") for weight in ("Regular", "SemiBold")]
    theme: Theme = "dark" if look.theme == "dark" else "light"
    return (
        _drawn(svg_document(sheet, theme), sheet, fonts, system_fonts=system_fonts)
        for sheet in sheets(ladder, look, OPEN_SANS, TALLEST)
    )


def scale_of(drawing: Drawing) -> float:
    """Return how many pixels one pixel of the layout gets, so that the picture is within bounds."""
    area = sqrt(MOST_PIXELS / (drawing.width * drawing.height))
    return min(SCALE, area, WIDEST_SIDE / drawing.width, WIDEST_SIDE / drawing.height)


def _drawn(document: bytes, drawing: Drawing, fonts: list[str], *, system_fonts: bool) -> bytes:
    import resvg_py

    scale = scale_of(drawing)
    return resvg_py.svg_to_bytes(
        svg_string=document.decode(),
        skip_system_fonts=not system_fonts,
        font_files=fonts,
        font_family="Open Sans",
        sans_serif_family="Open Sans",
        width=int(drawing.width * scale),  # the height follows
    )
