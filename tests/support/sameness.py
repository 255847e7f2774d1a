"""A reading in a form that does not depend on the path that made it, to compare two paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.reading import Reading
    from analyzer.rows import Rows

STRINGS = (
    *("method", "reason", "uri", "call_id", "from_uri", "from_tag", "to_uri", "to_tag"),
    "content_type",
)
NUMBERS = (
    *("time", "digits", "frame", "stream", "status", "content_length", "length", "notes"),
    *("branch", "vias"),
)


def plain_rows(rows: Rows) -> list[tuple[Any, ...]]:
    """Return every value of every row, its pieces and items among them."""
    columns, value = rows.message_table.columns, rows.strings.value
    return [
        (
            *(columns[name][row] for name in NUMBERS),
            *(value(columns[name][row]) for name in STRINGS),
            rows.cseqs.value(rows.cseq[row]),
            tuple(rows.piece_list(row)),
            tuple(rows.xccos(row)),
        )
        for row in range(len(rows))
    ]


def plain_reading(reading: Reading) -> dict[str, Any]:
    """Return everything that a settled reading holds, as plain values."""
    return {
        "rows": plain_rows(reading.rows),
        "connections": [flow.row() for flow in reading.flows],
        "keys": [flow.key for flow in reading.flows],
        "problems": reading.problems,
        "counters": +reading.counters,
        "stream counters": +reading.stream_counters,
        "services": +reading.services,
        "ignored": reading.ignored,
        "links": reading.links,
        "frames": reading.frames,
        "times": (reading.first_time, reading.last_time, reading.digits),
        "conflicts": reading.conflicts,
        "holes": reading.holes,
        "damaged": reading.damaged,
        "tls": [(one.flow.row(), one.hello) for one in reading.tls],
        "others": reading.others,
        "queries": reading.queries,
        "secrets": reading.secrets,
    }
