"""Put the figures of the last ``make bench`` into README.md, and its chart into docs/bench.svg.

Only what stands between the two markers is replaced. Figures are never typed in by hand.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench import machine, table
from bench.captures import OUT, ROOT, format_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.results import Results

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
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


def replaced(page: str, new: str) -> str:
    """Return a page with what stands between the markers replaced; ValueError without them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{new}\n\n{END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write both files; return 1 where there is no result, chart or marker."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=OUT, help="where the results are")
    parser.add_argument("--root", type=Path, default=ROOT, help="where README.md is")
    given = parser.parse_args(arguments)
    readme = given.root / "README.md"
    try:
        results: Results = json.loads((given.out / "results.json").read_text(encoding="utf-8"))
        page = replaced(readme.read_text(encoding="utf-8"), section(results))
        shutil.copyfile(given.out / "chart.svg", given.root / CHART)
    except (OSError, ValueError) as error:
        print(f"nothing written: {error}", file=sys.stderr)
        return 1
    readme.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
