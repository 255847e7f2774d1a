"""Fonts of a PDF: Open Sans, and for what it lacks the fonts that the machine has.

A character that no font has is spelt out, so that nothing of a name is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reportlab.pdfbase.ttfonts import TTFont

FALLBACKS = (
    *("DejaVuSans.ttf", "arialuni.ttf", "ArialUnicode.ttf", "segoeui.ttf", "NotoSans-Regular.ttf"),
    *("DroidSansFallbackFull.ttf", "wqy-microhei.ttc", "wqy-zenhei.ttc", "msgothic.ttc"),
)
"""Files with many scripts, looked for where reportlab looks: the places of the system's fonts."""
CJK = "STSong-Light"
"""A font that a PDF only names and every viewer brings (Adobe-GB1, with kana): the last resort for
ideographs."""
_IDEOGRAPHS = ((0x2E80, 0xA4CF), (0xF900, 0xFAFF), (0xFF00, 0xFFEF))


class Run(NamedTuple):
    """Characters one after the other that one font draws."""

    font: str
    text: str


class Fonts:
    """The fonts of one document."""

    def __init__(self) -> None:
        import ttf_opensans
        from reportlab.pdfbase import pdfmetrics

        folder = ttf_opensans.OPENSANS_REGULAR.path.parent
        self._own: dict[bool, TTFont] = {}
        for bold, name in ((False, "OpenSans-Regular"), (True, "OpenSans-SemiBold")):
            self._own[bold] = _font(name, str(folder / f"{name}.ttf"))
        self._others: list[TTFont] | None = None
        self._pdfmetrics = pdfmetrics

    def runs(self, text: str, *, bold: bool) -> list[Run]:
        """Return a text in parts that one font each can draw."""
        own = self._own[bold]
        glyphs = own.face.charToGlyph
        if all(ord(one) in glyphs for one in text):
            return [Run(own.fontName, text)]
        runs: list[Run] = []
        for part in self._chosen(text, own):
            if runs and runs[-1].font == part.font:
                runs[-1] = Run(part.font, runs[-1].text + part.text)
            else:
                runs.append(part)
        return runs

    def width(self, run: Run, size: float) -> float:
        """Return the width of a run at a size."""
        width: float = self._pdfmetrics.stringWidth(run.text, run.font, size)
        return width

    def _chosen(self, text: str, own: TTFont) -> Iterator[Run]:
        if self._others is None:
            self._others = list(_others())
        for one in text:
            code = ord(one)
            found = next((f for f in (own, *self._others) if code in f.face.charToGlyph), None)
            if found is not None:
                yield Run(found.fontName, one)
            elif any(first <= code <= last for first, last in _IDEOGRAPHS):
                yield Run(self._named(), one)
            else:
                yield Run(own.fontName, f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")

    def _named(self) -> str:
        from reportlab.pdfbase.cidfonts import UnicodeCIDFont

        if CJK not in self._pdfmetrics.getRegisteredFontNames():
            self._pdfmetrics.registerFont(UnicodeCIDFont(CJK))
        return CJK


def _font(name: str, file: str) -> TTFont:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    font = TTFont(name, file)
    pdfmetrics.registerFont(font)
    return font


def _others() -> Iterator[TTFont]:
    from reportlab.pdfbase.ttfonts import TTFError

    for file in FALLBACKS:
        try:
            yield _font(f"fallback-{file}", file)
        except TTFError:  # not on this machine, or of a kind that reportlab cannot embed
            continue
