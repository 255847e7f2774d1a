"""A ladder as SVG: vector, its text selectable, light and dark, printed light.

One style sheet and a few elements an arrow, no script, no filter and nothing from elsewhere: a
browser scrolls thousands of arrows, and other programs (resvg, Inkscape) draw the same picture.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from analyzer.ladder.drawing.layout import layouts
from analyzer.ladder.drawing.primitives import Circle, Line, Path, Rect, Text
from analyzer.ladder.drawing.theme import DARK, FAMILY, LIGHT, ROLES, STYLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.ladder.drawing.primitives import Drawing, Item, Part
    from analyzer.ladder.look import Look, Theme
    from analyzer.ladder.values import Ladder

NAMESPACE = "http://www.w3.org/2000/svg"
_BASE = (
    "{font-family:" + ",".join(f"'{name}'" for name in FAMILY) + ",sans-serif;"
    # Backgrounds are part of the picture: on paper too.
    "-webkit-print-color-adjust:exact;print-color-adjust:exact}"
)
_TIPS = "svg.ladder g{pointer-events:bounding-box}"
"""A tooltip comes up between the parts of an arrow too."""


def render_svg(ladder: Ladder, look: Look) -> Iterator[bytes]:
    """Yield the pages of a ladder, each an SVG document in UTF-8."""
    for drawing in layouts(ladder, look):
        yield svg_document(drawing, look.theme)


def svg_document(drawing: Drawing, theme: Theme) -> bytes:
    """Return a drawing as an SVG document in UTF-8."""
    from lxml import etree

    out = BytesIO()
    tree = etree.ElementTree(svg_element(drawing, theme))
    tree.write(out, encoding="UTF-8", xml_declaration=True)
    return out.getvalue() + b"\n"


def svg_element(drawing: Drawing, theme: Theme) -> Any:  # noqa: ANN401  (lxml loads on demand)
    """Return a drawing as an ``svg`` element of lxml, to be written or put into a page."""
    from lxml import etree

    width, height = _number(drawing.width), _number(drawing.height)
    spaces: Any = {None: NAMESPACE}  # the stubs of lxml know no default namespace
    root = etree.Element(
        f"{{{NAMESPACE}}}svg",
        {
            "class": "ladder",
            "width": width,
            "height": height,
            "viewBox": f"0 0 {width} {height}",
            "role": "img",
            "aria-label": f"{drawing.title}. {drawing.description}",
        },
        nsmap=spaces,
    )
    root.text = "\n"
    writer = _Writer(etree.SubElement)
    writer.text(root, "title", drawing.title)
    writer.text(root, "desc", drawing.description)
    writer.text(root, "style", style_sheet(theme))
    writer.part(root, Rect(0, 0, drawing.width, drawing.height, "paper"))
    for item in drawing.items:
        writer.item(root, item)
    for child in root:
        child.tail = "\n"
    return root


class _Writer:
    """Writes items as elements; what it is given makes an element in a parent."""

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make
        self._by_type: dict[type, Callable[[Any, Any], None]] = {
            Text: self._text,
            Line: self._line,
            Path: self._path,
            Rect: self._rect,
            Circle: self._circle,
        }

    def item(self, parent: Any, item: Item) -> None:  # noqa: ANN401
        attributes: dict[str, str] = {"class": item.kind}
        if item.frame is not None:
            attributes["data-frame"] = str(item.frame)
        group = self._make(parent, f"{{{NAMESPACE}}}g", attributes)
        if item.tip:
            self.text(group, "title", item.tip)
        for part in item.parts:
            self._by_type[type(part)](group, part)

    def part(self, parent: Any, part: Part) -> None:  # noqa: ANN401
        self._by_type[type(part)](parent, part)

    def text(self, parent: Any, name: str, text: str) -> None:  # noqa: ANN401
        self._make(parent, f"{{{NAMESPACE}}}{name}").text = text

    def _text(self, parent: Any, one: Text) -> None:  # noqa: ANN401
        attributes = {"class": one.role, "x": _number(one.x), "y": _number(one.y)}
        if one.anchor != "start":
            attributes["text-anchor"] = one.anchor
        self._make(parent, _TEXT, attributes).text = one.text

    def _line(self, parent: Any, one: Line) -> None:  # noqa: ANN401
        ends = f"M{_number(one.x1)} {_number(one.y1)}"
        if one.y1 == one.y2:
            ends += f"H{_number(one.x2)}"
        else:
            ends += f"L{_number(one.x2)} {_number(one.y2)}"
        self._make(parent, _PATH, {"class": one.style, "d": ends})

    def _path(self, parent: Any, one: Path) -> None:  # noqa: ANN401
        drawn = "".join([
            f"{letter}{' '.join(map(_number, places))}" for letter, *places in one.commands
        ])  # fmt: skip
        self._make(parent, _PATH, {"class": one.style, "d": drawn})

    def _rect(self, parent: Any, one: Rect) -> None:  # noqa: ANN401
        attributes = {
            "class": one.style,
            "x": _number(one.x),
            "y": _number(one.y),
            "width": _number(one.width),
            "height": _number(one.height),
        }
        if one.radius:
            attributes["rx"] = _number(one.radius)
        self._make(parent, f"{{{NAMESPACE}}}rect", attributes)

    def _circle(self, parent: Any, one: Circle) -> None:  # noqa: ANN401
        attributes = {
            "class": one.style,
            "cx": _number(one.x),
            "cy": _number(one.y),
            "r": _number(one.radius),
        }
        self._make(parent, f"{{{NAMESPACE}}}circle", attributes)


_TEXT = f"{{{NAMESPACE}}}text"
_PATH = f"{{{NAMESPACE}}}path"


def _number(value: Any) -> str:  # noqa: ANN401  (the coordinates of a command)
    """Return a coordinate to a tenth of a pixel."""
    rounded = round(value, 1)
    whole = int(rounded)
    return str(whole) if whole == rounded else str(rounded)


def style_sheet(theme: Theme) -> str:
    """Return the style sheet of a drawing.

    Colours are written out, not as CSS variables, which many programs that draw SVG do not know.
    """
    light, dark = list(_rules(LIGHT.__getitem__)), list(_rules(DARK.__getitem__))
    lines = ["", f"svg.ladder{_BASE}", _TIPS]
    if theme == "dark":
        lines += [*dark, "@media print{", *light, "}"]
    else:
        lines += light
    if theme == "auto":
        lines += ["svg.ladder{color-scheme:light dark}"]
        lines += ["@media screen and (prefers-color-scheme:dark){", *dark, "}"]
    return "\n".join([*lines, ""])


def _rules(colour: Callable[[str], str]) -> Iterator[str]:
    # Of a document of its own that is the colour of the window around it.
    yield f"svg.ladder{{background:{colour('paper')}}}"
    for name, style in STYLES.items():
        said = [f"fill:{colour(style.fill) if style.fill else 'none'}"]
        if style.stroke:
            said += [f"stroke:{colour(style.stroke)}", f"stroke-width:{style.width:g}"]
        if style.dash:
            said.append(f"stroke-dasharray:{' '.join(f'{one:g}' for one in style.dash)}")
        if name.startswith("sign-"):
            said.append("stroke-linecap:round;stroke-linejoin:round")
        yield f"svg.ladder .{name}{{{';'.join(said)}}}"
    for name, face in ROLES.items():
        weight = ";font-weight:600" if face.bold else ""
        yield (
            f"svg.ladder text.{name}{{fill:{colour(face.colour)};stroke:none;"
            f"font-size:{face.size:g}px{weight}}}"
        )
