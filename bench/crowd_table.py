"""The table of many clients: plain text for the terminal, Markdown for the README."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import machine
from bench.crowd import ASKED
from bench.table import columns, figure, in_seconds, marked

if TYPE_CHECKING:
    from bench.crowd import Crowd, CrowdRow

HEAD = (
    *("case", "pace", "client", "server", "rounds", "times as fast as SIPp", "seconds"),
    *("messages/s", "at a time", "p50/p95/p99 ms", "CPU s", "peak MiB"),
)
LEFT = 4  # columns with words; the others have figures
TITLE = "many clients"


def text(crowd: Crowd) -> str:
    """Return the table and the remarks, for a terminal."""
    table = columns(HEAD, [_cells(one) for one in crowd["rows"]], LEFT)
    return "\n\n".join([f"{TITLE}: {crowd['clients']:,}\n{table}", *notes(crowd)])


def markdown(crowd: Crowd) -> str:
    """Return the table for a page."""
    return marked(HEAD, [_cells(one) for one in crowd["rows"]], LEFT)


def notes(crowd: Crowd) -> list[str]:
    """Return what has to be said about the figures."""
    said = [
        f"{crowd['clients']:,} clients, a connection each, over loopback: all on one machine."
        " At once: started as fast as they can be. Slowly: each takes ten times as long as"
        " recorded. At a time: most connections that were seen.",
        f"Milliseconds: until {ASKED} was answered; SIPp counts whole ones. CPU and memory: client"
        " / server.",
        *_slowest(crowd),
    ]
    if all(not one["remark"] for one in crowd["rows"] if one["ours"]):
        said.append("Every expectation held in every round, at both ends where these are ours.")
    busy = machine.warning(crowd["machine"])
    if busy:
        said.append(f"Beware: {busy}.")
    return [" ".join(said)]


def _slowest(crowd: Crowd) -> list[str]:
    """Tell the kind of answer that took longest where the clients come at a pace."""
    for one in crowd["rows"]:
        if one["pace"] != "at once" and one["latencies"]:
            name = max(one["latencies"], key=lambda name: one["latencies"][name][2])
            slowest = _milliseconds(one["latencies"][name])
            return [f"Slowest of all answers there: {name}, {slowest} ms."]
    return []


def _cells(one: CrowdRow) -> tuple[str, ...]:
    return (
        one["case"],
        one["pace"],
        one["client"],
        one["server"],
        str(one["rounds"] or ""),
        one["remark"] or _ratio(one),
        in_seconds(one["seconds"]),
        "" if one["messages_per_second"] is None else f"{one['messages_per_second']:,.0f}",
        "" if one["together"] is None else f"{one['together']:,}",
        _milliseconds(one["latencies"][ASKED]) if ASKED in one["latencies"] else "",
        _both(one["cpu"], 1),
        _both(one["peak_mib"], 0),
    )


def _ratio(one: CrowdRow) -> str:
    if one["ratio"] is None or one["ratio_min"] is None or one["ratio_max"] is None:
        return ""
    if one["rounds"] == 1:
        return figure(one["ratio"])
    return f"{figure(one['ratio'])} ({figure(one['ratio_min'])}-{figure(one['ratio_max'])})"


def _milliseconds(values: tuple[float, float, float]) -> str:
    return " / ".join("<1" if value < 1 else figure(value) for value in values)


def _both(values: tuple[float, float] | None, digits: int) -> str:
    return "" if values is None else " / ".join(f"{value:.{digits}f}" for value in values)
