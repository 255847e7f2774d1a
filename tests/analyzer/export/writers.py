"""The ways to write messages as lines: the reference, and its compiled twin where it is built."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from analyzer.export.messages import message_csv_lines, message_json_lines
from analyzer.rows import Interned, Rows, Stream
from analyzer.window import Window
from tests.support.twin import is_built

if TYPE_CHECKING:
    from collections.abc import Sequence

BUILT = is_built() and find_spec("analyzer._speedups.lines") is not None


def written(
    trace: Window,
    rows: Sequence[int] | None,
    fields: Sequence[str],
    form: str,
    file: str | None = None,
) -> bytes:
    """Return what the reference writes."""
    lines = message_json_lines if form == "jsonl" else message_csv_lines
    text = "".join(lines(trace, rows, fields, file=file))
    return text.encode("utf-8", "backslashreplace")


def written_by_twin(
    trace: Window,
    rows: Sequence[int] | None,
    fields: Sequence[str],
    form: str,
    file: str | None = None,
) -> bytes:
    """Return what the compiled writer writes; the same as the reference where it is not built."""
    if not BUILT:
        return written(trace, rows, fields, form, file)
    writer = import_module("analyzer._speedups.lines").LineWriter(
        fields, form=form, file=file, streams=trace.streams, read=trace.read
    )
    return b"".join(writer.write(trace.rows, 0, rows))


def with_compiled_tables(rows: Rows) -> Rows:
    """Keep the strings of rows as the compiled reading path does, where that is built."""
    if BUILT:
        module = import_module("dissectors._speedups.strings")
        for name, kind in (("strings", module.Strings), ("cseqs", module.CSeqs)):
            values: Interned[object] = getattr(rows, name)
            table = kind()
            assert [table.id(value) for value in values.values] == list(range(len(values)))
            setattr(rows, name, table)
    return rows


class MemoryTrace(Window):
    """Rows over bytes in memory: each message is one piece, or several."""

    def __init__(self, rows: Rows, data: bytes, transport: str = "tcp") -> None:
        stream = Stream(
            "10.0.0.1:5060", "[::1]:5061", transport, 0, from_opener=True, syn_seen=True
        )
        super().__init__(rows, [stream], lambda offset, length: data[offset : offset + length])


def rows_of(*messages: bytes, cut: int | None = None, **values: int) -> tuple[Rows, bytes]:
    """Return rows of messages that lie behind one another, and their bytes.

    ``cut`` is where each is cut into two pieces; ``values`` are what columns hold.
    """
    rows, offset, number = Rows(), 0, 0
    for frame, message in enumerate(messages, 1):
        sizes = [len(message)] if cut is None else [cut, max(len(message) - cut, 0)]
        row = dict.fromkeys((name for name, _ in Rows.MESSAGE), 0)
        row |= {"time": 10**18 + frame, "digits": 6, "frame": frame, "length": len(message)}
        row |= {"status": -1, "content_length": -1, "piece": number, "pieces": len(sizes)} | values
        rows.message_table.append(tuple(row.values()))
        for size in sizes:
            rows.piece_table.append((frame, offset, size))
            offset, number = offset + size, number + 1
    rows.finish()
    return rows, b"".join(messages)
