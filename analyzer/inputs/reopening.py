"""A file that ``xccos merge`` wrote, read as the inputs that it was made of."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, BinaryIO, cast

from analyzer.inputs.opening import join, rejoin
from analyzer.sources.conversion import Conversion
from analyzer.sources.files import Source
from analyzer.sources.merged import parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analyzer.inputs.joined import JoinedTrace
    from analyzer.sources.merged import Part
    from analyzer.trace import Trace


class _TakenApart(Conversion):
    """Knows the numbers of the merged file; there is nothing to convert."""

    def __init__(self, part: Part) -> None:
        super().__init__()
        self.places, self.hosts = part.numbers, part.hosts

    def pieces(self, raw: Iterator[bytes]) -> Iterator[bytes]:
        """Pass the bytes on."""
        return raw


class _OneMachine(Conversion):
    """The part of a trace that one of several machines wrote; there is nothing to convert."""

    def __init__(self, part: Part, whole: Conversion, *, first: bool) -> None:
        super().__init__()
        self.kind, self.unit, self.hosts = whole.kind, whole.unit, whole.hosts
        self.places = array("Q", (whole.places[number - 1] for number in part.numbers))
        if first:  # what is said of the whole is said once
            self.annotations, self.notes = whole.annotations, whole.notes
            self.problems = whole.problems

    def pieces(self, raw: Iterator[bytes]) -> Iterator[bytes]:
        """Pass the bytes on."""
        return raw


def machines_apart(source: Source, trace_of: Callable[[Source], Trace]) -> JoinedTrace:
    """Return the trace of several machines, read as what each of them saw.

    A message that went from one to the other is in such a trace twice.

    Args:
        source: converted, read to its end; it is closed.
        trace_of: reads a part.
    """
    whole = source.conversion
    assert whole is not None
    traces: list[Trace] = []
    for part in parts_of(source.read):
        size = part.file.seek(0, 2)
        part.file.seek(0)
        name = f"{source.name} [{part.name or 'others'}]"
        one = Source(name, cast("BinaryIO", part.file), size=size)
        one.conversion = _OneMachine(part, whole, first=not traces)
        traces.append(trace_of(one))
    source.close()
    return join(traces)


def reopened(source: Source, trace_of: Callable[[Source], Trace]) -> JoinedTrace | None:
    """Return the trace of a merged file; None where it has no more than one input.

    ``trace_of`` reads a part. The merged file is closed.
    """
    if not source.rereadable:
        for _ in source.chunks():  # what comes through a pipe is kept to be read again
            pass
    parts = parts_of(source.read)
    if len(parts) < 2 and (source.rereadable or not parts):
        for part in parts:
            part.file.close()
        return None
    traces: list[Trace] = []
    for part in parts:
        size = part.file.seek(0, 2)
        part.file.seek(0)
        one = Source(part.name or source.name, cast("BinaryIO", part.file), size=size)
        one.conversion = _TakenApart(part)
        traces.append(trace_of(one))
    source.close()
    return rejoin(traces)
