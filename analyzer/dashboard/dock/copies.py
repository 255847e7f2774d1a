"""What of a message can be copied: its text, filters that find it, the command that shows it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from analyzer.export.printable import printable_lines
from analyzer.markup import add, copy_button, say
from analyzer.views.numbers import amount
from analyzer.wireshark.filters import call_id_filter, frames_filter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.dashboard.dock.message import Docked
    from analyzer.markup import Element

COPIED = 65_536
"""Characters of a message that a button copies: page and clipboard would carry more each time."""
MERGED = "merged.pcapng"


class Copied(NamedTuple):
    """Something to copy."""

    title: str
    text: str
    about: str = ""


def offers(docked: Docked) -> Iterator[Copied]:
    """Yield what a message offers to copy."""
    trace, row = docked.case.trace, docked.row
    size = len(docked.raw)
    if size <= COPIED:
        yield Copied(
            "message",
            "\n".join(printable_lines(docked.raw.decode("utf-8", "backslashreplace"))),
            "Start line, headers and body, control characters spelt out",
        )
    yield from _wireshark(docked)
    call_id = trace.rows.strings.values[trace.rows.call_id[row]]
    if call_id and not trace.has_lines:
        yield Copied("Call-ID for Wireshark", call_id_filter(call_id), "All of its call")
    yield Copied("filter", f"frame:{trace.rows.frame[row]}", "For the filter box here")
    yield Copied("command", command(docked), "Shows the same in a terminal")
    raw = f"{command(docked)} --raw > message.sip"
    yield Copied("command for the bytes", raw, "Writes the message unchanged")


def _wireshark(docked: Docked) -> Iterator[Copied]:
    """Yield display filters: of each input its own, as each numbers its frames itself."""
    for file, numbers in _numbers(docked).items():
        title = f"Wireshark filter for {file}" if file else "Wireshark filter"
        yield Copied(title, frames_filter(numbers), "Shows its frames")


def _numbers(docked: Docked) -> dict[str, list[int]]:
    """Return the numbers of its frames by input, of those that Wireshark opens."""
    trace = docked.case.trace
    if trace.inputs and len(docked.case.files) > 1:
        found: dict[str, list[int]] = {}
        for frame in _all_frames(docked):
            file, number = trace.where(frame)
            found.setdefault(file, []).append(number)
        lines = {one.name for one in trace.inputs if one.unit != "frame"}
        return {file: numbers for file, numbers in found.items() if file not in lines}
    if trace.inputs:
        # In a file that xccos merge wrote the frames have the numbers that they have here.
        return {"": [*docked.frames]}
    if trace.quality.unit != "frame":
        return {}
    found = {}
    for frame in docked.frames:
        file, number = trace.where(frame)
        found.setdefault(file, []).append(number)
    return found


def _all_frames(docked: Docked) -> list[int]:
    """Return its frames in every input that saw it."""
    seen = docked.case.trace.sightings(docked.row)
    return sorted({*docked.frames, *(one.frame for one in seen)})


def command(docked: Docked) -> str:
    """Return the command line that shows a message in a terminal."""
    case = docked.case
    files = shlex.join((*case.words, *case.key_words))
    if len(case.files) == 1:
        return f"xccos show {files} {docked.row}"
    return f"xccos merge {files} -o {MERGED} && xccos show {MERGED} {docked.row}"


def draw_offers(parent: Element, docked: Docked) -> None:
    """Draw them as buttons."""
    made = add(parent, "p", "dock-copy")
    add(made, "span", "soft", "Copy")
    for one in offers(docked):
        say(made, " ")
        # Made safe line by line, or quoted for the shell: the ends of lines have to stay.
        copy_button(made, one.title, one.text, title=one.about)
    size = len(docked.raw)
    if size > COPIED:
        say(made, f" Its {amount(size, 'byte')} are too many to copy: take the command.")
