"""The chart: megabytes a second of each program, logarithmic, one panel a kind of capture.

Drawn from ``results.json`` on a white ground, so that it can be read on dark pages too, with the
text as outlines, so that it looks the same everywhere. The same results give the same bytes.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, NamedTuple

from bench.table import megabytes

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from bench.results import Results, Row, Side

PANELS = (
    ("dense", "Nothing but SIP"),
    ("sparse", "2 % of the bytes are SIP"),
    ("giant", "All dialogs over one proxied connection"),
)
OURS, THEIRS, INK, GRID = "#1f5fa8", "#9aa3ad", "#1b1f23", "#e3e6e9"
BAR = 0.27  # inches a bar
WIDTH = 8.6


class Bar(NamedTuple):
    """One program on one capture."""

    name: str
    capture: int
    rate: float
    """Megabytes a second."""
    seconds: float
    ours: bool


def available() -> bool:
    """Tell whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def bars(rows: list[Row], group: str) -> list[Bar]:
    """Return the programs of a group that have figures, the fastest first."""
    found: dict[tuple[str, int], Bar] = {}
    for row in rows:
        if row["group"] == group:
            for side, ours in ((row["ours"], True), (row["theirs"], False)):
                _add(found, row["bytes"], side, ours=ours)
    return sorted(found.values(), key=lambda bar: -bar.rate)


def _add(found: dict[tuple[str, int], Bar], size: int, side: Side, *, ours: bool) -> None:
    seconds = side["seconds"]
    ours = ours or side["name"].startswith("xccos")
    # A program that ran on captures of two sizes is shown with the larger.
    known = next((key for key in found if key[0] == side["name"]), None)
    if seconds is None or (known and known[1] >= size):
        return
    if known:
        del found[known]
    found[side["name"], size] = Bar(side["name"], size, size / 1e6 / seconds, seconds, ours)


def draw(results: Results, path: Path) -> None:
    """Write the chart as SVG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    panels = [(title, bars(results["rows"], group)) for group, title in PANELS]
    panels = [(title, shown) for title, shown in panels if shown]
    if not panels:
        return
    heights = [len(shown) + 0.2 for _, shown in panels]
    with mpl.rc_context({"svg.hashsalt": "xccos", "font.family": "DejaVu Sans", "font.size": 9}):
        figure = Figure(
            figsize=(WIDTH, BAR * (sum(heights) + 1.9 * len(panels)) + 0.9), facecolor="white"
        )
        axes = figure.subplots(len(panels), 1, height_ratios=heights, sharex=True, squeeze=False)
        for axis, (title, shown) in zip(axes[:, 0], panels, strict=True):
            _panel(axis, title, shown)
        rates = [bar.rate for _, shown in panels for bar in shown]
        axes[0, 0].set_xlim(min(rates) / 2, max(rates) * 12)  # room for the last label
        axes[0, 0].xaxis.set_major_formatter(lambda rate, _: f"{rate:,g}")
        title = "Megabytes of capture read a second (logarithmic; blue is this program)"
        figure.suptitle(title, x=0.01, ha="left", fontsize=11, color=INK)
        figure.text(0.01, 0.008, _machine(results), fontsize=7, color="#57606a")
        figure.tight_layout(rect=(0, 0.02, 1, 1))
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _panel(axis: Axes, title: str, shown: list[Bar]) -> None:
    places = range(len(shown))
    axis.set_xscale("log")
    axis.barh(
        places,
        [bar.rate for bar in shown],
        color=[OURS if bar.ours else THEIRS for bar in shown],
        height=0.72,
    )
    largest = max(bar.capture for bar in shown)
    for place, bar in zip(places, shown, strict=True):
        size = "" if bar.capture == largest else f", {megabytes(bar.capture)}"
        axis.text(
            bar.rate * 1.08,
            place,
            f"{bar.rate:,.0f} MB/s  ({bar.seconds:.3g} s{size})"
            if bar.rate >= 10
            else f"{bar.rate:.2g} MB/s  ({bar.seconds:.3g} s{size})",
            va="center",
            fontsize=8,
            color=INK,
        )
    axis.set_yticks(places, [bar.name for bar in shown], color=INK)
    axis.set_ylim(len(shown) - 0.4, -0.6)
    axis.set_title(f"{title}, {megabytes(largest)}", loc="left", fontsize=9, color=INK)
    axis.tick_params(which="both", length=0, labelsize=8, labelcolor=INK)
    axis.grid(axis="x", color=GRID, linewidth=0.6)
    axis.set_axisbelow(True)
    for side in axis.spines.values():
        side.set_visible(False)


def _machine(results: Results) -> str:
    found = results["machine"]
    tshark = str(found["tshark"]).partition(" (Git")[0]
    return (
        f"{found['processor']}, {found['processors']} processors, {found['system']}; "
        f"{str(found['xccos']).partition(' (')[0]}; {tshark}"
    )
