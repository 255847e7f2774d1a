"""The ladders of all samples, as text and as SVG, as they were looked at and agreed on.

``python -m tests.analyzer.ladder.test_golden`` writes the files in ``golden/samples/`` anew: look
at every one that changes before it is kept.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.ladder.look import Look
from analyzer.ladder.renderers import renderer_of
from tests.analyzer.ladder.drawn import drawn
from tests.paths import SAMPLES

GOLDEN = Path(__file__).with_name("golden") / "samples"
CAPTURES = sorted(SAMPLES.glob("*.pcap*"))
LOOK = Look(width=100, theme="light")
FORMATS = ("txt", "svg")


def written(path: Path, name: str) -> bytes:
    """Return the ladder of a capture in a format: of these samples each is one page."""
    (page,) = renderer_of(name)(drawn(path), LOOK)
    return page


FILES = [(path, name) for path in CAPTURES for name in FORMATS]


@pytest.mark.parametrize(("path", "name"), FILES, ids=lambda one: getattr(one, "stem", one))
def test_the_ladder_of_a_sample_is_the_one_that_was_agreed_on(path: Path, name: str) -> None:
    assert written(path, name) == (GOLDEN / f"{path.stem}.{name}").read_bytes()


def test_every_ladder_has_its_sample() -> None:
    expected = {f"{path.stem}.{name}" for path, name in FILES}
    assert {one.name for one in GOLDEN.iterdir()} == expected


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for capture, kind in FILES:
        (GOLDEN / f"{capture.stem}.{kind}").write_bytes(written(capture, kind))
