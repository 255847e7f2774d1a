"""How the parts of a drawing look: colours for light and dark, lines, and the faces of text.

No meaning is carried by colour alone: what is bad, slow or doubtful also has a symbol or a word,
and requests, responses and connections differ by their line and head. Every text stands out from
every ground it is put on by at least 4.5:1 (WCAG 2.1, 1.4.3); a test computes it.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

FAMILY = ("Open Sans", "Segoe UI", "Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans")
"""Fonts to take text from, the first that there is; ``fonts.WIDEST`` covers all of them."""

Palette = dict[str, str]
LIGHT: Palette = {
    "paper": "#ffffff",
    "card": "#f4f6f8",
    "ink": "#1b2129",
    "muted": "#55606c",
    "rule": "#d3d9e0",
    "life": "#a9b4bf",
    "request": "#0a4f96",
    "response": "#44505c",
    "connection": "#6a3aa5",
    "good": "#12642b",
    "doubtful": "#854d00",
    "bad": "#b01c17",
    "good-tint": "#e9f5ec",
    "doubtful-tint": "#fff4db",
    "bad-tint": "#fdecea",
    "client": "#0a4f96",
    "server": "#44505c",
    "chat": "#0b6b6b",
    "web": "#6a3aa5",
}
DARK: Palette = {
    "paper": "#12161b",
    "card": "#1c222a",
    "ink": "#e8ecf1",
    "muted": "#a3aebb",
    "rule": "#343d48",
    "life": "#566270",
    "request": "#74b6ff",
    "response": "#b9c4cf",
    "connection": "#c6a6f7",
    "good": "#66cf86",
    "doubtful": "#e9b44f",
    "bad": "#ff8f85",
    "good-tint": "#14291b",
    "doubtful-tint": "#33270d",
    "bad-tint": "#3b1a18",
    "client": "#74b6ff",
    "server": "#b9c4cf",
    "chat": "#5fc9c4",
    "web": "#c6a6f7",
}
PALETTES: dict[Literal["light", "dark"], Palette] = {"light": LIGHT, "dark": DARK}
GROUNDS = ("paper", "card", "good-tint", "doubtful-tint", "bad-tint")
"""Colours that text is put on."""


class Style(NamedTuple):
    """The look of a shape; colours are names in the palette."""

    stroke: str | None = None
    width: float = 1.0
    fill: str | None = None
    dash: tuple[float, ...] = ()


class Face(NamedTuple):
    """The look of a text."""

    size: float
    colour: str
    bold: bool = False


_TONES = {"plain": None, "good": None, "doubtful": "doubtful", "bad": "bad"}
_WIDTHS = {"plain": 1.5, "good": 1.5, "doubtful": 1.5, "bad": 2.25}
"""A bad arrow is thicker too."""


def arrow_style(kind: str, tone: str) -> str:
    """Return the name of an arrow's style; ``-head`` behind it names that of its head."""
    return kind if _TONES[tone] is None else f"{kind}-{tone}"


def _arrows() -> dict[str, Style]:
    found: dict[str, Style] = {}
    for tone, own in _TONES.items():
        for kind, dash in (("request", ()), ("response", (6, 4)), ("connection", (1.5, 3.5))):
            name, colour, width = arrow_style(kind, tone), own or kind, _WIDTHS[tone]
            found[name] = Style(colour, width, None, dash)
            filled = None if kind == "response" else colour
            found[f"{name}-head"] = Style(colour, width, filled)
    return found


_INKS = ("ink", "muted", "request", "response", "connection", "good", "doubtful", "bad")
_LANES = ("client", "server", "chat", "web")
STYLES: dict[str, Style] = {
    "paper": Style(fill="paper"),
    "halo": Style(fill="paper"),
    "life": Style("life", 1.25),
    "guide": Style("rule", 1, None, (1, 4)),
    "rule": Style("rule", 1),
    "hop": Style("ink", 1.5, "paper"),
    "head": Style("life", 1, "paper"),
    "track": Style("muted", 1),
    "track-slow": Style("doubtful", 1.75),
    "track-very-slow": Style("bad", 2.25),
    "tag": Style("doubtful", 1, "doubtful-tint"),
    "tag-bad": Style("bad", 1, "bad-tint"),
    "tag-plain": Style("life", 1, "card"),
    "card-good": Style(fill="good-tint"),
    "card-doubtful": Style(fill="doubtful-tint"),
    "card-bad": Style(fill="bad-tint"),
    "card-plain": Style(fill="card"),
    "note-good": Style("good", 1, "good-tint"),
    "note-doubtful": Style("doubtful", 1, "doubtful-tint"),
    "note-bad": Style("bad", 1.5, "bad-tint"),
    "note-plain": Style("life", 1, "card"),
    **_arrows(),
    **{f"sign-{ink}": Style(ink, 1.75) for ink in _INKS},
    **{f"solid-{ink}": Style(fill=ink) for ink in _INKS},
    **{f"lane-{lane}": Style(fill=lane) for lane in _LANES},
}
"""``sign-…`` are the strokes of symbols, ``solid-…`` their filled parts."""

ROLES: dict[str, Face] = {
    "title": Face(20, "ink", bold=True),
    "subtitle": Face(12, "muted"),
    "head": Face(13, "ink", bold=True),
    "sub": Face(10.5, "muted"),
    "kind": Face(9, "muted", bold=True),
    "column": Face(10.5, "muted", bold=True),
    "time": Face(11, "ink"),
    "frame": Face(11, "muted"),
    "label": Face(12, "ink"),
    "label-bad": Face(12, "bad", bold=True),
    "label-doubtful": Face(12, "doubtful"),
    "label-good": Face(12, "ink"),
    "latency": Face(11, "muted"),
    "latency-slow": Face(11, "doubtful", bold=True),
    "latency-very-slow": Face(11, "bad", bold=True),
    "tag": Face(10, "doubtful", bold=True),
    "tag-bad": Face(10, "bad", bold=True),
    "tag-plain": Face(10, "muted"),
    "answer": Face(11, "good"),
    "answer-bad": Face(11, "bad", bold=True),
    "answer-plain": Face(11, "muted"),
    "flow": Face(9, "muted", bold=True),
    "step": Face(12, "ink", bold=True),
    "status-good": Face(10.5, "good", bold=True),
    "status-doubtful": Face(10.5, "doubtful", bold=True),
    "status-bad": Face(10.5, "bad", bold=True),
    "status-plain": Face(10.5, "muted", bold=True),
    "detail": Face(10.5, "muted"),
    "note": Face(12, "ink", bold=True),
    "note-text": Face(11, "ink"),
    "legend": Face(11, "muted"),
    "left": Face(11, "ink"),
}
