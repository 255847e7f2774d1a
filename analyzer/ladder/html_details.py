"""The messages behind the arrows, as JSON inside a page: headers, XCCOS tree, body, bounded.

They lie in ``<script type="application/json">`` elements of some hundred kilobytes each, and the
page reads one when someone asks for a message in it. A page without them is whole, only without
the messages.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lxml import etree

from analyzer.export.printable import printable, printable_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analyzer.ladder.look import Detail
    from analyzer.ladder.values import Ladder

Record = dict[str, Any]
BODY_CHARACTERS = 16_384
"""Of a message body: a room list of hundreds of rooms goes in; an upload does not."""
VALUE_CHARACTERS = 4_096
"""Of one header value, attribute or text: an NTLM or Kerberos token goes in whole."""
HEADERS = 200
"""Header lines of one message; real ones have 10 to 40."""
NODES = 500
"""XML elements of one message."""
DEPTH = 40
"""Of XML elements in one another; XCCOS nests six deep."""
ALL_BYTES = 24 * 1024 * 1024
"""Of all messages of a page: about 6,000 usual ones. Mail and ticket systems take 25 MB."""
PART_BYTES = 256 * 1024
"""Of one element: read in about two milliseconds."""
_ESCAPES = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


def json_text(value: object) -> str:
    """Return JSON that can stand in a script element, whatever its strings hold.

    It is ASCII, so U+2028 and lone surrogates are spelt, and it has no markup.
    """
    return json.dumps(value, separators=(",", ":")).translate(_ESCAPES)


def rows_of(ladder: Ladder) -> list[int]:
    """Return the rows behind a ladder: messages and answers first, then their hop copies."""
    arrows = ladder.arrows
    first = [
        row
        for one in arrows
        for row in (*one.rows, *([one.answer.row] if one.answer is not None else ()))
    ]
    hops = [hop.row for one in arrows for hop in one.hops]
    return list(dict.fromkeys((*first, *hops)))


class Details:
    """The records of messages, bounded, and what they say of who answers whom."""

    def __init__(self, rows: Iterable[int], detail: Detail, limit: int = ALL_BYTES) -> None:
        """``limit``: bytes of all of them; the messages after those that fit are left out."""
        self.answers: dict[int, int] = {}
        """The row of the final answer by that of its request."""
        self.left_out = 0
        """Messages for which there was no more room."""
        self._parts: list[tuple[list[int], list[str]]] = []
        room, part = limit, 0
        for row in rows:
            text = json_text(self._bounded(row, detail(row))) if room > 0 else ""
            if len(text) > room or not text:
                room = 0
                self.left_out += 1
                continue
            if not self._parts or part + len(text) > PART_BYTES:
                self._parts.append(([], []))
                part = 0
            self._parts[-1][0].append(row)
            self._parts[-1][1].append(f'"{row}":{text}')
            part += len(text)
            room -= len(text)

    def elements(self) -> Iterator[etree._Element]:
        """Yield the script elements, each with the rows in it."""
        for rows, texts in self._parts:
            element = etree.Element("script", type="application/json")
            element.set("class", "xl-details")
            element.set("data-rows", " ".join(map(str, rows)))
            element.text = f"{{{','.join(texts)}}}"
            yield element

    def _bounded(self, row: int, record: Record) -> Record:
        belongs = record.get("belongs_to") or {}
        transaction = belongs.get("transaction") or {}
        if transaction.get("final") == row and transaction.get("request") is not None:
            self.answers[transaction["request"]] = row
        return message_record(record)


KEPT = ("frame", "frames", "time", "src", "dst", "transport", "kind", "length", "belongs_to")


def message_record(record: Record) -> Record:
    """Return what a page shows of the record of a message; ``cut`` says what is not whole."""
    cut: list[str] = []
    headers = record.get("headers") or []
    if len(headers) > HEADERS:
        cut.append(f"{len(headers) - HEADERS} of {len(headers)} headers are left out")
    kept = {
        **{key: _clean(record.get(key)) for key in KEPT},
        "start": _line(record.get("start_line")),
        "headers": [[_line(one["name"]), _line(one["value"])] for one in headers[:HEADERS]],
        "body": _body(record.get("body"), cut),
        "problems": _clean(record.get("problems") or []),
        "notes": _clean(record.get("note_meanings") or {}),
        "document": _document(record.get("document"), cut),
    }
    return {**kept, "cut": cut}


def _clean(value: Any) -> Any:  # noqa: ANN401  (any JSON)
    if isinstance(value, str):
        return _line(value)
    if isinstance(value, dict):
        return {printable(str(key)): _clean(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value[:VALUE_CHARACTERS]]
    return value


def _line(text: str | None) -> str | None:
    if text is None:
        return None
    if len(text) > VALUE_CHARACTERS:
        text = f"{text[:VALUE_CHARACTERS]}… ({len(text) - VALUE_CHARACTERS} more characters)"
    return printable(text)


def _body(body: str | None, cut: list[str]) -> str | None:
    if body is None:
        return None
    if len(body) > BODY_CHARACTERS:
        cut.append(f"of the body {BODY_CHARACTERS:,} of {len(body):,} characters are shown")
    return "\n".join(printable_lines(body[:BODY_CHARACTERS]))


def _document(document: Record | None, cut: list[str]) -> Record | None:
    if document is None:
        return None
    root = document.get("root")
    nodes = [NODES]
    tree = None if root is None else _element(root, nodes, DEPTH)
    if nodes[0] < 0:
        cut.append(f"of the XML the first {NODES} elements are shown")
    kept = {key: _clean(document.get(key)) for key in ("problem", "meanings", "notes")}
    return {**kept, "root": tree}


def _element(element: Record, left: list[int], depth: int) -> list[Any] | None:
    """Return name, attributes, text and children; None where there is no more room."""
    left[0] -= 1
    if left[0] < 0 or depth == 0:
        left[0] = min(left[0], -1)
        return None
    text = element.get("text")
    shown = None if text is None else "\n".join(printable_lines(str(_cut_text(text))))
    children = []
    for child in element.get("children") or ():
        made = _element(child, left, depth - 1)
        if made is None:
            break
        children.append(made)
    return [_line(element.get("name")), _clean(element.get("attributes") or {}), shown, children]


def _cut_text(text: str) -> str:
    if len(text) <= VALUE_CHARACTERS:
        return text
    return f"{text[:VALUE_CHARACTERS]}… ({len(text) - VALUE_CHARACTERS} more characters)"
