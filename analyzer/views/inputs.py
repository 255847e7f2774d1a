"""What is said of several inputs: who saw what, and how far their clocks are apart."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from analyzer.times import time_text
from analyzer.views.numbers import amount

if TYPE_CHECKING:
    from analyzer.inputs.joined import Input
    from analyzer.trace import Seen, Trace

Record = dict[str, Any]


def inputs_record(trace: Trace) -> list[Record]:
    """Return what the triage says of the inputs; nothing of a single one."""
    if not trace.inputs:
        return []
    words = clock_words(trace)
    return [_input(one, said) for one, said in zip(trace.inputs, words, strict=True)]


def _input(one: Input, words: str) -> Record:
    clock = one.clock
    return {
        "name": one.name,
        "kind": one.kind,
        "unit": one.unit,
        "frames": one.frames,
        "messages": one.messages,
        "clock": {
            "method": clock.method,
            "offset_ms": clock.offset_ns / 1e6,
            "error_ms": clock.error_ns / 1e6,
            "drift_ppm": clock.drift_ppb / 1e3,
            "matches": clock.matches,
            "words": words,
        },
    }


def clock_words(trace: Trace) -> list[str]:
    """Return a sentence on the clock of each input."""
    from analyzer.inputs.words import describe

    names = [one.name for one in trace.inputs]
    return [describe(one.clock, names) for one in trace.inputs]


def input_lines(trace: Trace) -> list[str]:
    """Return a line on each input: what it is, how much of it, and its clock."""
    lines = []
    for one, words in zip(trace.inputs, clock_words(trace), strict=True):
        kind = "" if one.kind == "capture" else f"{one.kind}, "
        lines.append(f"{one.name}: {kind}{amount(one.messages, 'message')}; {words}")
    return lines


def sightings_record(trace: Trace, row: int) -> list[Record]:
    """Return where a message was seen, the first time first.

    Of a single capture nothing, since its frames are known; of a text trace the line, of a set of
    files the file.
    """
    if not trace.inputs:
        rows = trace.rows
        file, number = trace.where(rows.frame[row])
        if trace.quality.unit == "frame" and not file:
            return []
        return [
            {
                "input": file or PurePath(trace.name).name,
                "unit": trace.quality.unit,
                "number": number,
                "time": time_text(rows.time[row], rows.digits[row]),
            }
        ]
    return [
        {
            "input": trace.inputs[one.input].name,
            "unit": trace.inputs[one.input].unit,
            "number": one.number,
            "time": time_text(one.time_ns, trace.quality.digits),
        }
        for one in trace.sightings(row)
    ]


def unseen_names(trace: Trace, row: int) -> list[str]:
    """Return the inputs that should have seen a message, and did not."""
    return [trace.inputs[which].name for which in trace.unseen(row)]


def sightings_text(trace: Trace, row: int) -> str:
    """Return ``client.pcapng frame 12, fe.pcapng frame 40 (3.1 ms later), not in x.pcapng``."""
    seen = trace.sightings(row)
    parts = [_place(trace, one, seen[0]) for one in seen]
    parts += [f"not in {name}" for name in unseen_names(trace, row)]
    return ", ".join(parts)


def _place(trace: Trace, one: Seen, first: Seen) -> str:
    source = trace.inputs[one.input]
    text = f"{source.name} {source.unit} {one.number}"
    if one is first:
        return text
    later = one.time_ns - first.time_ns
    if abs(later) <= trace.unsure(one, first):
        return f"{text} (at the same time as far as the clocks tell)"
    return f"{text} ({later / 1e6:.1f} ms later)"
