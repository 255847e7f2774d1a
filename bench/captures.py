"""The captures to measure on: made once, kept in ``bench/out`` by kind, size and seed.

The generator of the corpus that stands beside the project is used where there is one, else the
project's own (``bench.gen``). The name of a capture says which; their messages differ in size.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "bench" / "out"
CORPUS = Path(os.environ.get("XCCOS_CORPUS", ROOT.parent / "shared"))
FOREIGN = CORPUS / "bench" / "gen.py"
UNITS = (("G", 10**9), ("M", 10**6), ("K", 10**3))
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Load:
    """A capture file, which may still have to be made."""

    name: str
    """What the table calls it."""
    path: Path
    line: tuple[str, ...] = ()
    """The command that makes it, but for the path; none where the file is just there."""
    wanted: int = 0
    """Bytes that were asked for; a small capture gets more, since all visits are ended."""

    @property
    def truth(self) -> Path:
        """The counts that a reader must reproduce."""
        return truth_of(self.path)

    def expected(self, unit: str) -> int | None:
        """Return how many ``msgs`` or ``dialogs`` there are; None where nobody has counted."""
        if not self.truth.is_file():
            return None
        counts: Mapping[str, int] = json.loads(self.truth.read_text(encoding="utf-8"))
        return counts.get(unit)


@dataclass(frozen=True, slots=True)
class Generator:
    """Where captures are made and kept."""

    directory: Path
    seed: int
    own: bool
    """Whether the project's own generator is used even where there is the other."""

    def load(self, mode: str, size: int, *, own: bool = False) -> Load:
        """Describe a capture of about ``size`` bytes."""
        ours = own or self.own or not FOREIGN.is_file()
        asked, kind = format_size(size), "own" if ours else "corpus"
        maker = ("-m", "bench.gen") if ours else (str(FOREIGN),)
        return Load(
            mode,
            self.directory / f"{mode}-{asked}-{self.seed}-{kind}.pcap",
            (sys.executable, *maker, mode, "--size", asked, "--seed", str(self.seed)),
            size,
        )


def truth_of(path: Path) -> Path:
    """Return the path of the truth file of a capture."""
    return path.with_name(f"{path.name}.truth.json")


def make(load: Load) -> None:
    """Make a capture under another name first, so that one that was cut short is not believed."""
    load.path.parent.mkdir(parents=True, exist_ok=True)
    part = load.path.with_name(f"{load.path.name}.part")
    subprocess.run(
        [*load.line, str(part)], cwd=ROOT, check=True, stdin=subprocess.DEVNULL, capture_output=True
    )
    part.rename(load.path)
    truth_of(part).rename(load.truth)


def make_all(loads: Iterable[Load], say: Callable[[str], None]) -> None:
    """Make what is not there yet, on all processors, the largest first."""
    missing = [load for load in set(loads) if load.line and not load.truth.is_file()]
    missing.sort(key=lambda load: -load.wanted)
    if missing:
        say("making " + ", ".join(load.path.name for load in missing))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(make, missing))


def warm(path: Path) -> None:
    """Read a capture once, so that the first program does not pay for the disk."""
    with path.open("rb") as file:
        while file.read(BLOCK):
            pass


def parse_size(text: str) -> int:
    """Return a number of bytes; ``K``, ``M`` and ``G`` are powers of 1,000."""
    unit = dict(UNITS).get(text[-1:].upper())
    return int(float(text[:-1]) * unit) if unit else int(text)


def format_size(size: int) -> str:
    """Return what ``parse_size`` reads, as short as it can be without loss."""
    for letter, unit in UNITS:
        if size and size % unit == 0:
            return f"{size // unit}{letter}"
    return str(size)
