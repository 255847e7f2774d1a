"""Where reality left the script: the capture of a play compared with the original.

The rule: the original is A and the play is B. Sessions of one user belong together; who was given
another name in the play is found by the order of the sign-ins.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.compare.compare import compare
from analyzer.compare.pairing import Choice, Pairing, pairings
from analyzer.trace import open_capture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from analyzer.compare.values import Comparison, Kind
    from analyzer.replay.told.records import Record
    from analyzer.trace import Trace

NOT_PLAYED: tuple[Kind, ...] = ("latency",)
"""What a play as fast as its dependencies allow cannot have in common with the recording."""
IN_ORDER = "another user plays this session: in the order of the sign-ins"


def departures(
    original: Trace, played: Trace, *, names: tuple[str, str], timed: bool = False
) -> Iterator[Comparison]:
    """Yield a comparison for each session of the original that was played; both must be open.

    Args:
        original: the capture that the script is from.
        played: the capture of the play.
        names: of both, for people.
        timed: it was played as recorded: latencies compare.

    Raises:
        ValueError: with one line for people, where either has no session.
    """
    for pair in _pairs(original, played):
        yield compare(
            pair.a, pair.b, files=names, why=pair.why, ignored=() if timed else NOT_PLAYED
        )


def _pairs(original: Trace, played: Trace) -> list[Pairing]:
    try:
        found = pairings(original, played, Choice(all=True))
    except ValueError as error:  # it calls them A and B
        told = str(error).replace("A has", "the original has").replace("B has", "the play has")
        raise ValueError(told) from None
    others = zip(found.left_a, found.left_b, strict=False)
    pairs = [*found.pairs, *(Pairing(one, other, IN_ORDER) for one, other in others)]
    return sorted(pairs, key=lambda pair: pair.a.index)


@contextmanager
def in_memory(write: Callable[[BinaryIO], object]) -> Iterator[Trace]:
    """Give what a capture says that was never to be kept: it exists as long as it is looked at.

    Args:
        write: writes a pcapng.
    """
    with tempfile.TemporaryDirectory(prefix="xccos-") as folder:
        path = Path(folder) / "play.pcapng"
        with path.open("wb") as stream:
            write(stream)
        with open_capture(path) as trace:
            yield trace


def departure_records(found: Iterator[Comparison]) -> list[Record]:
    """Return comparisons as records (docs/diff.md)."""
    from analyzer.compare.records import comparison_record

    return [comparison_record(one) for one in found]
