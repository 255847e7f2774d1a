"""One message as text for people: the sheet that ``xccos show`` prints."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from analyzer.cli.table import cut
from analyzer.export.printable import printable, printable_lines
from analyzer.times import latency_text
from analyzer.views.numbers import spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.cli.terminal import Terminal

Record = dict[str, Any]

MAX_LINES = 500
"""Lines of a body or a tree; the rest is in ``--format json`` and ``--raw``."""


def sheet(record: Record, count: int, terminal: Terminal) -> Iterator[str]:
    """Yield the lines of a detail record; ``count`` is how many messages the capture has."""
    for line in _summary(record, count):
        yield terminal.paint(printable(line), "bold")
    for name, text in _facts(record):
        yield cut(printable(f"  {name:<11} {text}"), terminal.width, terminal.symbol("cut"))
    for name, text in record["note_meanings"].items():
        yield terminal.paint(printable(f"  note        {name}: {text}"), "doubtful")
    for text in record["problems"]:
        yield terminal.paint(printable(f"  unusual     {text}"), "doubtful")
    yield from _remarks(record, terminal)
    yield from _belongs_to(record["belongs_to"], terminal)
    yield from _headers(record, terminal)
    yield from _body(record, terminal)


def _summary(record: Record, count: int) -> Iterator[str]:
    start = record["start_line"] or record["method"] or "?"
    yield f"Message {record['index']} of {count}: {start}"


def _facts(record: Record) -> Iterator[tuple[str, str]]:
    yield "time", record["time"] or "unknown"
    yield "frames", spans(record["frames"])
    for one in record["seen_in"]:
        yield "seen in", f"{one['input']}, {one['unit']} {one['number']}, at {one['time']}"
    if record["not_seen_in"]:
        yield "not seen in", ", ".join(record["not_seen_in"])
    yield "from", f"{record['src']} to {record['dst']}, {record['transport']}"
    declared = record["content_length"]
    content = "" if declared is None else f", body {declared} bytes"
    yield "length", f"{record['length']} bytes{content}, SHA-1 {record['sha1']}"


def _remarks(record: Record, terminal: Terminal) -> Iterator[str]:
    """Yield what the trace itself says about the message."""
    if record["remarks"]:
        yield terminal.paint("The trace says", "bold")
    for one in record["remarks"]:
        code = f" ({one['code']})" if one["code"] else ""
        style = "bad" if one["severity"] == "error" else "doubtful"
        text = printable(f"  line {one['line']}: {one['severity']}: {one['text']}{code}")
        yield terminal.paint(text, style)


def _belongs_to(record: Record, terminal: Terminal) -> Iterator[str]:
    lines = [*_of_transaction(record), *_of_dialog(record), *_of_commands(record)]
    if not lines:
        return
    yield terminal.paint("Belongs to", "bold")
    for line in lines:
        yield "  " + printable(line)


def _of_transaction(record: Record) -> Iterator[str]:
    found = record["transaction"]
    if found is None:
        return
    if found["status"] is not None:
        took = latency_text(found["latency_ms"])
        answer = f"answered {found['status']} in frame {found['final_frame']}" + (
            f" after {took}" if took else ""
        )
    else:
        answer = "no final answer captured" if found["expects_answer"] else "needs no answer"
    request = found["request_frame"]
    begun = "request not captured" if request is None else f"request in frame {request}"
    yield f"transaction {found['index']}: {found['method']}, {begun}, {answer}"


def _of_dialog(record: Record) -> Iterator[str]:
    found = record["dialog"]
    if found is not None:
        session = record["session"]
        of = "" if session is None else f", session {session}"
        yield f"dialog {found['index']}: {found['role']} ({found['evidence']}){of}"
    copy = record["copy_of"]
    if copy is not None:
        yield f"copy on a further hop of message {copy['message']} (frame {copy['frame']})"


def _of_commands(record: Record) -> Iterator[str]:
    for found in record["commands"]:
        place = "not captured" if found["frame"] is None else f"frame {found['frame']}"
        reply = spans(found["reply_frames"])
        replied = f", reply in {reply}" if reply else ""
        yield (
            f"command {found['index']}: {found['command']} ({place}{replied}), "
            f"{found['outcome']}: {found['detail']}"
        )


def _headers(record: Record, terminal: Terminal) -> Iterator[str]:
    if not record["headers"]:
        return
    yield terminal.paint("Headers", "bold")
    for header in record["headers"]:
        yield f"  {printable(header['name'])}: {printable(header['value'])}"


def _body(record: Record, terminal: Terminal) -> Iterator[str]:
    document = record["document"]
    if document is not None and document["root"] is not None:
        yield terminal.paint("XCCOS", "bold")
        notes = [f"  note: {note}" for note in document["notes"]]
        yield from map(printable, notes)
        lines = _tree(document["root"], document["meanings"], terminal, 1)
    elif record["body"]:
        problem = "" if document is None else f" (XCCOS that cannot be read: {document['problem']})"
        yield terminal.paint(printable(f"Body{problem}"), "bold")
        lines = (f"  {line}" for line in printable_lines(record["body"].rstrip("\r\n")))
    else:
        return
    yield from islice(lines, MAX_LINES)
    if next(lines, None) is not None:
        yield f"  {terminal.symbol('cut')} more lines: see --format json or --raw"


def _tree(
    element: Record, meanings: dict[str, str], terminal: Terminal, depth: int
) -> Iterator[str]:
    """Yield an element, its attributes and its text on one line, its children below it."""
    blank = "  " * depth
    attributes = "".join(f' {name}="{value}"' for name, value in element["attributes"].items())
    text = (element["text"] or "").strip()
    first, *others = printable_lines(text)
    line = printable(f"{element['name']}{attributes}") + (f": {first}" if first else "")
    known = meanings.get(element["attributes"].get("id", "")) if depth == 2 else None
    explained = terminal.paint(f"  ({printable(known)})", "dim") if known else ""
    yield blank + line + explained
    for more in others:
        yield f"{blank}  {more}"
    for child in element["children"]:
        yield from _tree(child, meanings, terminal, depth + 1)
