"""Reading one capture with several processes, each of which takes some of the connections.

Every process walks the whole file, which costs little, and frames and scans the messages of its
share. Connections do not depend on one another, so that the rows are those of a single process.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

from analyzer.collector import paused
from analyzer.paths import compiled
from analyzer.pipeline import Pipeline
from analyzer.reading import renumber
from analyzer.share import Share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from multiprocessing.connection import Connection as PipeEnd

    from analyzer._speedups.pipeline import Pass
    from analyzer.reading import Reading
    from analyzer.rows import Interned

    Chunks = Callable[[], Iterable[bytes]]
    ReadBack = Callable[[int, int], bytes]

# Columns whose numbers refer to a table of their own process.
_STRINGS = (
    "method", "reason", "uri", "call_id", "from_uri", "from_tag", "to_uri", "to_tag",
    "content_type",
)  # fmt: skip
_ITEM_STRINGS = (
    "element",
    "id",
    "seqid",
    "envid",
    "command_seqid",
    "command_envid",
    "code",
    "text",
)


def read_in_shares(
    here: Chunks,
    there: Chunks,
    jobs: int,
    *,
    items: bool = True,
    read_back: ReadBack | None = None,
) -> Reading:
    """Read a capture with ``jobs`` processes.

    Args:
        here: gives the bytes of the capture to this process.
        there: gives them again to each of the others.
        jobs: number of processes; 1 reads here alone, and so does the compiled path: it is done
            sooner than others are started.
        items: scan bodies for XCCOS.
        read_back: gives bytes that have passed, by offset and length; for the compiled path, which
            keeps them all without it.
    """
    with paused():
        if compiled():
            reading = run(here, new_pipeline(items=items, read_back=read_back))
        elif jobs == 1:
            reading = run(here, Pipeline(items=items))
        else:
            reading = _run_in_shares(here, there, jobs, items=items)
        reading.settle()
    return reading


def _run_in_shares(here: Chunks, there: Chunks, jobs: int, *, items: bool) -> Reading:
    import multiprocessing  # 8 ms that small captures do without

    context = multiprocessing.get_context("fork")  # the others need the open file, and no imports
    children = []
    for index in range(1, jobs):
        near, far = context.Pipe(duplex=False)
        share = Share(index, jobs)
        child = context.Process(target=_child, args=(far, there, share, items), daemon=True)
        child.start()
        far.close()
        children.append((near, child))
    try:
        reading = run(here, Pipeline(Share(0, jobs), items=items))
        for near, _ in children:
            merge(reading, near.recv())
    finally:
        for near, child in children:
            near.close()
            child.kill()
            child.join()
    return reading


def new_pipeline(
    *, items: bool = True, read_back: ReadBack | None = None, streaming: bool = False
) -> Pipeline | Pass:
    """Return a pipeline for all connections of a capture: the compiled one where it is built."""
    if not compiled():
        return Pipeline(items=items, streaming=streaming)
    from analyzer._speedups.pipeline import Pass  # not everywhere

    return Pass(items=items, read_back=read_back, streaming=streaming)


def run(chunks: Chunks, pipeline: Pipeline | Pass) -> Reading:
    """Feed a pipeline to the end."""
    for chunk in chunks():
        pipeline.feed(chunk)
        if pipeline.stopped:
            break
    return pipeline.close()


def _child(end: PipeEnd, chunks: Chunks, share: Share, items: bool) -> None:  # noqa: FBT001
    end.send(run(chunks, Pipeline(share, items=items)))
    end.close()


def merge(reading: Reading, other: Reading) -> None:
    """Add what another process read, or a further pass; ``Reading.settle`` is then to be called."""
    rows, more = reading.rows, other.rows
    strings, cseqs = _numbers(rows.strings, more.strings), _numbers(rows.cseqs, more.cseqs)
    streams, connections = 2 * len(reading.flows), len(reading.flows)
    pieces, items = len(rows.piece_columns["frame"]), len(rows.item_columns["id"])
    columns = more.message_table.columns
    renumber(columns, _STRINGS, strings)
    renumber(columns, ("cseq",), cseqs)
    renumber(more.item_table.columns, _ITEM_STRINGS, strings)
    for name, by in (("stream", streams), ("piece", pieces), ("item", items)):
        columns[name] = array(columns[name].typecode, map(by.__add__, columns[name]))
    for table, extra in zip(rows.tables, more.tables, strict=True):
        table.extend(extra)
    reading.flows += other.flows
    for number, flow in enumerate(reading.flows[connections:], connections):
        flow.number = number
    reading.holes += [(stream + streams, frame, size) for stream, frame, size in other.holes]
    reading.conflicts += [
        (stream + streams, frame, size) for stream, frame, size in other.conflicts
    ]
    reading.stream_counters += other.stream_counters
    reading.services += other.services
    reading.tls += other.tls
    reading.queries += other.queries
    reading.others += other.others


def _numbers(table: Interned[Any], other: Interned[Any]) -> list[int]:
    """Return the numbers in one table of the values of another."""
    return list(map(table.id, other.values))
