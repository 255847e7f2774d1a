"""Slices for tests: cut, written and read back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.diagnostics.table import diagnose
from analyzer.export.choice import Choice, Chosen, choose
from analyzer.export.comments import Comments
from analyzer.export.slice_file import Extras, SliceFile
from analyzer.export.slices import Slice, SliceOptions
from analyzer.trace import open_capture
from analyzer.views.messages import message_record
from dissectors.capture.detect import reader_for
from dissectors.model import Frame, Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from analyzer.diagnostics.rule import Finding
    from analyzer.trace import Trace

OTHERWISE = ("index", "frame", "frames")
"""What a message has of the file that it is in."""


def rows_alone(rows: Iterable[int]) -> Chosen:
    """Return the choice of some messages and nothing else."""
    return Chosen(tuple(sorted(rows)), frozenset(), ())


def cut(
    trace: Trace,
    out: Path,
    chosen: Chosen | Choice | None,
    *,
    options: SliceOptions = SliceOptions(),  # noqa: B008  (it is frozen)
    told: bool = False,
    secrets: bytes = b"",
) -> Slice:
    """Write a slice as pcapng, with comments where it is ``told``."""
    if isinstance(chosen, Choice):
        chosen = choose(trace, chosen, lambda: diagnose(trace))
    made = Slice(trace, chosen, options)
    made.plan()
    comments = None
    if told:
        rows = None if chosen is None else chosen.rows
        comments = Comments(trace, diagnose(trace), made.number_of(), rows)
    out.write_bytes(b"".join(SliceFile(made).pcapng(Extras("a test", comments, secrets))))
    return made


def frames_of(path: Path) -> list[Frame]:
    """Return the frames of a capture."""
    data = path.read_bytes()
    reader = reader_for(data)
    assert not isinstance(reader, Malformed)
    return [one for one in [*reader.feed(data), *reader.close()] if isinstance(one, Frame)]


def records(trace: Trace, rows: Iterable[int], *without: str) -> list[list[tuple[str, str]]]:
    """Return messages as records, without what depends on the file, in an order of their own."""
    left_out = {*OTHERWISE, *without}
    found: list[dict[str, Any]] = [message_record(trace, row) for row in rows]
    return sorted(
        sorted((name, str(value)) for name, value in one.items() if name not in left_out)
        for one in found
    )


def same_when_read(
    trace: Trace, rows: Iterable[int], path: Path, *without: str
) -> list[tuple[int, int, int]]:
    """Check that a slice has these messages and no others; return its holes."""
    with open_capture(path) as again:
        assert records(again, range(len(again)), *without) == records(trace, rows, *without)
        assert not again.quality.damaged
        return [(hole.stream, hole.frame, hole.length) for hole in again.quality.holes]


def gist(finding: Finding) -> tuple[str, ...]:
    """Return what is the same of a finding wherever its frames are."""
    who = finding.user or ""
    return finding.rule, finding.severity, finding.title, who, finding.confidence
