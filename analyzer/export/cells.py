"""Values of records as CSV cells (RFC 4180).

Three rules, in docs/json.md: control characters are spelt out, so a record is one line; a text that
a spreadsheet would take for a formula gets an apostrophe in front (as does one that begins with an
apostrophe, so that taking one away gives the text back); an absent value is an empty cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.export.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ABSENT_IN_LIST = "."
"""Stands for an absent value inside a list, so that the lists of a record stay in step."""

# What spreadsheets take for a formula (CWE-1236), and our own mark.
_FORMULA = ("=", "+", "-", "@", "'")


def text_cell(text: str | None) -> str:
    """Return a text from the capture as a cell."""
    if not text:
        return ""
    shown = printable(text)
    if shown.startswith(_FORMULA):
        shown = "'" + shown
    if "," in shown or '"' in shown:
        return '"' + shown.replace('"', '""') + '"'
    return shown


def flat(value: object) -> str:
    """Return any value of a record as text without quotes: lists are joined by spaces."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return " ".join(f"{key}={flat(part)}" for key, part in value.items() if part is not None)
    if isinstance(value, list | tuple):
        return " ".join(flat(part) for part in value)
    return str(value)


def _cseq(value: dict[str, Any]) -> str:
    return f"{value['number']} {value['method']}"


def _joined(values: Iterable[str | None]) -> str:
    """Return a list as one text; nothing where every value is absent."""
    known = list(values)
    return " ".join(value or ABSENT_IN_LIST for value in known) if any(known) else ""


def _each(key: str) -> Callable[[Iterable[dict[str, Any]]], str]:
    return lambda values: _joined(flat(one[key]) for one in values)


def _steps(values: Iterable[dict[str, Any]]) -> str:
    return " ".join(f"{step['id']}={step['status']}" for step in values)


# How the values that are objects, or lists of them, become one cell.
FLATTENED: dict[str, Callable[[Any], str]] = {
    "cseq": _cseq,
    "replies": _each("id"),
    "rooms": lambda values: " ".join(
        one["uri"] if isinstance(one, dict) else one for one in values
    ),
    "posts": _each("frame"),
    "slowest": _each("command"),
    "dialogs": _each("dialog"),
    "steps": _steps,
    "signed_in": lambda event: flat(event["time"]),
    "signed_off": lambda event: flat(event["time"]),
    "problems": " ".join,
}


def _commandid(item: dict[str, Any]) -> str | None:
    command = item["commandid"]
    return None if command is None else commandid_text(command["seqid"], command["envid"])


def commandid_text(seqid: str | None, envid: str | None) -> str:
    """Return ``seqid/envid`` of the command that a reply answers."""
    return f"{seqid or ABSENT_IN_LIST}/{envid or ABSENT_IN_LIST}"


# The XCCOS items of a message fill several columns, each a list in document order.
XCCOS_COLUMNS: dict[str, Callable[[dict[str, Any]], str | None]] = {
    "xccos": lambda item: item["id"] or item["element"],
    "xccos_seqid": lambda item: item["seqid"],
    "xccos_envid": lambda item: item["envid"],
    "xccos_commandid": _commandid,
    "xccos_code": lambda item: item["code"],
    "xccos_text": lambda item: item["text"],
}


def xccos_cells(items: list[dict[str, Any]]) -> list[str]:
    """Return the cells of ``XCCOS_COLUMNS`` for the items of a message."""
    return [text_cell(_joined(part(item) for item in items)) for part in XCCOS_COLUMNS.values()]


def header(fields: Iterable[str], *, messages: bool) -> list[str]:
    """Return the column names for fields; ``xccos`` of a message stands for several columns."""
    return [
        column
        for name in fields
        for column in (XCCOS_COLUMNS if messages and name == "xccos" else (name,))
    ]


def cells(record: dict[str, Any], *, messages: bool) -> list[str]:
    """Return the cells of a record, in step with ``header``."""
    found: list[str] = []
    for name, value in record.items():
        if messages and name == "xccos":
            found += xccos_cells(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found.append(str(value))
        elif value is None:
            found.append("")
        else:
            found.append(text_cell(FLATTENED.get(name, flat)(value)))
    return found
