"""Reports of captures, as the tests look at them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from lxml import html

from analyzer.ladder.build import Options
from analyzer.ladder.look import Look
from analyzer.ladder.selection import Choice
from analyzer.report.content import Content, content_of
from analyzer.report.document import report_html
from analyzer.report.head import Origin
from analyzer.report.sharing import Sharing
from analyzer.trace import open_capture
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORIGIN = Origin("capture.pcap", 1234, "ab" * 32, "xccos report capture.pcap", "1.0")
SAMPLE = SAMPLES / "fault-503.pcap"
TWO_USERS = SAMPLES / "twousers-post.pcap"
HOPS = SAMPLES / "fe-two-hops.pcapng"


def content(path: Path, choice: Choice | None = None) -> Content:
    """Return what a report of a capture tells; the capture is closed again."""
    with open_capture(path, index=False) as trace:
        return content_of(trace, choice or Choice(), Options())


def page(
    path: Path,
    choice: Choice | None = None,
    *,
    sharing: Sharing | None = None,
    look: Look | None = None,
    aliases: dict[str, str] | None = None,
) -> bytes:
    """Return a report of a capture."""
    with open_capture(path, index=False) as trace:
        found = content_of(trace, choice or Choice(), Options(aliases=aliases or {}))
        return report_html(found, ORIGIN, sharing or Sharing(), look or Look(), aliases or {})


@cache
def known(path: Path) -> Any:  # noqa: ANN401  (lxml's XPath gives anything)
    """Return the document of the report of a sample, made once."""
    return document(page(path))


def document(data: bytes) -> Any:  # noqa: ANN401
    """Return a page, parsed."""
    return html.document_fromstring(data.decode())


def words(element: Any) -> str:  # noqa: ANN401
    """Return the text of an element on one line, without that of scripts and styles."""
    return " ".join("".join(_texts(element)).split())


def _texts(element: Any) -> Iterator[str]:  # noqa: ANN401
    if element.tag in ("script", "style"):
        yield element.tail or ""
        return
    yield element.text or ""
    for child in element:
        yield from _texts(child)
        if child.tag not in ("script", "style"):
            yield " " if child.tag in ("td", "th", "dt", "dd", "li", "p") else ""
    yield element.tail or ""


def by_id(element: Any, identifier: str) -> Any:  # noqa: ANN401
    """Return the element of an id; there is one."""
    found = element.xpath("//*[@id=$id]", id=identifier)
    assert len(found) == 1, f"{len(found)} elements have the id {identifier}"
    return found[0]
