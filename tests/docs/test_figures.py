"""The figures in docs/ are what the program draws.

``python -m tests.docs.test_figures`` draws them anew; look at them before they are committed.
"""

from __future__ import annotations

import re
import sys
from contextlib import chdir
from typing import TYPE_CHECKING

import pytest

from tests.analyzer.cli.running import xccos
from tests.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FIGURES = ROOT / "docs" / "figures"
DRAWN = {
    "sign-in": ("samples/r2-signin-full.pcap", "--flow", "sign-in"),
    "posting": (
        *("samples/r2-post-full.pcap", "--flow", "posting"),
        *("--alias", "grace.o@emea.adatum.example=User1"),
        *("--alias", "hiro@emea.adatum.example=User2"),
    ),
    "lost-post": ("samples/fault-503.pcap", "--frames", "37-68"),
    "hops": ("samples/fe-two-hops.pcapng", "--hops", "--frames", "132-158"),
}


def _draw(name: str, directory: Path) -> bytes:
    path = directory / f"{name}.svg"
    with chdir(ROOT):
        result = xccos("ladder", *DRAWN[name], "-o", str(path))
    assert (result.code, result.err) == (0, "")
    return path.read_bytes()


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_is_what_the_program_draws(name: str, tmp_path: Path) -> None:
    assert _draw(name, tmp_path) == (FIGURES / f"{name}.svg").read_bytes()


@pytest.mark.parametrize("page", ["README.md", "docs/ladders.md"])
def test_every_picture_of_a_page_is_there(page: str) -> None:
    path = ROOT / page
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", path.read_text(encoding="utf-8"))
    assert len(pictures) >= 2
    for picture in pictures:
        assert (path.parent / picture).is_file(), picture


if __name__ == "__main__":
    for name in sys.argv[1:] or DRAWN:
        _draw(name, FIGURES)
