"""Put the figures of the last ``make bench`` into README.md, and its chart into docs/bench.svg.

Only what stands between two markers is replaced. Figures are never typed in by hand. The figures of
many clients (the group ``replay``) have markers of their own; ``--only replay`` or ``--only
captures`` leaves the other ones as they are.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench import crowd_table, machine, table
from bench.captures import OUT, ROOT, format_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.crowd import Crowd
    from bench.results import Results

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
CROWD_BEGIN, CROWD_END = "<!-- bench replay: begin -->", "<!-- bench replay: end -->"
PARTS = ("captures", "replay")
CHART = "docs/bench.svg"


def section(results: Results) -> str:
    """Return what stands between the markers."""
    found, asked = results["machine"], results["options"]
    size = format_size(int(asked["size"]))
    tools = [str(found["tshark"]).partition(" (Git")[0], str(found["sngrep"]).replace(" - ", " ")]
    tools += [f"{name} {found[name]}" for name in machine.LIBRARIES if found[name]]
    intro = (
        f"`make bench SIZE={size} ROUNDS={asked['rounds']}` on {found['date']}:"
        f" {found['processor']}, {found['processors']} processors, {found['system']};"
        f" {found['xccos']};"
        f" {', '.join(tool for tool in tools if tool)}."
    )
    chart = f"![Megabytes of capture that each program reads a second]({CHART})"
    return "\n\n".join([intro, chart, table.markdown(results), *table.notes(results)])


def crowd_section(crowd: Crowd) -> str:
    """Return what stands between the markers of many clients."""
    found = crowd["machine"]
    tools = [str(found["xccos"]), str(found["sipp"]).rstrip(".")]
    intro = (
        f"`make bench ROUNDS={crowd['rounds']} BENCH='--only replay'` on {found['date']}:"
        f" {found['processor']}, {found['processors']} processors, {found['system']};"
        f" {'; '.join(tool for tool in tools if tool)}."
    )
    return "\n\n".join([intro, crowd_table.markdown(crowd), *crowd_table.notes(crowd)])


def replaced(page: str, new: str, begin: str = BEGIN, end: str = END) -> str:
    """Return a page with what stands between the markers replaced; ValueError without them."""
    before, found, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"no {begin} and {end}")
    return f"{before}{begin}\n\n{new}\n\n{end}{after}"


def written(page: str, part: str, out: Path) -> str:
    """Return a page with the figures of a part; OSError or ValueError where there are none."""
    if part == "replay":
        crowd: Crowd = json.loads((out / "crowd.json").read_text(encoding="utf-8"))
        return replaced(page, crowd_section(crowd), CROWD_BEGIN, CROWD_END)
    results: Results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    return replaced(page, section(results))


def parts(asked: str | None, out: Path) -> list[str]:
    """Return what is to be written: what was asked for, else all that was measured."""
    if asked:
        return [asked]
    return [PARTS[0], *([PARTS[1]] if (out / "crowd.json").is_file() else [])]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write page and chart; return 1 where there is no result, chart or marker."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=OUT, help="where the results are")
    parser.add_argument("--root", type=Path, default=ROOT, help="where README.md is")
    parser.add_argument("--only", choices=PARTS, help="leave the other figures as they are")
    given = parser.parse_args(arguments)
    readme = given.root / "README.md"
    asked = parts(given.only, given.out)
    try:
        page = readme.read_text(encoding="utf-8")
        for part in asked:
            page = written(page, part, given.out)
        if PARTS[0] in asked:
            shutil.copyfile(given.out / "chart.svg", given.root / CHART)
    except (OSError, ValueError) as error:
        print(f"nothing written: {error}", file=sys.stderr)
        return 1
    readme.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
