"""A ladder as PDF: one document of pages that can be printed, its text selectable, fonts embedded.

Drawn by reportlab straight from the layout. Every page has the heads of the lanes; the table of
contents names the steps. The same ladder gives the same bytes.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from analyzer.extras import MissingExtra
from analyzer.ladder.drawing.fonts import OPEN_SANS
from analyzer.ladder.drawing.layout import sheets
from analyzer.ladder.drawing.plan import plan_of
from analyzer.ladder.drawing.primitives import Circle, Line, Path, Rect, Text
from analyzer.ladder.drawing.theme import PALETTES, ROLES, STYLES
from analyzer.times import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from analyzer.ladder.drawing.glyphs import Fonts
    from analyzer.ladder.drawing.primitives import Drawing, Part
    from analyzer.ladder.look import Look
    from analyzer.ladder.values import Ladder

A4, A3 = (595.28, 841.89), (841.89, 1190.55)
"""Points (1/72 inch), upright (ISO 216)."""
MARGIN, FOOT = 12.0, 26.0
"""Around the drawing, which has a margin of its own, and under it for the page number."""
MOST_SCALE = 0.75
"""Points of a pixel: then a label is of 9 points."""
LEAST_SCALE = 0.54
"""A label is of 6.5 points: below that paper is hard to read, and a larger page is chosen."""
WIDEST_PAGE = 14_400.0
"""What a PDF viewer takes (ISO 32000-1, annex C.2)."""


class Page(NamedTuple):
    """A size of paper, and how large the drawing is on it."""

    width: float
    height: float
    scale: float


def page_for(width: float) -> Page:
    """Return the first of A4 upright, A4 and A3 across, or a wider page, that fits a drawing."""
    for paper in (A4, A4[::-1], A3[::-1]):
        scale = (paper[0] - 2 * MARGIN) / width
        if scale >= LEAST_SCALE:
            return Page(*paper, min(scale, MOST_SCALE))
    wanted = min(width * LEAST_SCALE + 2 * MARGIN, WIDEST_PAGE)
    return Page(wanted, A3[0], (wanted - 2 * MARGIN) / width)


def render_pdf(ladder: Ladder, look: Look) -> Iterator[bytes]:
    """Return a ladder as one PDF document.

    Raises:
        MissingExtra: reportlab or ttf_opensans is not installed.
    """
    try:
        import reportlab  # noqa: F401
        import ttf_opensans  # noqa: F401
    except ImportError as error:
        raise MissingExtra(error.name or "reportlab", "images") from error
    return iter((_document(ladder, look),))


def _document(ladder: Ladder, look: Look) -> bytes:
    from reportlab.pdfgen.canvas import Canvas

    page = page_for(plan_of(ladder, look, OPEN_SANS).columns.width)
    tallest = (page.height - MARGIN - FOOT) / page.scale
    drawings = list(sheets(ladder, look, OPEN_SANS, tallest))
    out = BytesIO()
    canvas = Canvas(out, pagesize=page[:2], invariant=1, pageCompression=1, lang="en")
    _describe(canvas, ladder, drawings[0])
    pen = _Pen(canvas, "dark" if look.theme == "dark" else "light")
    for number, drawing in enumerate(drawings, 1):
        _sheet(pen, page, drawing, number, len(drawings))
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _describe(canvas: Any, ladder: Ladder, drawing: Drawing) -> None:  # noqa: ANN401
    from analyzer.times import time_text

    canvas.setTitle(drawing.title)
    canvas.setSubject(drawing.description)
    canvas.setAuthor("xccos-analyzer")
    canvas.setCreator("xccos-analyzer")
    began = ladder.events[0].time if ladder.events else ladder.began
    stamp = "".join(one for one in time_text(began // SECOND * SECOND, 0) if one.isdigit())
    # The day of the capture, not of this run: the same ladder gives the same file.
    canvas.setDateFormatter(lambda *_: f"D:{stamp}+00'00'")


def _sheet(pen: _Pen, page: Page, drawing: Drawing, number: int, count: int) -> None:
    canvas = pen.canvas
    pen.fresh()
    pen.fill("paper")
    canvas.rect(0, 0, page.width, page.height, stroke=0, fill=1)
    for mark in drawing.bookmarks:
        if mark.fresh:
            key = f"{number}-{mark.y:g}"
            top = page.height - MARGIN - mark.y * page.scale
            canvas.bookmarkPage(key, fit="XYZ", left=0, top=round(top, 1), zoom=0)
            canvas.addOutlineEntry(mark.title, key, level=0)
    canvas.saveState()
    canvas.translate(MARGIN, page.height - MARGIN)
    canvas.scale(page.scale, page.scale)
    for item in drawing.items:
        for part in item.parts:
            pen.draw(part)
    canvas.restoreState()
    pen.fresh()
    canvas.saveState()
    canvas.translate(page.width - 3 * MARGIN, FOOT / 2)
    canvas.scale(MOST_SCALE, MOST_SCALE)
    pen.draw(Text(0, 0, "end", "sub", f"Page {number} of {count}"))
    canvas.restoreState()


class _Pen:
    """Draws parts on a canvas; y grows upwards there, and downwards in a drawing."""

    def __init__(self, canvas: Any, theme: str) -> None:  # noqa: ANN401  (reportlab has no types)
        from analyzer.ladder.drawing.glyphs import Fonts

        self.canvas = canvas
        self._fonts: Fonts = Fonts()
        self._palette = PALETTES["dark" if theme == "dark" else "light"]
        self._style = self._ink = ""
        self._by_type: dict[type, Callable[[Any], None]] = {
            Text: self._text,
            Line: self._line,
            Path: self._path,
            Rect: self._rect,
            Circle: self._circle,
        }

    def fresh(self) -> None:
        """Forget what was set: the canvas has forgotten it too."""
        self._style = self._ink = ""

    def fill(self, colour: str) -> None:
        """Fill shapes and text with a colour of the palette from now on."""
        if colour != self._ink:
            self._ink = colour
            self.canvas.setFillColorRGB(*_rgb(self._palette[colour]))

    def draw(self, part: Part) -> None:
        """Draw a part."""
        self._by_type[type(part)](part)

    def _take(self, name: str) -> dict[str, int]:
        """Take the style of this name; return what of a shape is drawn."""
        style = STYLES[name]
        if style.fill:
            self.fill(style.fill)
        if name != self._style and style.stroke:
            self._style = name
            self.canvas.setStrokeColorRGB(*_rgb(self._palette[style.stroke]))
            self.canvas.setLineWidth(style.width)
            self.canvas.setDash(list(style.dash))
            self.canvas.setLineCap(1 if name.startswith("sign-") else 0)
        return {"stroke": int(bool(style.stroke)), "fill": int(bool(style.fill))}

    def _line(self, one: Line) -> None:
        self._take(one.style)
        self.canvas.line(one.x1, -one.y1, one.x2, -one.y2)

    def _path(self, one: Path) -> None:
        drawn = self._take(one.style)
        path = self.canvas.beginPath()
        calls = {"M": path.moveTo, "L": path.lineTo, "C": path.curveTo, "Z": path.close}
        for letter, *places in one.commands:
            calls[str(letter)](*(_turned(places)))
        self.canvas.drawPath(path, **drawn)

    def _rect(self, one: Rect) -> None:
        drawn = self._take(one.style)
        place = (one.x, -one.y - one.height, one.width, one.height)
        if one.radius:
            self.canvas.roundRect(*place, one.radius, **drawn)
        else:
            self.canvas.rect(*place, **drawn)

    def _circle(self, one: Circle) -> None:
        self.canvas.circle(one.x, -one.y, one.radius, **self._take(one.style))

    def _text(self, one: Text) -> None:
        face = ROLES[one.role]
        runs = self._fonts.runs(one.text, bold=face.bold)
        width = sum(self._fonts.width(run, face.size) for run in runs)
        planned = OPEN_SANS.width(one.text, face.size, bold=face.bold)
        # What other fonts draw may be wider than the room that was left for it.
        narrow = min(planned / width, 1.0) if width else 1.0
        x = one.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[one.anchor] * width * narrow
        self.fill(face.colour)
        text = self.canvas.beginText(x, -one.y)
        if narrow < _TIGHT:
            text.setHorizScale(100 * narrow)
        for run in runs:
            text.setFont(run.font, face.size)
            text.textOut(run.text)
        if narrow < _TIGHT:
            text.setHorizScale(100)
        self.canvas.drawText(text)


_TIGHT = 0.999
"""Below this share of its width a text is drawn narrower; above, numbers were only rounded."""


def _turned(places: Sequence[Any]) -> list[float]:
    return [-value if at % 2 else value for at, value in enumerate(places)]


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue
