"""A capture as it is read: its messages in windows, the first of them at once.

The one rule: the messages come in the order, and with the indexes, that a trace of the whole
capture gives them. A message is therefore kept back while bytes wait in some connection that may
yet complete a message of an earlier frame.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self

from analyzer.collector import paused
from analyzer.library.places import may_have_index
from analyzer.parallel import new_pipeline
from analyzer.paths import compiled
from analyzer.quality import quality_of
from analyzer.rows import Rows
from analyzer.sources.beside import key_log_beside
from analyzer.sources.files import file_size, open_source
from analyzer.trace import CHUNK, MERGED, NEGOTIATE, open_capture, trace_of
from analyzer.window import Streams, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import tzinfo
    from pathlib import Path

    from analyzer.quality import Quality
    from analyzer.reading import Reading
    from analyzer.sources.files import Source
    from analyzer.sources.tls_keys import GivenKeys
    from analyzer.trace import Trace

TOGETHER = 4096
"""Messages of a window of a file: fewer cost calls, more cost memory. What comes through a pipe is
shown as it comes."""
MIN_STREAMED = 512 << 20
"""Bytes of a file from which on the pure path streams it. A smaller one is read by several
processes: that is faster, and its rows fit into memory."""


class CaptureStream:
    """Iterate once over its windows; use it as a context manager, or ``close`` it."""

    def __init__(self, path: str | Path, source: Source, *, items: bool) -> None:
        self._path, self._source, self._items = path, source, items
        self._pipeline = new_pipeline(items=items, read_back=source.read, streaming=True)
        self._streams = Streams()
        self._given = 0
        self._trace: Trace | None = None  # of the whole; it closes the source, too
        self._began: int | None = None
        self.quality: Quality | None = None
        """Of the whole capture but for its other connections, when the last window was given."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the capture; messages can no longer be read back."""
        (self._trace or self._source).close()

    def __iter__(self) -> Iterator[Window]:
        with paused():
            yield from self._while_reading()
            reading = self._pipeline.close()
            if (reading.tls or self._compresses or reading.may_give_more) and not self._given:
                # Whether it can be opened is known now, and nothing was given too early.
                yield self._whole(reading)
                return
            yield from self._window(everything=True)
            reading.settle()
            if reading.tls and not self._pipeline.secrets:
                from analyzer.decryption import read_tls  # most captures need none of this

                read_tls(reading, self._source, None)
                reading.tls_told.clear()  # of them, too, the beginnings are not remembered
            if self._compresses:
                from analyzer.compression import tell_compressed

                tell_compressed(reading, self._source.read)
            self.quality = quality_of(reading, self._source.problem, self._source.conversion)

    @property
    def _compresses(self) -> bool:
        """Compression may have been agreed on."""
        return self._pipeline.reading.rows.strings.find(NEGOTIATE) is not None

    def _while_reading(self) -> Iterator[Window]:
        pipeline, together = self._pipeline, 1 if self._source.size is None else TOGETHER
        enough = together
        for chunk in self._source.chunks(CHUNK):
            pipeline.feed(chunk)
            if pipeline.stopped:
                return
            # What is to be opened with keys in it, or unpacked, belongs between the others.
            if pipeline.waiting >= enough and (self._given or not self._waits()):
                yield from self._window()
                enough = pipeline.waiting + together

    def _waits(self) -> bool:
        """Tell whether messages may have to be put before those that are known."""
        return bool(self._pipeline.secrets) or self._compresses

    def _window(self, *, everything: bool = False) -> Iterator[Window]:
        rows, known = Rows(), len(self._streams) // 2
        rows.strings = self._pipeline.reading.rows.strings
        rows.cseqs = self._pipeline.reading.rows.cseqs
        if not self._pipeline.take(rows, everything=everything):
            return
        if self._began is None:
            self._began = self._pipeline.began
        self._streams.add(self._pipeline.stream_keys(known))
        window = Window(
            rows, self._streams, self._source.read, first=self._given, began=self._began
        )
        self._given += len(rows)
        yield window

    def _whole(self, reading: Reading) -> Window:
        self._pipeline.take(reading.rows, everything=True)
        reading.settle()
        trace = trace_of(self._path, self._source, reading, None, items=self._items)
        self._trace = trace
        self.quality = replace(trace.quality, tls=())
        return trace


class WholeCapture:
    """The same for a capture that must be read as a whole before the first message is given."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self.quality: Quality | None = trace.quality

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._trace.close()

    def __iter__(self) -> Iterator[Window]:
        yield self._trace


def stream_capture(  # noqa: PLR0913  (all but the path are options)
    path: str | Path,
    *,
    progress: Callable[[int], None] | None = None,
    jobs: int = 1,
    items: bool = True,
    keylog: str | Path | GivenKeys | None = None,
    index: bool = True,
    zone: tzinfo | None = None,
) -> CaptureStream | WholeCapture:
    """Open a capture to look through its messages while it is read.

    The arguments are those of ``open_capture``. A capture with a key log, or with saved rows, is
    read as a whole, and so is one that is converted, or that the pure path reads sooner with
    several processes.

    Raises:
        SourceError: as ``open_capture``.
    """
    size = file_size(path)
    whole = (
        keylog is not None
        or key_log_beside(path) is not None
        or (index and may_have_index(path, size))
        or (not compiled() and size is not None and size < MIN_STREAMED)
    )
    if whole:
        trace = open_capture(
            path, progress=progress, jobs=jobs, items=items, keylog=keylog, index=index, zone=zone
        )
        return WholeCapture(trace)
    source = open_source(path, progress=progress, zone=zone)
    try:
        if source.conversion is not None:  # names are known when it is through
            return WholeCapture(open_capture(source, items=items, keylog=keylog, index=False))
        if MERGED in source.beginning:
            return WholeCapture(open_capture(source, items=items, keylog=keylog, index=False))
        return CaptureStream(path, source, items=items)
    except BaseException:
        source.close()
        raise
