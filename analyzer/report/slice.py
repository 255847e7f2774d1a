"""The part of the capture that a report is about, for its bundle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.diagnostics.table import diagnose
from analyzer.export import choice as slices
from analyzer.export.comments import Comments
from analyzer.export.slice_file import Extras, SliceFile
from analyzer.export.slices import Slice, SliceOptions
from analyzer.ladder.selection import Choice
from analyzer.query import Query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analyzer.report.content import Content


class CaptureSlice:
    """A planned slice, which is written once."""

    def __init__(self, content: Content, chosen: slices.Chosen | None) -> None:
        self._content, self._chosen = content, chosen
        self._slice = Slice(content.trace, chosen, SliceOptions(decrypted=chosen is not None))
        self._slice.plan()

    def blocks(self) -> Iterator[bytes]:
        """Yield a pcapng file; each packet says what it carries and which findings cite it."""
        content, chosen = self._content, self._chosen
        rows = None if chosen is None else chosen.rows
        comments = Comments(content.trace, content.diagnosed, self._slice.number_of(), rows)
        about = f"{content.name}: {'; '.join(content.words) or 'all of it'}"
        return SliceFile(self._slice).pcapng(Extras(about=about, comments=comments))

    def numbers(self) -> list[bytes]:
        """Return a table of frame numbers; empty where the slice is the whole capture."""
        if self._chosen is None:
            return []
        number = self._slice.number_of()
        frames = range(1, self._content.record["frames"] + 1)
        lines = (f"{frame},{number(frame)}\r\n" for frame in frames if number(frame))
        return [b"frame in the capture,frame in capture.pcapng\r\n", "".join(lines).encode()]


def slice_of(content: Content, choice: Choice) -> CaptureSlice:
    """Return the slice of what a report is about; of everything, every frame."""
    if choice == Choice():
        return CaptureSlice(content, None)
    wanted = slices.Choice(
        sessions=tuple(index + 1 for index in choice.sessions),
        dialogs=choice.dialogs,
        findings=choice.findings,
        flows=choice.flows,
        frames=choice.frames,
        query=Query(
            users=choice.users,
            rooms=choice.rooms,
            from_time=choice.from_time,
            to_time=choice.to_time,
        ),
    )
    chosen = slices.choose(content.trace, wanted, lambda: diagnose(content.trace))
    if choice.rows is not None:  # a frame may complete several messages, of which some are wanted
        rows = frozenset(choice.rows)
        chosen = replace(chosen, rows=tuple(row for row in chosen.rows if row in rows))
    return CaptureSlice(content, chosen)
