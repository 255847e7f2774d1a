"""The figures as a table: plain text for the terminal, Markdown for the README."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import machine
from bench.results import misses

if TYPE_CHECKING:
    from bench.results import Growth, Results, Row, Side

HEAD = (
    *("what", "against", "capture", "rounds", "times as fast", "ours s", "theirs s"),
    *("messages/s", "peak MiB", "messages found"),
)
GROWTH_HEAD = ("capture", "seconds", "ns/byte", "beside the smallest", "peak MiB")
UNITS = {"msgs": "", "dialogs": " dialogs"}
LEFT = 3  # columns with words; the others have figures


def text(results: Results) -> str:
    """Return both tables and the remarks, for a terminal."""
    parts = (
        [columns(HEAD, [_cells(row) for row in results["rows"]], LEFT)] if results["rows"] else []
    )
    if results["growth"]:
        cells = [_growth_cells(one) for one in results["growth"]]
        parts.append("growth (xccos, all fields)\n" + columns(GROWTH_HEAD, cells, 1))
    return "\n\n".join([*parts, *notes(results)])


def markdown(results: Results) -> str:
    """Return both tables for a page."""
    parts = [marked(HEAD, [_cells(row) for row in results["rows"]], LEFT)]
    if results["growth"]:
        cells = [_growth_cells(one) for one in results["growth"]]
        parts.append(marked(GROWTH_HEAD, cells, 1))
    return "\n\n".join(parts)


def notes(results: Results) -> list[str]:
    """Return what has to be said about the figures."""
    sides = [side for row in results["rows"] for side in (row["ours"], row["theirs"])]
    missed = {
        f"{side['name']} found {side['found']:,} of {side['expected']:,}"
        f"{UNITS[side['unit']] or ' messages'} in {row['capture']}, {megabytes(row['bytes'])}"
        for row in results["rows"]
        for side in (row["ours"], row["theirs"])
        if misses(side)
    }
    floor = max((side["floor_mib"] for side in sides), default=0)
    said = [f"Peaks below {floor:.0f} MiB cannot be told: that is what starts the programs."]
    if any(side["processes"] > 1 for side in sides):
        said.append("In brackets: the number of processes, whose memory is added.")
    busy = machine.warning(results["machine"])
    if busy:
        said.append(f"Beware: {busy}.")
    return [*sorted(missed), " ".join(said)]


def _cells(row: Row) -> tuple[str, ...]:
    ours, theirs = row["ours"], row["theirs"]
    remark = ours["remark"] or theirs["remark"]
    return (
        ours["name"],
        theirs["name"],
        _capture(row),
        "once" if row["rounds"] == 1 else str(row["rounds"]),
        remark or _ratio(row),
        in_seconds(ours["seconds"]),
        in_seconds(theirs["seconds"]),
        "" if row["messages_per_second"] is None else f"{row['messages_per_second']:,.0f}",
        _both(_peak(ours), _peak(theirs)),
        _both(_found(ours), _found(theirs)),
    )


def _capture(row: Row) -> str:
    return f"{row['capture']}, {megabytes(row['bytes'])}" if row["bytes"] else ""


def _both(ours: str, theirs: str) -> str:
    return f"{ours or '-'} / {theirs or '-'}" if ours or theirs else ""


def _growth_cells(one: Growth) -> tuple[str, ...]:
    return (
        megabytes(one["bytes"]),
        in_seconds(one["seconds"]),
        f"{one['ns_per_byte']:.2f}",
        f"{one['ratio']:.2f}",
        "" if one["peak_mib"] is None else f"{one['peak_mib']:.0f}",
    )


def _ratio(row: Row) -> str:
    if row["ratio"] is None or row["ratio_min"] is None or row["ratio_max"] is None:
        return ""
    if row["rounds"] == 1:
        return figure(row["ratio"])
    return f"{figure(row['ratio'])} ({figure(row['ratio_min'])}-{figure(row['ratio_max'])})"


def figure(value: float) -> str:
    """Return a number with as many digits as mean something."""
    if value < 0.1:
        return f"{value:.2g}"
    return f"{value:,.0f}" if value >= 20 else f"{value:.1f}" if value >= 2 else f"{value:.2f}"


def in_seconds(value: float | None) -> str:
    """Return a time; nothing where there is none."""
    return "" if value is None else f"{value:.3f}" if value < 1 else f"{value:.2f}"


def megabytes(size: int) -> str:
    """Return a size in powers of 1,000, short."""
    for unit, name in ((1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{figure(size / unit)} {name}"
    return f"{size} bytes"


def _peak(side: Side) -> str:
    if side["peak_mib"] is None:
        return ""
    if side["peak_mib"] <= side["floor_mib"] + 1:
        return f"<{side['floor_mib'] + 1:.0f}"
    several = f" ({side['processes']})" if side["processes"] > 1 else ""
    return f"{side['peak_mib']:.0f}{several}"


def _found(side: Side) -> str:
    if side["found"] is None:
        return ""
    unit = UNITS[side["unit"]]
    if side["expected"] is None:
        return f"{side['found']:,}{unit}"
    if misses(side):
        return f"! {side['found'] / side['expected']:.2%}{unit}"
    return f"all{unit}"


def columns(head: tuple[str, ...], cells: list[tuple[str, ...]], left: int) -> str:
    """Return a table for a terminal, of whose columns so many at the left have words."""
    lines = [head, *cells]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def marked(head: tuple[str, ...], cells: list[tuple[str, ...]], left: int) -> str:
    """Return the same table in Markdown."""
    rule = ["---" if i < left else "---:" for i in range(len(head))]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *cells])
